// How many connections may be open, all in all and of one client, over all threads. Each thread counts in cells of its own, which
// all can read: a thread that dies takes nothing but its own count with it. So a limit is never passed; where threads come to it in the
// same moment, one connection fewer may be admitted.
import { canonicalAddress } from '../base/address-list.ts'
import type { Limits } from '../model/settings.ts'

/** A cell for all connections, then two rows in which each client has one cell. */
const ROW = 1 << 18
const ROWS = 2

/** Shared by the threads of a process. Structured-cloneable. */
export interface AdmissionCells {
  readonly buffer: SharedArrayBuffer
  readonly threads: number
  /** Which clients share a cell is nobody's to choose. */
  readonly seeds: readonly number[]
}

export interface Admission {
  /** Counts a connection, to be paired with `leave`. False: there are as many as may be, and it was not counted. */
  enter(): boolean
  leave(): void
  /** Counts a connection of the client with this address, to be paired with `leaveClient`. False: as above. */
  enterClient(address: string): boolean
  leaveClient(address: string): void
}

/** `seed`: random. */
export function admissionCells(threads: number, limits: Limits, seed: () => number): AdmissionCells {
  const size = 1 + (limits.connectionsPerClient > 0 ? ROWS * ROW : 0)
  const seeds = Array.from({ length: ROWS }, seed)
  return { buffer: new SharedArrayBuffer(threads * size * Int32Array.BYTES_PER_ELEMENT), threads, seeds }
}

/** The thread with this index is gone, and with it its connections. */
export function forgetThread({ buffer, threads }: AdmissionCells, thread: number): void {
  const cells = new Int32Array(buffer)
  const size = cells.length / threads
  for (let i = thread * size; i < (thread + 1) * size; i++) Atomics.store(cells, i, 0)
}

export function createAdmission({ buffer, threads, seeds }: AdmissionCells, thread: number, limits: Limits): Admission {
  const cells = new Int32Array(buffer)
  const size = cells.length / threads
  const own = thread * size

  function sum(cell: number): number {
    let total = 0
    for (let at = cell; at < cells.length; at += size) total += Atomics.load(cells, at)
    return total
  }

  function add(cell: number, amount: number): void {
    Atomics.add(cells, own + cell, amount)
  }

  /** Clients that share a cell in one row hardly do in the other: the smaller count is the client's. */
  function cellsOf(address: string): number[] {
    const key = clientKey(address)
    return seeds.map((seed, row) => 1 + row * ROW + (hash(key, seed) & (ROW - 1)))
  }

  function addAll(all: readonly number[], amount: number): void {
    for (const cell of all) add(cell, amount)
  }

  return {
    enter() {
      add(0, 1)
      if (limits.connections === 0 || sum(0) <= limits.connections) return true
      add(0, -1)
      return false
    },
    leave: () => add(0, -1),
    enterClient(address) {
      if (limits.connectionsPerClient === 0) return true
      const mine = cellsOf(address)
      addAll(mine, 1)
      if (Math.min(...mine.map(sum)) <= limits.connectionsPerClient) return true
      addAll(mine, -1)
      return false
    },
    leaveClient(address) {
      if (limits.connectionsPerClient > 0) addAll(cellsOf(address), -1)
    },
  }
}

/** Who has an IPv6 address mostly has the whole /64 around it. */
function clientKey(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = (canonicalAddress(address) ?? address).split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}

/** FNV-1a from a secret start, its bits then mixed as in MurmurHash3. */
function hash(text: string, seed: number): number {
  let h = seed | 0
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
