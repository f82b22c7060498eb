// rr: each endpoint in turn (ip_vs_rr), one sequence per backend over all threads. O(1) a pick while all are usable.
// Weight 0 is drained, as everywhere in IPVS.
import type { Endpoint } from '../model/routing.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'

export function roundRobin({ cursor }: Pick<SchedulerState, 'cursor'>): Scheduler {
  return {
    pick(endpoints, usable) {
      const count = endpoints.length
      if (count === 0) return -1
      const first = cursor.next() % count
      let index = first
      do {
        if (mayTake(endpoints[index], usable)) return index
        index = index + 1 === count ? 0 : index + 1
      } while (index !== first)
      return -1
    },
  }
}

function mayTake(endpoint: Endpoint | undefined, usable: ((endpoint: Endpoint) => boolean) | undefined): boolean {
  return endpoint !== undefined && endpoint.weight > 0 && (usable === undefined || usable(endpoint))
}
