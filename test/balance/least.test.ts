// lc, wlc, sed, nq, ovf: sequences worked out by hand from ip_vs_{lc,wlc,sed,nq,ovf}.c. Requests stay in flight unless a test says else.
import { describe, expect, test } from 'vitest'
import { bench, tally, weighted } from './fixture.ts'

describe('as the kernel where nothing ties', () => {
  test.each([
    // 256 * 3, 1, 2: the lowest is B whatever the weights.
    ['lc', [1, 100, 1], [3, 1, 2], 'B'],
    // 1 B is drained.
    ['lc', [1, 0, 1], [3, 0, 2], 'C'],
    // 3/3, 1/1 would tie; 4/3 > 1/1.
    ['wlc', [3, 1], [4, 1], 'B'],
    // 2/3 < 1/1.
    ['wlc', [3, 1], [2, 1], 'A'],
    // (2+1)/4 < (0+1)/1: busy, but the quicker one.
    ['sed', [4, 1], [2, 0], 'A'],
    // (4+1)/4 > (0+1)/1.
    ['sed', [4, 1], [4, 0], 'B'],
    // B is idle, so its weight does not matter.
    ['nq', [4, 1], [1, 0], 'B'],
    // None idle: (1+1)/4 < (1+1)/1, as sed.
    ['nq', [4, 1], [1, 1], 'A'],
  ] as const)('%s, weights %j, in flight %j: %s', (name, weights, counts, expected) => {
    const scheduler = bench(name)
    const list = weighted(...weights)
    scheduler.busy(list, ...counts)
    expect(scheduler.sequence(list, 1)).toBe(expected)
  })

  test.each([
    // (c+1)/w: A 1/4; A 2/4; A 3/4; A 4/4 ties B 1/1, here B's turn; then A 4/4; A 5/4 < B 2/1.
    ['sed', [4, 1], 'AAA', 3],
    // 1: A 1/3 < B 1/1; 2: A 2/3 < 1. Then A 3/3 ties.
    ['sed', [3, 1], 'AA', 2],
  ] as const)('%s with weights %j begins %s', (name, weights, expected, count) => {
    expect(bench(name).sequence(weighted(...weights), count)).toBe(expected)
  })

  test('ovf fills the highest weight until it has more than its weight, then the next', () => {
    // B takes requests while its count is at most 2: three of them. A and C weigh 1: two each, A being first.
    const ovf = bench('ovf')
    const list = weighted(1, 2, 1)
    expect(ovf.sequence(list, 9)).toBe('BBBAACC--')
    ovf.scheduler.finished?.(list, 2, 1)
    expect(ovf.sequence(list, 2)).toBe('C-')
  })
})

describe('in the long run', () => {
  test.each([
    ['lc', [3, 2, 1], { A: 20, B: 20, C: 20 }],
    ['wlc', [3, 2, 1], { A: 30, B: 20, C: 10 }],
    ['sed', [3, 2, 1], { A: 30, B: 20, C: 10 }],
    ['nq', [3, 2, 1], { A: 30, B: 20, C: 10 }],
  ] as const)('%s with weights %j has in flight %j', (name, weights, expected) => {
    expect(tally(bench(name).sequence(weighted(...weights), 60))).toEqual(expected)
  })
})

describe('ties take turns', () => {
  const ten = weighted(...Array.from({ length: 10 }, () => 1))

  test.each(['lc', 'wlc', 'sed', 'nq'] as const)('%s: 100 requests one by one reach each of 10 endpoints 10 times', (name) => {
    expect(Object.values(tally(bench(name).oneByOne(ten, 100)))).toEqual(Array.from({ length: 10 }, () => 10))
  })

  test.each(['wlc', 'nq'] as const)('%s: when all are idle, in proportion to the weights', (name) => {
    const counts = tally(bench(name).oneByOne(weighted(3, 2, 0, 1), 600))
    expect(Object.keys(counts).sort()).toEqual(['A', 'B', 'D'])
    for (const [letter, share] of [['A', 300], ['B', 200], ['D', 100]] as const) expect(Math.abs((counts[letter] ?? 0) - share)).toBeLessThan(6)
  })

  test('weights that have no common divisor do not make blocks', () => {
    expect(Object.keys(tally(bench('wlc').oneByOne(weighted(100, 101, 99, 100), 12)))).toHaveLength(4)
  })

  test('sed leaves the lighter ones idle, as its formula says', () => {
    expect(bench('sed').oneByOne(weighted(2, 1, 2), 4)).toBe('ACAC')
  })
})

test('none to take, and only what may be used', () => {
  for (const name of ['lc', 'wlc', 'sed', 'nq', 'ovf'] as const) {
    const scheduler = bench(name)
    const list = weighted(1, 2, 0)
    expect([scheduler.sequence([], 1), scheduler.sequence(weighted(0), 1)]).toEqual(['-', '-'])
    expect(scheduler.scheduler.pick(list, () => false)).toBe(-1)
    expect(scheduler.scheduler.pick(list, ({ weight }) => weight === 1)).toBe(0)
  }
})

test('what is finished frees the endpoint, also after the array was replaced', () => {
  const lc = bench('lc')
  const before = weighted(1, 1)
  expect(lc.sequence(before, 2)).toBe('AB')
  const after = [...before, ...weighted(1, 1, 1).slice(2)]
  expect(lc.sequence(after, 1)).toBe('C')
  lc.scheduler.finished?.(before, 1, 1)
  expect(lc.sequence(after, 1)).toBe('B')
})
