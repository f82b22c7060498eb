// Maglev's lookup table (Eisenbud et al., NSDI 2016, section 3.4), filled as ip_vs_mh does: each member has its own order of
// preference over all places, and in turn takes the next free one of it, as many at a turn as its weight says.
import { MAGLEV_SIZES } from '../model/scheduler.ts'
import { halfSipHash } from './siphash.ts'
import { greatestCommonDivisor } from './weighted-sequence.ts'

export const DEFAULT_MAGLEV_SIZE = 4093

const HASH_KEYS = [2654435761, 2654446892] as const

export interface MaglevMember {
  /** Of the address and port, see hash.ts. */
  readonly key: number
  readonly weight: number
}

/** Index of the member at each place; all -1 when there is none of a weight above 0. */
export function maglevTable(members: readonly MaglevMember[], wanted: number): Int32Array {
  const size = sizeFor(members.length, wanted)
  const turns = turnsOf(members, size)
  const preferences = members.map(({ key }, i) => ({
    offset: halfSipHash(key, HASH_KEYS[0]) % size,
    skip: (halfSipHash(key, HASH_KEYS[1]) % (size - 1)) + 1,
    turns: turns[i] ?? 0,
  }))
  return fillTable(preferences, size)
}

export interface Preference {
  /** The place it likes best, and how far it is to the next best each time. */
  readonly offset: number
  readonly skip: number
  /** Places it takes when its turn comes. */
  readonly turns: number
}

/** `size` is a prime, so every preference leads to every place. */
export function fillTable(preferences: readonly Preference[], size: number): Int32Array {
  const table = new Int32Array(size).fill(-1)
  if (!preferences.some(({ turns }) => turns > 0)) return table
  const places = Float64Array.from(preferences, ({ offset }) => offset)
  let filled = 0
  while (filled < size) {
    for (const [member, { skip, turns }] of preferences.entries()) {
      for (let turn = 0; turn < turns && filled < size; turn++) {
        let place = places[member] ?? 0
        while (table[place] !== -1) place = (place + skip) % size
        table[place] = member
        places[member] = place
        filled++
      }
    }
  }
  return table
}

/** Place of a key; `offset` is that of the fallback. */
export function maglevPlace(key: number, offset: number, size: number): number {
  return halfSipHash((key + offset) | 0, HASH_KEYS[0]) % size
}

/** The kernel refuses more members than places; here the table grows instead. */
function sizeFor(members: number, wanted: number): number {
  return MAGLEV_SIZES.find((size) => size >= wanted && size >= members) ?? 131071
}

/** Weights divided by their gcd, and halved together until the largest has no more bits than the kernel allows for the size. */
function turnsOf(members: readonly MaglevMember[], size: number): number[] {
  const weights = members.map(({ weight }) => weight)
  const divisor = weights.reduce(greatestCommonDivisor, 0)
  if (divisor === 0) return weights
  const bits = (MAGLEV_SIZES.indexOf(size) + 8) >> 1
  const largest = weights.reduce((a, b) => Math.max(a, b), 0) / divisor
  const shift = Math.max(0, 32 - Math.clz32(largest) - bits)
  return weights.map((weight) => (weight === 0 ? 0 : Math.max(1, (weight / divisor) >> shift)))
}
