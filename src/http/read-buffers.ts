// What a thread's sockets read into: one buffer for all, and for those that stream a large body one of their own at a time, so that
// it can be written on without a copy. A buffer is lent to the kernel until a write is done; nobody reads into it meanwhile.
import type { Socket } from 'node:net'
import { CopyBuffers } from './copy-buffers.ts'

const SIZE = 64 * 1024
/** A read of at least this much is worth a buffer of its own for the next one. */
const LARGE = 32 * 1024
const MOST_FREE = 64
/**
 * 64 MiB a thread. A socket keeps the one of its last large read however long nothing comes after it, so that without a bound so many idle
 * connections could hold as much as they like. Those beyond it read into the shared one, at the cost of a copy.
 */
const MOST_OWN = 1024

export class ReadBuffers {
  readonly shared: Buffer = Buffer.allocUnsafeSlow(SIZE)
  /** For what was read into the shared one and must be written before it is read into again. */
  readonly copies = new CopyBuffers()
  readonly #own = new WeakSet<Buffer>()
  #made = 0
  /** A socket that closes takes its buffer with it. */
  readonly #collected = new FinalizationRegistry<undefined>(() => this.#made--)
  readonly #free: Buffer[] = []
  /** To the number of writes that are not done. */
  readonly #lent = new Map<Buffer, number>()
  /** Those of them that nobody reads into any more. */
  readonly #left = new Set<Buffer>()

  /** Undefined: too many are in use. */
  take(): Buffer | undefined {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#made === MOST_OWN) return undefined
    this.#made++
    const buffer = Buffer.allocUnsafeSlow(SIZE)
    this.#own.add(buffer)
    this.#collected.register(buffer, undefined)
    return buffer
  }

  /** Whoever took it reads no more into it. */
  leave(buffer: Buffer): void {
    if (this.#lent.has(buffer)) this.#left.add(buffer)
    else this.#put(buffer)
  }

  #put(buffer: Buffer): void {
    if (this.#free.length < MOST_FREE && this.#own.has(buffer)) this.#free.push(buffer)
  }

  isLent(buffer: Buffer): boolean {
    return this.#lent.has(buffer)
  }

  /** Nobody reads into it until it is given back, as often as it was lent. */
  lend(buffer: Buffer): void {
    this.#lent.set(buffer, (this.#lent.get(buffer) ?? 0) + 1)
  }

  /** Not `well`, after an error: the write may not have let go of it, and it is left to the garbage collector. */
  giveBack(buffer: Buffer, well: boolean): void {
    const left = (this.#lent.get(buffer) ?? 1) - 1
    if (left > 0) this.#lent.set(buffer, left)
    else {
      this.#lent.delete(buffer)
      if (this.#left.delete(buffer) && well) this.#put(buffer)
    }
  }

  /** Writes a part of a buffer as it is; the buffer is lent until the kernel has all of it. Not for the shared one. */
  write(socket: Socket, buffer: Buffer, start: number, end: number): void {
    let lent = false
    socket.write(buffer.subarray(start, end), (error) => {
      if (lent) this.giveBack(buffer, error === null || error === undefined)
    })
    // Mostly the kernel takes everything at once.
    if (socket.writableLength === 0) return
    lent = true
    this.lend(buffer)
  }
}

/** The read side of one socket: for its `onread` option. */
export class SocketReader {
  readonly onread: { readonly buffer: () => Buffer; readonly callback: (count: number) => boolean }
  readonly #buffers: ReadBuffers
  #current: Buffer
  #streams = false

  /** `received` gets `count` bytes at the beginning of `buffer`, valid during the call only, and answers whether it is within a large body. */
  constructor(buffers: ReadBuffers, received: (buffer: Buffer, count: number) => boolean) {
    this.#buffers = buffers
    this.#current = buffers.shared
    this.onread = {
      buffer: () => this.#next(),
      callback: (count) => {
        this.#streams = received(this.#current, count) && count >= LARGE
        return true
      },
    }
  }

  /** Asked once before the first read, then after each. */
  #next(): Buffer {
    const current = this.#current
    const { shared } = this.#buffers
    if (current === shared) {
      if (this.#streams) this.#current = this.#buffers.take() ?? shared
      return this.#current
    }
    const lent = this.#buffers.isLent(current)
    if (this.#streams && !lent) return current
    this.#buffers.leave(current)
    this.#current = (this.#streams ? this.#buffers.take() : undefined) ?? shared
    return this.#current
  }
}
