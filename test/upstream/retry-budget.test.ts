// However requests and retries come, retries stay within the share and the floor of the windows that they touch.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RetryBudget } from '../../src/upstream/retry-budget.ts'

const SETTINGS = { retryShare: 0.2, retryFloor: 3 }

test('the floor is there without requests, and again in the next window', () => {
  const budget = new RetryBudget(SETTINGS, 0)
  const granted = (now: number): number => Array.from({ length: 50 }, () => budget.take(now)).filter(Boolean).length
  expect([granted(0), granted(5000), granted(10_000), granted(15_000), granted(40_000)]).toEqual([3, 0, 0, 1, 3])
})

test('one of five requests may have a retry', () => {
  const budget = new RetryBudget(SETTINGS, 0)
  let granted = 0
  for (let i = 0; i < 1000; i++) {
    budget.requests++
    if (budget.take(i)) granted++
  }
  expect(granted).toBe(203)
})

test('a share of 0 and a floor of 0 mean none', () => {
  const budget = new RetryBudget({ retryShare: 0, retryFloor: 0 }, 0)
  budget.requests = 1e6
  expect(budget.take(1)).toBe(false)
})

test('of any run of requests, at most the share and the floor of each window begun', () => {
  const event = fc.record({ pause: fc.integer({ min: 0, max: 4000 }), requests: fc.integer({ min: 0, max: 40 }), retries: fc.integer({ min: 0, max: 40 }) })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const budget = new RetryBudget(SETTINGS, 0)
      let [now, requests, granted] = [0, 0, 0]
      for (const each of events) {
        now += each.pause
        requests += each.requests
        budget.requests += each.requests
        for (let i = 0; i < each.retries; i++) if (budget.take(now)) granted++
      }
      // The part of a window that fades is counted for both that it lies in.
      return granted <= 2 * requests * SETTINGS.retryShare + SETTINGS.retryFloor * (Math.floor(now / 10_000) + 1)
    }),
    { seed: 7 },
  )
})
