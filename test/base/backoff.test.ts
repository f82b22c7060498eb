import { expect, test } from 'vitest'
import { createBackoff } from '../../src/base/backoff.ts'

test('doubles up to the bound and begins anew after a success', () => {
  const backoff = createBackoff(100, 500, () => 1)
  expect(Array.from({ length: 5 }, () => backoff.next())).toEqual([100, 200, 400, 500, 500])
  backoff.reset()
  expect(backoff.next()).toBe(100)
})

test('waits at least half of the step', () => {
  expect(createBackoff(100, 500, () => 0).next()).toBe(50)
})
