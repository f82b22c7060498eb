// rr (ip_vs_rr): each endpoint in turn, one sequence per backend over all threads, whatever the weights; weight 0 is drained.
// O(1) a pick. Any k picks in a row, over all threads together, give each of n endpoints k/n rounded up or down while the
// endpoints stay the same. After a change the sequence goes on from the same number, over the new endpoints.
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { mayTake, nextUsable, undrained } from './turns.ts'

export function roundRobin({ cursor }: Pick<SchedulerState, 'cursor'>): Scheduler {
  const turnsOf = perEndpoints(undrained)
  return {
    pick(endpoints, usable) {
      const turns = turnsOf(endpoints)
      const count = turns.length
      if (count === 0) return -1
      if (usable === undefined) return turns[cursor.next() % count] ?? -1
      // Each endpoint passed over uses up its number, or its successor would get its share.
      let turn = 0
      for (let tries = 0; tries < count; tries++) {
        turn = cursor.next() % count
        const index = turns[turn] ?? -1
        if (mayTake(endpoints, index, usable)) return index
      }
      // Other threads took numbers in between.
      return nextUsable(endpoints, turns, turn, usable)
    },
  }
}
