// What holds for every scheduler: never a drained endpoint nor one that may not be used, always one that may; and shares as the weights.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressKey, textKey } from '../../src/balance/hash.ts'
import type { Endpoint } from '../../src/model/routing.ts'
import { isCounting, keyedBy, SCHEDULERS, type Scheduler } from '../../src/model/scheduler.ts'
import { bench, endpoint, seeded, weighted } from './fixture.ts'

/** Those that by their definition may find none although there is one. */
const MAY_FIND_NONE: readonly Scheduler[] = ['dh', 'sh', 'mh', 'ovf']

describe.each(SCHEDULERS)('%s', (name) => {
  test('never a drained endpoint nor one that may not be used, over changing endpoints', () => {
    const step = fc.record({
      shape: fc.array(fc.tuple(fc.nat(60), fc.nat(4), fc.boolean()), { maxLength: 12 }),
      keys: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
      choosy: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.nat(), (steps, seed) => {
        const { scheduler } = bench(name, { random: seeded(seed) })
        const open: (() => void)[] = []
        for (const { shape, keys, choosy } of steps) {
          const unique = [...new Map(shape.map((each) => [each[0], each]))].map(([, each]) => each)
          const list = unique.map(([number, weight]) => endpoint(number + 1, weight))
          const usable = (each: Endpoint): boolean => unique[list.indexOf(each)]?.[2] ?? false
          const may = list.map((each) => each.weight > 0 && (!choosy || usable(each)))
          for (const key of keys) {
            const index = scheduler.pick(list, choosy ? usable : undefined, key)
            if (index === -1) expect(may.includes(true) && !MAY_FIND_NONE.includes(name)).toBe(false)
            else {
              expect(may[index]).toBe(true)
              open.push(() => scheduler.finished?.(list, index, key % 100))
            }
          }
          if (seed % 2 === 0) for (const close of open.splice(0, 3)) close()
        }
      }),
      { seed: 21, numRuns: 150 },
    )
  })

  test('an older array of endpoints still gives its own indices', () => {
    const { scheduler } = bench(name)
    const before = Array.from({ length: 5 }, (_, i) => endpoint(i + 1))
    const after = [endpoint(9)]
    for (let i = 0; i < 20; i++) {
      expect(scheduler.pick(after, undefined, i)).toBe(name === 'ovf' && i > 1 ? -1 : 0)
      expect(scheduler.pick(before, ({ id }) => id !== before[0]?.id, i)).not.toBe(0)
    }
  })
})

/** 99.9 % quantile of chi-square with 4 degrees of freedom. */
const LARGEST_CHI_SQUARE = 18.47

describe('shares are as the weights (chi-square, at 0.1 %)', () => {
  const weights = [5, 3, 0, 2, 1, 4]
  const list = weighted(...weights)

  function chiSquare(name: Scheduler, requests: number, shares: readonly number[], oneByOne = false): number {
    const { scheduler } = bench(name, { random: seeded(4), options: { tableSize: 65_521 } })
    const counts = shares.map(() => 0)
    for (let i = 0; i < requests; i++) {
      const index = scheduler.pick(list, undefined, textKey(`key-${i}`))
      counts[index] = (counts[index] ?? 0) + 1
      if (oneByOne) scheduler.finished?.(list, index, 1)
    }
    const total = shares.reduce((a, b) => a + b)
    return shares.reduce((sum, share, i) => {
      const expected = (requests * share) / total
      return share === 0 ? sum + (counts[i] ?? 0) * 1e9 : sum + ((counts[i] ?? 0) - expected) ** 2 / expected
    }, 0)
  }

  test.each(['wrr', 'wlc', 'sed', 'nq', 'mh', 'random'] as const)('%s', (name) => {
    expect(chiSquare(name, 6000, weights)).toBeLessThan(LARGEST_CHI_SQUARE)
  })

  test('wlc one by one', () => {
    expect(chiSquare('wlc', 6000, weights, true)).toBeLessThan(LARGEST_CHI_SQUARE)
  })

  test('twos one by one, where it is a draw by weight with 0 counted for the first', () => {
    expect(chiSquare('twos', 6000, [6, 3, 0, 2, 1, 4], true)).toBeLessThan(LARGEST_CHI_SQUARE)
  })

  test.each(['rr', 'lc', 'ewma'] as const)('%s: evenly, it knows no weights', (name) => {
    expect(chiSquare(name, 6000, [1, 1, 0, 1, 1, 1])).toBeLessThan(LARGEST_CHI_SQUARE)
  })

  test('sh: by the places dealt, 256 in rounds of 16 with one for the drained', () => {
    // 256 = 16 rounds of 5 + 3 + 1 + 2 + 1 + 4: exact. Keys of the drained find none.
    const { scheduler } = bench('sh')
    const counts = [0, 0, 0, 0, 0, 0, 0]
    for (let i = 0; i < 16_000; i++) counts[scheduler.pick(list, undefined, addressKey(`10.${i >> 12}.${(i >> 6) & 63}.${i & 63}`)) + 1]!++
    const expected = [1, 5, 3, 0, 2, 1, 4].map((places) => places * 1000)
    for (const [i, count] of counts.entries()) expect(Math.abs(count - (expected[i] ?? 0))).toBeLessThan(150)
  })
})

test('a key is asked of the schedulers that hash, and only of them', () => {
  expect(SCHEDULERS.filter((name) => keyedBy(name) === 'destination')).toEqual(['lblc', 'lblcr', 'dh'])
  expect(SCHEDULERS.filter((name) => keyedBy(name) === 'source')).toEqual(['sh', 'mh'])
})

test('those that count say when it is over, and only those', () => {
  expect(SCHEDULERS.filter(isCounting)).toEqual(SCHEDULERS.filter((name) => bench(name).scheduler.finished !== undefined))
})
