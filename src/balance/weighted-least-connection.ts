// wlc (ip_vs_wlc): the lowest requests in flight / weight. O(n) a pick. Ties take turns by weight, see least.ts.
import { fleetOf, takeLeast } from './least.ts'
import { finished } from './loads.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'

export function weightedLeastConnection({ cursor, cells }: Pick<SchedulerState, 'cursor' | 'cells'>): Scheduler {
  const fleetFor = perEndpoints((endpoints) => fleetOf(endpoints, cells, true))
  return {
    pick: (endpoints, usable) => takeLeast(fleetFor(endpoints), 0, cursor, usable),
    finished: (endpoints, index) => finished(fleetFor(endpoints).loads, index),
  }
}
