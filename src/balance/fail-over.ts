// fo (ip_vs_fo): the endpoint of the highest weight, the next one only when that may not be used. O(1) a pick.
// Of equal weights the first of the list, as in the kernel: one endpoint does all the work, the others stand by.
import { byWeight } from './by-weight.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler } from './scheduler.ts'
import { nextUsable } from './turns.ts'

export function failOver(): Scheduler {
  const orderOf = perEndpoints(byWeight)
  return {
    pick: (endpoints, usable) => nextUsable(endpoints, orderOf(endpoints), 0, usable),
  }
}
