// What a scheduler prepares once for an array of endpoints, found again by the array itself. A request that began before the
// endpoints changed still picks from its own array, so the older ones are remembered for as long as somebody holds them.
import type { Endpoint } from '../model/routing.ts'

export type Prepared<T> = (endpoints: readonly Endpoint[]) => T

/** `prepare` runs once an array, in the order in which the arrays are first seen. */
export function perEndpoints<T>(prepare: (endpoints: readonly Endpoint[]) => T): Prepared<T> {
  const known = new WeakMap<readonly Endpoint[], { readonly value: T }>()
  let latest: readonly Endpoint[] | undefined
  let latestValue: T | undefined

  function look(endpoints: readonly Endpoint[]): T {
    let entry = known.get(endpoints)
    if (entry === undefined) {
      entry = { value: prepare(endpoints) }
      known.set(endpoints, entry)
    }
    latest = endpoints
    latestValue = entry.value
    return entry.value
  }

  return (endpoints) => (endpoints === latest && latestValue !== undefined ? latestValue : look(endpoints))
}
