// twos (ip_vs_twos): two endpoints by chance, by weight, and of these the one with fewer requests in flight / weight; the first
// where they tie. O(log n) a pick. The two may be the same one, and the kernel draws from 0 to the sum of the weights, both
// included, which favours the first endpoint of the list by one part in that sum: kept, as it is defined so.
import { finished, inFlight, loadsOf, started } from './loads.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { endingAt, lengthOf, weightedLine } from './weighted-draw.ts'

export function twoChoices({ random, cells }: Pick<SchedulerState, 'random' | 'cells'>): Scheduler {
  const fleetFor = perEndpoints((endpoints) => ({ line: weightedLine(endpoints), loads: loadsOf(endpoints, cells) }))
  return {
    pick(endpoints, usable) {
      const { line, loads } = fleetFor(endpoints)
      const length = lengthOf(line, endpoints, usable)
      if (length === 0) return -1
      const first = endingAt(line, Math.floor(random() * (length + 1)), endpoints, usable)
      const second = endingAt(line, Math.floor(random() * (length + 1)), endpoints, usable)
      const firstWeight = endpoints[first]?.weight ?? 0
      const secondWeight = endpoints[second]?.weight ?? 0
      const better = secondWeight * inFlight(loads, first) > firstWeight * inFlight(loads, second) ? second : first
      started(loads, better)
      return better
    },
    finished: (endpoints, index) => finished(fleetFor(endpoints).loads, index),
  }
}
