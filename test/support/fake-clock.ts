// A clock that stands still until a test moves it; timers run in the order in which they are due.
import type { Clock } from '../../src/base/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time on, running what is due on the way, and lets promises settle after each. */
  advance(ms: number): Promise<void>
  /** Timers that are set. */
  readonly pending: number
}

export function fakeClock(start = 0): FakeClock {
  let now = start
  let timers: { readonly at: number; readonly call: () => void }[] = []
  return {
    now: () => now,
    after(ms, call) {
      const timer = { at: now + ms, call }
      timers.push(timer)
      return () => {
        timers = timers.filter((each) => each !== timer)
      }
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        timers = timers.filter((each) => each !== next)
        now = Math.max(now, next.at)
        next.call()
        await new Promise(setImmediate)
      }
      now = end
    },
    get pending() {
      return timers.length
    },
  }
}
