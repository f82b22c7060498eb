// lc (ip_vs_lc): the fewest requests in flight; weights count only as zero or not. O(n) a pick. Ties take turns, see least.ts.
import { fleetOf, takeLeast } from './least.ts'
import { finished } from './loads.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'

export function leastConnection({ cursor, cells }: Pick<SchedulerState, 'cursor' | 'cells'>): Scheduler {
  const fleetFor = perEndpoints((endpoints) => fleetOf(endpoints, cells, false))
  return {
    pick: (endpoints, usable) => takeLeast(fleetFor(endpoints), 0, cursor, usable),
    finished: (endpoints, index) => finished(fleetFor(endpoints).loads, index),
  }
}
