// nq (ip_vs_nq): an idle endpoint if there is one, whatever its weight; else as sed. O(n) a pick.
// The kernel takes the first idle one of the list; here the idle ones take turns by weight, see least.ts.
import { fleetOf, takeIdle, takeLeast } from './least.ts'
import { finished } from './loads.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'

export function neverQueue({ cursor, cells }: Pick<SchedulerState, 'cursor' | 'cells'>): Scheduler {
  const fleetFor = perEndpoints((endpoints) => fleetOf(endpoints, cells, true))
  return {
    pick(endpoints, usable) {
      const fleet = fleetFor(endpoints)
      const idle = takeIdle(fleet, cursor, usable)
      return idle === -1 ? takeLeast(fleet, 1, cursor, usable) : idle
    },
    finished: (endpoints, index) => finished(fleetFor(endpoints).loads, index),
  }
}
