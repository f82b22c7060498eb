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
