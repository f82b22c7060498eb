// dh (ip_vs_dh): the endpoint that the hash of what is asked for (the host, unless a hash key says else) has in a table of 256
// places, dealt to the endpoints in turn, whatever their weights. If that one is drained or may not be used there is none
// (-1), as in the kernel, which knows no fallback here. Endpoints beyond the 256th get no place. O(1) a pick.
// When an endpoint goes the table is dealt anew and most keys move: mh moves few.
import { hash32 } from './hash.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler } from './scheduler.ts'
import { mayTake } from './turns.ts'

const TABLE_BITS = 8

export function destinationHash(): Scheduler {
  const tableOf = perEndpoints((endpoints) => Int32Array.from({ length: 1 << TABLE_BITS }, (_, i) => (endpoints.length === 0 ? -1 : i % endpoints.length)))
  return {
    pick(endpoints, usable, key = 0) {
      const index = tableOf(endpoints)[hash32(key, TABLE_BITS)] ?? -1
      return mayTake(endpoints, index, usable) ? index : -1
    },
  }
}
