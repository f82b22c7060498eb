// Whose turn it is among those that may be taken: small pieces that several schedulers share.
import type { Endpoint } from '../model/routing.ts'

export type Usable = ((endpoint: Endpoint, index: number) => boolean) | undefined

/** Neither drained nor left out. */
export function mayTake(endpoints: readonly Endpoint[], index: number, usable: Usable): boolean {
  const endpoint = endpoints[index]
  return endpoint !== undefined && endpoint.weight > 0 && (usable === undefined || usable(endpoint, index))
}

/** Indices of the endpoints that are not drained, in order. */
export function undrained(endpoints: readonly Endpoint[]): Int32Array {
  return Int32Array.from(endpoints.flatMap(({ weight }, index) => (weight > 0 ? [index] : [])))
}

/** The first of `indices`, from place `from` on and around, that may be taken; -1 if there is none. */
export function nextUsable(endpoints: readonly Endpoint[], indices: Int32Array, from: number, usable: Usable): number {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[(from + i) % indices.length] ?? -1
    if (mayTake(endpoints, index, usable)) return index
  }
  return -1
}

/**
 * The next one behind `from` in order, without the scheduler; -1 if there is none. For a second try, where the scheduler does not count: a
 * turn taken for it would send the first try of the next request to the same dead endpoint again, and a key has one endpoint only.
 */
export function nextBehind(endpoints: readonly Endpoint[], from: number, usable: Usable): number {
  for (let step = 1; step <= endpoints.length; step++) {
    const index = (from + step) % endpoints.length
    if (mayTake(endpoints, index, usable)) return index
  }
  return -1
}
