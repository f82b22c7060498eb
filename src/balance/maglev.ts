// mh (ip_vs_mh): the endpoint that the hash of the client's address (or of a hash key) has in a Maglev table: shares follow the
// weights, and when an endpoint goes hardly any other key moves. O(1) a pick; a change of the endpoints costs the table's size.
// A drained endpoint keeps the places of its last weight, so that nothing moves until it is gone: its keys find none (-1), or with
// fallback (mh-fallback) another. mh-port is a matter of the key.
// With a subset size the table holds groups of endpoints (upstream-hash-by-subset of ingress-nginx).
import type { Endpoint } from '../model/routing.ts'
import { addressKey } from './hash.ts'
import { hashSubset } from './hash-subset.ts'
import { DEFAULT_MAGLEV_SIZE, maglevPlace, maglevTable } from './maglev-table.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { mayTake, type Usable } from './turns.ts'

export function maglev(state: Pick<SchedulerState, 'options' | 'random'>): Scheduler {
  const { fallback = false, tableSize = DEFAULT_MAGLEV_SIZE, subsetSize = 0 } = state.options ?? {}
  if (subsetSize > 0) return hashSubset(subsetSize, tableSize, state.random)
  const lastWeights = rememberWeights()
  const tableOf = perEndpoints((endpoints) =>
    maglevTable(
      lastWeights(endpoints).map((weight, i) => ({ key: endpointKey(endpoints[i]), weight })),
      tableSize,
    ),
  )
  return {
    pick(endpoints, usable, key = 0) {
      const table = tableOf(endpoints)
      const place = maglevPlace(key, 0, table.length)
      const index = table[place] ?? -1
      if (mayTake(endpoints, index, usable)) return index
      return fallback && index !== -1 ? another(table, place, key, endpoints, usable) : -1
    },
  }
}

function endpointKey(endpoint: Endpoint | undefined): number {
  return endpoint === undefined ? 0 : addressKey(endpoint.address, endpoint.port)
}

/** Hashes the key again with each offset, from the place's own number on, as the kernel does. */
function another(table: Int32Array, place: number, key: number, endpoints: readonly Endpoint[], usable: Usable): number {
  if (!endpoints.some((_, index) => mayTake(endpoints, index, usable))) return -1
  for (let offset = 0; offset < table.length; offset++) {
    const index = table[maglevPlace(key, (offset + place) % table.length, table.length)] ?? -1
    if (mayTake(endpoints, index, usable)) return index
  }
  return -1
}

/** The weight of each endpoint, or where that is 0 the last one that it had. */
function rememberWeights(): (endpoints: readonly Endpoint[]) => number[] {
  let before: ReadonlyMap<string, number> = new Map()
  return (endpoints) => {
    const weights = endpoints.map(({ id, weight }) => (weight > 0 ? weight : (before.get(id) ?? 0)))
    before = new Map(endpoints.map(({ id }, i) => [id, weights[i] ?? 0]))
    return weights
  }
}
