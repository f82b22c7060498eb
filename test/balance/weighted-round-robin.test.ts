// wrr and fo: sequences worked out by hand from ip_vs_wrr.c and ip_vs_fo.c, and wrr against the kernel's loop as it is written.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { weightedSequence } from '../../src/balance/weighted-sequence.ts'
import { bench, endpoint, tally, weighted } from './fixture.ts'

test.each([
  // cw 4: A; 3: A B; 2: A B C; 1: A B C.
  [[4, 3, 2], 'AABABCABC'],
  // gcd 10, so cw 30: A; 20: A; 10: A B.
  [[30, 10], 'AAAB'],
  // cw 2: C; 1: A C. B is drained.
  [[1, 0, 2], 'CAC'],
  // All alike: one pass.
  [[7, 7, 7], 'ABC'],
  // cw 5: B; 4: B; 3: A B; 2: A B; 1: A B C.
  [[3, 5, 1], 'BBABABABC'],
])('weights %j give %s, again and again', (weights, expected) => {
  expect(bench('wrr').sequence(weighted(...weights), expected.length * 2)).toBe(expected + expected)
})

/** ip_vs_wrr_schedule, with its pass over the list as a for loop; `cl` -1 is the list's head. */
function kernelSequence(weights: readonly number[], count: number): number[] {
  const positive = weights.filter((weight) => weight > 0)
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
  const di = positive.reduce(gcd, 0) || 1
  const mw = Math.max(0, ...weights) - (di - 1)
  let cw = mw
  let cl = -1
  const taken: number[] = []
  while (taken.length < count) {
    let found = -1
    for (let i = cl + 1; i < weights.length && found === -1; i++) if ((weights[i] ?? 0) >= cw) found = i
    if (found === -1) {
      cl = -1
      cw -= di
      if (cw <= 0) cw = mw
    } else {
      cl = found
      taken.push(found)
    }
  }
  return taken
}

test('the sequence is the kernel\'s for any weights', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(6), fc.constantFrom(10, 20, 50, 100)), { minLength: 1, maxLength: 24 }), (weights) => {
      fc.pre(weights.some((weight) => weight > 0))
      const { period, at } = weightedSequence(weights)
      expect(Array.from({ length: period + 3 }, (_, i) => at(i % period))).toEqual(kernelSequence(weights, period + 3))
    }),
    { seed: 3, numRuns: 300 },
  )
})

test('any run of a period gives each exactly its share, wherever it begins', () => {
  const wrr = bench('wrr')
  wrr.sequence(weighted(5, 3, 2), 7)
  expect(tally(wrr.sequence(weighted(5, 3, 2), 10))).toEqual({ A: 5, B: 3, C: 2 })
})

test('the largest weights and many endpoints need neither time nor memory of their size', () => {
  const weights = Array.from({ length: 10_000 }, (_, i) => 65_535 - i)
  const { period, at } = weightedSequence(weights)
  expect(period).toBe(weights.reduce((a, b) => a + b))
  expect([at(0), at(1), at(2), at(period - 1)]).toEqual([0, 0, 1, 9999])
})

test('an endpoint that may not be used loses its turn, its neighbour gets no more than its own', () => {
  const wrr = bench('wrr')
  const list = weighted(1, 1, 1)
  const picks = Array.from({ length: 300 }, () => wrr.scheduler.pick(list, ({ id }) => id !== '10.0.0.2:80'))
  expect([picks.filter((pick) => pick === 0).length, picks.filter((pick) => pick === 2).length]).toEqual([150, 150])
})

test('a change of one weight changes the shares at once and leaves the others\' among themselves', () => {
  const wrr = bench('wrr')
  wrr.sequence(weighted(2, 2, 2), 5)
  expect(tally(wrr.sequence(weighted(1, 2, 2), 500))).toEqual({ A: 100, B: 200, C: 200 })
})

test('none to take', () => {
  expect([bench('wrr').sequence([], 1), bench('wrr').sequence(weighted(0, 0), 1)]).toEqual(['-', '-'])
  expect(bench('wrr').scheduler.pick(weighted(1, 2), () => false)).toBe(-1)
})

test('fo stays with the highest weight, the first of equals, and takes the next when that may not be used', () => {
  const list = weighted(1, 5, 5, 3)
  const fo = bench('fo')
  expect(fo.sequence(list, 3)).toBe('BBB')
  const without = (...ids: readonly number[]) => fo.scheduler.pick(list, ({ id }) => !ids.map((each) => endpoint(each).id).includes(id))
  expect([without(2), without(2, 3), without(2, 3, 4), without(1, 2, 3, 4)]).toEqual([2, 3, 0, -1])
  expect(fo.sequence(weighted(0, 0), 1)).toBe('-')
})
