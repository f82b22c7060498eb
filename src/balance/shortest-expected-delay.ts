// sed (ip_vs_sed): the lowest (requests in flight + 1) / weight, so the delay that this very request may expect there. Idle
// endpoints of a low weight wait until the others are as slow. O(n) a pick. Ties take turns by weight, see least.ts.
import { fleetOf, takeLeast } from './least.ts'
import { finished } from './loads.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'

export function shortestExpectedDelay({ cursor, cells }: Pick<SchedulerState, 'cursor' | 'cells'>): Scheduler {
  const fleetFor = perEndpoints((endpoints) => fleetOf(endpoints, cells, true))
  return {
    pick: (endpoints, usable) => takeLeast(fleetFor(endpoints), 1, cursor, usable),
    finished: (endpoints, index) => finished(fleetFor(endpoints).loads, index),
  }
}
