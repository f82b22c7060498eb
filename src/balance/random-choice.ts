// random: chance, in proportion to the weights. Not of IPVS. O(log n) a pick.
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { endingAt, lengthOf, weightedLine } from './weighted-draw.ts'

export function randomChoice({ random }: Pick<SchedulerState, 'random'>): Scheduler {
  const lineOf = perEndpoints(weightedLine)
  return {
    pick(endpoints, usable) {
      const line = lineOf(endpoints)
      const length = lengthOf(line, endpoints, usable)
      return length === 0 ? -1 : endingAt(line, 1 + Math.floor(random() * length), endpoints, usable)
    },
  }
}
