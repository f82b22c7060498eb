// The search that lc, wlc, sed, nq, lblc and lblcr share: the endpoint with the lowest (in flight + extra) / weight.
//
// The kernel keeps the first found of those that tie. That is fair where connections overlap, but requests that come one after
// another would all find everything idle and go to the first endpoint of the list. So here those that tie take turns: in
// proportion to their weights (lc, which knows none: evenly). Nothing else differs, and where there is no tie nothing does.
//
// The count is raised in the same step as it is chosen by: if another thread was quicker the search begins anew, so two
// threads never take the same minimum for theirs.
import type { Endpoint } from '../model/routing.ts'
import type { Cursor } from './cursor.ts'
import { inFlight, loadsOf, started, startedUnlessChanged, type CellSource, type Loads } from './loads.ts'
import { mayTake, type Usable } from './turns.ts'

/** Then a choice that is no longer exact is taken: the threads outrun each other for ever only in theory. */
const ATTEMPTS = 32

export interface Fleet {
  readonly endpoints: readonly Endpoint[]
  readonly loads: Loads
  readonly weights: Float64Array
  /** All that are not drained weigh the same. */
  readonly even: boolean
  /** Indices of those that tie, while a pick runs. */
  readonly ties: Int32Array
}

/** With `weighted` false every endpoint that is not drained weighs 1. */
export function fleetOf(endpoints: readonly Endpoint[], cells: CellSource, weighted: boolean): Fleet {
  const weights = Float64Array.from(endpoints, ({ weight }) => (weighted ? weight : Math.min(weight, 1)))
  const distinct = new Set(weights.filter((weight) => weight > 0))
  return { endpoints, loads: loadsOf(endpoints, cells), weights, even: distinct.size <= 1, ties: new Int32Array(endpoints.length) }
}

/** Index of the least loaded, counted as in flight, or -1. O(n). */
export function takeLeast(fleet: Fleet, extra: 0 | 1, cursor: Cursor, usable: Usable): number {
  const { endpoints, loads, weights, ties } = fleet
  const { one: cells, indices } = loads
  const count = weights.length
  for (let attempt = 1; ; attempt++) {
    let found = 0
    let least = 0
    let leastWeight = 1
    for (let i = 0; i < count; i++) {
      const weight = weights[i] ?? 0
      if (weight === 0 || (usable !== undefined && !mayTake(endpoints, i, usable))) continue
      const load = (cells === undefined ? inFlight(loads, i) : (cells[indices[i] ?? 0] ?? 0)) + extra
      // load / weight against least / leastWeight, exactly: both products are below 2^53.
      const here = load * leastWeight
      const there = least * weight
      if (found > 0 && here > there) continue
      if (found === 0 || here < there) {
        found = 0
        least = load
        leastWeight = weight
      }
      ties[found++] = i
    }
    if (found === 0) return -1
    const index = tied(fleet, found, cursor)
    const seen = (least * (weights[index] ?? 0)) / leastWeight - extra
    if (startedUnlessChanged(loads, index, seen)) return index
    if (attempt === ATTEMPTS) {
      started(loads, index)
      return index
    }
  }
}

/** Index of an endpoint without requests in flight, counted as in flight, or -1. */
export function takeIdle(fleet: Fleet, cursor: Cursor, usable: Usable): number {
  const { endpoints, loads, weights, ties } = fleet
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    let found = 0
    for (let i = 0; i < weights.length; i++) {
      if (weights[i] === 0 || inFlight(loads, i) !== 0 || (usable !== undefined && !mayTake(endpoints, i, usable))) continue
      ties[found++] = i
    }
    if (found === 0) return -1
    const index = tied(fleet, found, cursor)
    if (startedUnlessChanged(loads, index, 0)) return index
  }
  return -1
}

/** Which of the first `count` of `ties` has its turn. */
function tied({ ties, weights, even }: Fleet, count: number, cursor: Cursor): number {
  if (count === 1) return ties[0] ?? -1
  const turn = cursor.next()
  if (even) return ties[turn % count] ?? -1
  let total = 0
  for (let i = 0; i < count; i++) total += weights[ties[i] ?? -1] ?? 0
  // Multiples of the golden ratio, modulo 1, fall evenly into any division of the unit interval, in any part of the sequence.
  let place = ((Math.imul(turn, 0x9e3779b1) >>> 0) / 2 ** 32) * total
  for (let i = 0; i < count; i++) {
    place -= weights[ties[i] ?? -1] ?? 0
    if (place < 0) return ties[i] ?? -1
  }
  return ties[count - 1] ?? -1
}
