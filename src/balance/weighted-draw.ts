// Endpoints laid end to end, each as long as its weight, to find the one at a given place. O(log n); O(n) where some are left out.
import type { Endpoint } from '../model/routing.ts'
import { mayTake, undrained, type Usable } from './turns.ts'

export interface WeightedLine {
  readonly indices: Int32Array
  /** Where each of `indices` ends. */
  readonly ends: Float64Array
}

export function weightedLine(endpoints: readonly Endpoint[]): WeightedLine {
  const indices = undrained(endpoints)
  let end = 0
  return { indices, ends: Float64Array.from(indices, (index) => (end += endpoints[index]?.weight ?? 0)) }
}

/** Sum of the weights of those that may be taken. */
export function lengthOf({ indices, ends }: WeightedLine, endpoints: readonly Endpoint[], usable: Usable): number {
  if (usable === undefined) return ends[ends.length - 1] ?? 0
  let length = 0
  for (const index of indices) if (mayTake(endpoints, index, usable)) length += endpoints[index]?.weight ?? 0
  return length
}

/** The first endpoint that ends at `place` or behind it; -1 beyond the last. */
export function endingAt({ indices, ends }: WeightedLine, place: number, endpoints: readonly Endpoint[], usable: Usable): number {
  if (usable !== undefined) {
    let rest = place
    for (const index of indices) {
      if (!mayTake(endpoints, index, usable)) continue
      rest -= endpoints[index]?.weight ?? 0
      if (rest <= 0) return index
    }
    return -1
  }
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ends[middle] ?? 0) >= place) high = middle
    else low = middle + 1
  }
  return indices[low] ?? -1
}
