// lblc (ip_vs_lblc): each key (what is asked for: the host, unless a hash key says else) stays with one endpoint, chosen as by wlc
// when it is first seen, until that one may not be used any more, or has more requests in flight than its weight while
// another has fewer than half of its own. Good for caches. O(1) a pick while it stays, else O(n).
import type { Endpoint } from '../model/routing.ts'
import { fleetOf, takeLeast, type Fleet } from './least.ts'
import { finished, inFlight, started } from './loads.ts'
import { DEFAULT_EXPIRATION, localityTable, type LocalityEntry } from './locality-table.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { mayTake } from './turns.ts'

interface Entry extends LocalityEntry {
  endpointId: string
}

export interface Locality {
  readonly fleet: Fleet
  readonly indexOf: ReadonlyMap<string, number>
}

export function localityOf(endpoints: readonly Endpoint[], cells: SchedulerState['cells']): Locality {
  return { fleet: fleetOf(endpoints, cells, true), indexOf: new Map(endpoints.map(({ id }, index) => [id, index])) }
}

export function localityBased({ cursor, cells, clock, options }: Omit<SchedulerState, 'random'>): Scheduler {
  const localityFor = perEndpoints((endpoints) => localityOf(endpoints, cells))
  const table = localityTable<Entry>(clock, options?.expiration ?? DEFAULT_EXPIRATION)
  return {
    pick(endpoints, usable, key = 0) {
      const { fleet, indexOf } = localityFor(endpoints)
      const entry = table.get(key)
      if (entry !== undefined) {
        const index = indexOf.get(entry.endpointId) ?? -1
        if (mayTake(endpoints, index, usable) && !isOverloaded(fleet, index)) {
          started(fleet.loads, index)
          return index
        }
      }
      const index = takeLeast(fleet, 0, cursor, usable)
      const endpointId = endpoints[index]?.id
      if (endpointId === undefined) return -1
      if (entry === undefined) table.set(key, { endpointId, lastUse: clock.now() })
      else entry.endpointId = endpointId
      return index
    },
    finished: (endpoints, index) => finished(localityFor(endpoints).fleet.loads, index),
  }
}

/** Its requests in flight exceed its weight, and another has fewer than half of its own weight. */
export function isOverloaded({ endpoints, loads }: Fleet, index: number): boolean {
  if (inFlight(loads, index) <= (endpoints[index]?.weight ?? 0)) return false
  for (let i = 0; i < endpoints.length; i++) if (inFlight(loads, i) * 2 < (endpoints[i]?.weight ?? 0)) return true
  return false
}
