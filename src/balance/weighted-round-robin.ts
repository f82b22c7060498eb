// wrr (ip_vs_wrr): in turn, each as often as its weight says, in the kernel's order. O(log n) a pick.
// All threads take their positions from one counter: any run of one period (sum of weights / their gcd) gives each endpoint
// exactly weight / gcd picks, over all threads together. When weights or endpoints change the counter goes on, in the new
// sequence: nobody's share before or after is touched, but the order starts at an arbitrary place of the new period,
// where the kernel starts at the head of the list. While threads change over, each follows the sequence that it knows.
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { mayTake, nextUsable, undrained } from './turns.ts'
import { weightedSequence } from './weighted-sequence.ts'

export function weightedRoundRobin({ cursor }: Pick<SchedulerState, 'cursor'>): Scheduler {
  const sequenceOf = perEndpoints((endpoints) => ({
    sequence: weightedSequence(endpoints.map(({ weight }) => weight)),
    turns: undrained(endpoints),
  }))
  return {
    pick(endpoints, usable) {
      const { sequence, turns } = sequenceOf(endpoints)
      if (sequence.period === 0) return -1
      const index = sequence.at(cursor.next() % sequence.period)
      if (usable === undefined || mayTake(endpoints, index, usable)) return index
      // As the kernel passes over the overloaded: their positions are used up.
      for (let tries = turns.length; tries > 0; tries--) {
        const next = sequence.at(cursor.next() % sequence.period)
        if (mayTake(endpoints, next, usable)) return next
      }
      return nextUsable(endpoints, turns, cursor.next() % turns.length, usable)
    },
  }
}
