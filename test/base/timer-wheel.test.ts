import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Timer, TimerWheel } from '../../src/base/timer-wheel.ts'
import { fakeClock } from '../support/fake-clock.ts'

it('fires once, never early and at most three ticks late', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 250_000 }), fc.integer({ min: 0, max: 99 }), async (ms, offset) => {
      const clock = fakeClock(1_700_000_000_000 + offset)
      const wheel = new TimerWheel(clock)
      const fired: number[] = []
      const timer = new Timer(wheel, { timedOut: () => fired.push(clock.now()) })
      const start = clock.now()
      timer.set(ms)
      // In steps that a busy thread might take.
      while (clock.now() < start + ms + 400) await clock.advance(ms > 5000 ? 5000 : 50)
      await clock.advance(5000)
      expect(fired.length).toBe(1)
      expect((fired[0] ?? 0) - start).toBeGreaterThanOrEqual(ms)
      expect((fired[0] ?? 0) - start).toBeLessThanOrEqual(ms + 3 * wheel.tick)
      wheel.stop()
    }),
    { seed: 1, numRuns: 20 },
  )
})

it('follows a deadline that moves, either way, and forgets one that is cleared', async () => {
  const clock = fakeClock(1000)
  const wheel = new TimerWheel(clock)
  let fired = 0
  const timer = new Timer(wheel, { timedOut: () => fired++ })
  timer.set(1000)
  await clock.advance(900)
  timer.set(1000)
  await clock.advance(900)
  expect(fired).toBe(0)
  timer.set(200)
  await clock.advance(400)
  expect(fired).toBe(1)
  timer.set(500)
  timer.clear()
  await clock.advance(2000)
  timer.set(500)
  timer.drop()
  await clock.advance(2000)
  expect(fired).toBe(1)
  wheel.stop()
})

it('lets a timer drop others that are due in the same tick', async () => {
  const clock = fakeClock(1000)
  const wheel = new TimerWheel(clock)
  const timers: Timer[] = []
  let fired = 0
  for (let i = 0; i < 10; i++) {
    timers.push(
      new Timer(wheel, {
        timedOut() {
          fired++
          for (const timer of timers) timer.drop()
        },
      }),
    )
  }
  for (const timer of timers) timer.set(100)
  await clock.advance(1000)
  expect(fired).toBe(1)
  wheel.stop()
})

it('sets again from within its own call', async () => {
  const clock = fakeClock(0)
  const wheel = new TimerWheel(clock)
  let fired = 0
  const timer: Timer = new Timer(wheel, {
    timedOut() {
      fired++
      timer.set(100)
    },
  })
  timer.set(100)
  await clock.advance(1000)
  expect(fired).toBeGreaterThanOrEqual(4)
  wheel.stop()
})

it('does not count a pause of the whole thread', async () => {
  let now = 0
  let tick = (): void => undefined
  const wheel = new TimerWheel({
    now: () => now,
    after(_ms, call) {
      tick = call
      return () => undefined
    },
  })
  let fired = 0
  const timer = new Timer(wheel, { timedOut: () => fired++ })
  timer.set(1000)
  now += 60_000
  tick()
  expect(fired).toBe(0)
  for (let i = 0; i < 12; i++) {
    now += 100
    tick()
  }
  expect(fired).toBe(1)
  now -= 3_600_000
  timer.set(1000)
  for (let i = 0; i < 14; i++) {
    tick()
    now += 100
  }
  expect(fired).toBe(2)
})
