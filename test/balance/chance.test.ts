// twos, ewma, random: with the numbers that chance gives in the test's hands, worked out from ip_vs_twos.c and ewma.lua.
import { describe, expect, test } from 'vitest'
import { bench, endpoint, seeded, tally, weighted } from './fixture.ts'

/** These numbers, again and again. */
function drawn(...numbers: readonly number[]): () => number {
  let next = 0
  return () => numbers[next++ % numbers.length] ?? 0
}

describe('twos', () => {
  test.each([
    // Sum 4, so draws of 0 to 4. 0 and 1 end at A (1), 2 to 4 at B (4).
    ['both A', [0, 0.39], [0, 0], 'A'],
    ['A and B, idle: the first drawn', [0, 0.99], [0, 0], 'A'],
    ['B and A, idle: the first drawn', [0.99, 0], [0, 0], 'B'],
    // 3 * 1 > 1 * 2: B has less per weight.
    ['A and B, 1 and 2 in flight', [0, 0.99], [1, 2], 'B'],
    // 3 * 1 > 1 * 3 does not hold: a tie.
    ['A and B, 1 and 3 in flight', [0, 0.99], [1, 3], 'A'],
    ['B and A, 4 and 1 in flight', [0.99, 0], [1, 4], 'A'],
    // 2 / 5 of the draws is exactly 2, which is B's.
    ['the border', [0.4, 0.4], [0, 0], 'B'],
  ])('%s', (_, numbers, counts, expected) => {
    const twos = bench('twos', { random: drawn(...numbers) })
    const list = weighted(1, 3)
    twos.busy(list, ...counts)
    expect(twos.sequence(list, 1)).toBe(expected)
  })

  test('what may not be used is left out of the draw', () => {
    const twos = bench('twos', { random: drawn(0, 0.5, 0.99) })
    for (let i = 0; i < 6; i++) expect(twos.scheduler.pick(weighted(1, 2, 0, 1), ({ id }) => id === '10.0.0.2:80')).toBe(1)
    expect([bench('twos').sequence([], 1), bench('twos').sequence(weighted(0), 1)]).toEqual(['-', '-'])
    expect(bench('twos').scheduler.pick(weighted(1), () => false)).toBe(-1)
  })

  test('keeps the longest queue far shorter than chance does', () => {
    const list = Array.from({ length: 100 }, (_, i) => endpoint(i + 1))
    const longest = (name: 'twos' | 'random'): number => Math.max(...Object.values(tally(bench(name).sequence(list, 10_000))))
    expect(longest('twos')).toBeLessThan(105)
    expect(longest('random')).toBeGreaterThan(120)
  })
})

describe('ewma', () => {
  test('two different endpoints are drawn, the faster one is taken', () => {
    // Of three: floor(0 * 3) = A; floor(0.99 * 2) = 1, which is C since A is passed over.
    const ewma = bench('ewma', { random: drawn(0, 0.99) })
    const list = weighted(1, 1, 1)
    ewma.scheduler.finished?.(list, 0, 50)
    ewma.scheduler.finished?.(list, 2, 20)
    expect(ewma.sequence(list, 1)).toBe('C')
    // 20 ms that become 20 + (80 - 20) * 0 right now: no time has passed since.
    ewma.scheduler.finished?.(list, 2, 80)
    expect(ewma.sequence(list, 1)).toBe('C')
  })

  test('the average fades in 10 s: left e^-1, and a new sample weighs 1 - e^-1', async () => {
    const ewma = bench('ewma', { random: drawn(0, 0) })
    const list = weighted(1, 1)
    const cells = list.map(({ id }) => ewma.cells.of(id))
    ewma.scheduler.finished?.(list, 0, 100)
    await ewma.clock.advance(10_000)
    ewma.scheduler.finished?.(list, 0, 20)
    // 100,000 us / e + 20,000 * (1 - 1 / e).
    expect(cells[0]?.shared[1]).toBe(Math.round(100_000 / Math.E + 20_000 * (1 - 1 / Math.E)))
    // 49.43 ms against 40 ms of now, and against 40 ms of 10 s ago, which are 14.7.
    ewma.scheduler.finished?.(list, 1, 40)
    expect(ewma.sequence(list, 1)).toBe('B')
    await ewma.clock.advance(30_000)
    ewma.scheduler.finished?.(list, 1, 40)
    expect(ewma.sequence(list, 1)).toBe('A')
  })

  test('a new endpoint starts from the average of those that are known', () => {
    const ewma = bench('ewma', { random: drawn(0, 0) })
    const list = weighted(1, 1, 1)
    ewma.oneByOne(list, 1)
    ewma.scheduler.finished?.(list, 0, 30)
    ewma.scheduler.finished?.(list, 1, 50)
    ewma.sequence([...list, endpoint(9)], 1)
    const { shared, index } = ewma.cells.of(endpoint(9).id)
    // A after its 1 ms and 30 ms at the same moment has 1 ms, B 50 ms, C was never asked.
    expect(shared[index + 1]).toBe((1000 + 50_000) / 2)
  })

  test('a failure is no sample', () => {
    const ewma = bench('ewma')
    const list = weighted(1, 1)
    ewma.scheduler.finished?.(list, 0, -1)
    expect([...(ewma.cells.of(list[0]?.id ?? '').shared)].every((value) => value === 0)).toBe(true)
  })

  test('a slow endpoint gets fewer requests, but is tried again', async () => {
    const ewma = bench('ewma')
    const list = weighted(1, 1, 1, 1)
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 2000; i++) {
      const index = ewma.scheduler.pick(list)
      counts[index] = (counts[index] ?? 0) + 1
      await ewma.clock.advance(20)
      ewma.scheduler.finished?.(list, index, index === 0 ? 200 : 10)
    }
    expect(counts[0]).toBeGreaterThan(0)
    expect(counts[0]).toBeLessThan(Math.min(...counts.slice(1)) / 4)
  })

  test('none to take, one to take, and only what may be used', () => {
    expect([bench('ewma').sequence([], 1), bench('ewma').sequence(weighted(0), 1), bench('ewma').sequence(weighted(0, 1), 2)]).toEqual(['-', '-', 'BB'])
    expect(bench('ewma').scheduler.pick(weighted(1, 1), () => false)).toBe(-1)
    expect(bench('ewma').scheduler.pick(weighted(1, 1, 0), ({ id }) => id !== '10.0.0.1:80')).toBe(1)
  })
})

test('random: each as long as its weight', () => {
  const list = weighted(1, 0, 3)
  expect(bench('random', { random: drawn(0, 0.249, 0.25, 0.999) }).sequence(list, 4)).toBe('AACC')
  expect(bench('random', { random: drawn(0.99) }).scheduler.pick(list, ({ id }) => id === '10.0.0.1:80')).toBe(0)
  expect([bench('random').sequence([], 1), bench('random').sequence(weighted(0), 1)]).toEqual(['-', '-'])
  expect(seeded(1)()).toBe(seeded(1)())
})
