// sh (ip_vs_sh): the endpoint that the hash of the client's address has in a table of 256 places, of which each endpoint in turn gets
// as many as its weight (a drained one still gets one, as in the kernel). O(1) a pick.
// If that one may not be used there is none (-1); with fallback (sh-fallback) other places are tried, so that the clients of
// an endpoint spread over the others. sh-port is a matter of the key. Weights that sum to more than 256 starve the last of the
// list, and when an endpoint goes the table is dealt anew and most clients move: mh has neither trouble.
import type { Endpoint } from '../model/routing.ts'
import { hash32 } from './hash.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { mayTake, type Usable } from './turns.ts'

const TABLE_BITS = 8
const TABLE_SIZE = 1 << TABLE_BITS

export function sourceHash({ options }: Pick<SchedulerState, 'options'>): Scheduler {
  const tableOf = perEndpoints(deal)
  const fallback = options?.fallback === true
  return {
    pick(endpoints, usable, key = 0) {
      const table = tableOf(endpoints)
      const place = hash32(key, TABLE_BITS)
      const index = table[place] ?? -1
      if (mayTake(endpoints, index, usable)) return index
      return fallback ? another(table, place, endpoints, usable) : -1
    },
  }
}

function deal(endpoints: readonly Endpoint[]): Int32Array {
  const table = new Int32Array(TABLE_SIZE).fill(-1)
  if (endpoints.length === 0) return table
  let index = 0
  let dealt = 0
  for (let place = 0; place < TABLE_SIZE; place++) {
    table[place] = index
    if (++dealt < (endpoints[index]?.weight ?? 0)) continue
    dealt = 0
    index = index + 1 === endpoints.length ? 0 : index + 1
  }
  return table
}

/** The kernel adds the offset to the hash, and begins with the offset that equals it. */
function another(table: Int32Array, place: number, endpoints: readonly Endpoint[], usable: Usable): number {
  for (let offset = 0; offset < TABLE_SIZE; offset++) {
    const index = table[(((offset + place) % TABLE_SIZE) + place) % TABLE_SIZE] ?? -1
    if (mayTake(endpoints, index, usable)) return index
  }
  return -1
}
