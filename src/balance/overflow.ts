// ovf (ip_vs_ovf): the endpoint of the highest weight while its requests in flight do not exceed its weight, then the next. If
// all exceed theirs there is none to pick (-1), as in the kernel. Of equal weights the first of the list: it fills one
// endpoint before it touches another, which is what it is for. O(endpoints that are full).
import { byWeight } from './by-weight.ts'
import { finished, inFlight, loadsOf, startedUnlessChanged } from './loads.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { mayTake } from './turns.ts'

export function overflow({ cells }: Pick<SchedulerState, 'cells'>): Scheduler {
  const fleetFor = perEndpoints((endpoints) => ({ order: byWeight(endpoints), loads: loadsOf(endpoints, cells) }))
  return {
    pick(endpoints, usable) {
      const { order, loads } = fleetFor(endpoints)
      for (let i = 0; i < order.length; i++) {
        const index = order[i] ?? -1
        const endpoint = endpoints[index]
        if (endpoint === undefined || !mayTake(endpoints, index, usable)) continue
        for (let seen = inFlight(loads, index); seen <= endpoint.weight; seen = inFlight(loads, index)) {
          if (startedUnlessChanged(loads, index, seen)) return index
        }
      }
      return -1
    },
    finished: (endpoints, index) => finished(fleetFor(endpoints).loads, index),
  }
}
