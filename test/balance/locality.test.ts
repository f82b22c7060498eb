// lblc and lblcr: their rules worked out by hand from ip_vs_{lblc,lblcr}.c, with a clock that stands still.
import { describe, expect, test } from 'vitest'
import { CROWDED, localityTable } from '../../src/balance/locality-table.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { bench, tally, weighted } from './fixture.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const KEY = 7

describe('lblc', () => {
  test('a key stays where it is while it is idle, keys spread as by wlc', () => {
    const lblc = bench('lblc')
    const list = weighted(1, 1, 1)
    expect([1, 2, 3].map((key) => lblc.oneByOne(list, 3, key)).sort()).toEqual(['AAA', 'BBB', 'CCC'])
  })

  test('it moves when its endpoint has more in flight than its weight and another less than half of its own', () => {
    // Weights 2. A: 0, 1, 2 in flight: stays; 3 > 2 and B 0 * 2 < 2: moves to the least, B.
    const lblc = bench('lblc')
    const list = weighted(2, 2)
    const first = lblc.sequence(list, 3, KEY)
    expect(first).toMatch(/^(AAA|BBB)$/)
    const other = first[0] === 'A' ? 'B' : 'A'
    expect(lblc.sequence(list, 1, KEY)).toBe(other)
    // 3 and 1: the other one is at half its weight, so it isn't idle enough to come back to.
    expect(lblc.sequence(list, 2, KEY)).toBe(other + other)
  })

  test('overloaded, but none is idle enough: it stays', () => {
    const lblc = bench('lblc')
    const list = weighted(1, 1)
    lblc.sequence(list, 1, KEY)
    lblc.busy(list, 5, 1)
    expect(lblc.sequence(list, 2, KEY)).toMatch(/^(AA|BB)$/)
  })

  test('it moves when its endpoint is drained, gone or may not be used, and stays there afterwards', () => {
    const lblc = bench('lblc')
    const list = weighted(1, 1)
    const was = lblc.oneByOne(list, 1, KEY)
    const index = was === 'A' ? 0 : 1
    expect(lblc.scheduler.pick(list, ({ id }) => id !== list[index]?.id, KEY)).toBe(1 - index)
    lblc.scheduler.finished?.(list, 1 - index, 1)
    expect(lblc.oneByOne(list, 2, KEY)).toBe(was === 'A' ? 'BB' : 'AA')
    expect(lblc.oneByOne(list.map((each, i) => ({ ...each, weight: i === index ? 1 : 0 })), 1, KEY)).toBe(was)
    expect(lblc.oneByOne(list.slice(1 - index, 2 - index), 1, KEY)).toBe('A')
    expect([lblc.sequence([], 1, KEY), lblc.sequence(weighted(0), 1, KEY)]).toEqual(['-', '-'])
  })
})

describe('lblcr', () => {
  test('an overloaded key gets a further endpoint, and its least loaded one serves', () => {
    // Weights 2: three on the first, then the other joins: 0 in flight, twice until both are alike, then the last to join first.
    const lblcr = bench('lblcr')
    const list = weighted(2, 2, 0)
    const first = lblcr.sequence(list, 3, KEY)[0] ?? ''
    const other = first === 'A' ? 'B' : 'A'
    expect(lblcr.sequence(list, 5, KEY)).toBe(other + other + other + other + first)
  })

  test('a set that has not changed for the expiration time loses its most loaded member', () => {
    const lblcr = bench('lblcr', { options: { expiration: 10 * MINUTE } })
    const list = weighted(1, 1)
    const first = lblcr.sequence(list, 2, KEY)[0] ?? ''
    const other = first === 'A' ? 'B' : 'A'
    expect(lblcr.sequence(list, 1, KEY)).toBe(other)
    const index = first === 'A' ? 0 : 1
    lblcr.busy(list, index === 0 ? 4 : 1, index === 0 ? 1 : 4)
    return lblcr.clock.advance(10 * MINUTE + 1).then(() => {
      // This one still has its choice; then only the less loaded member is left, even where the other is idle.
      expect(lblcr.sequence(list, 1, KEY)).toBe(other)
      lblcr.busy(list, index === 0 ? 0 : 1, index === 0 ? 1 : 0)
      expect(lblcr.sequence(list, 1, KEY)).toBe(other)
    })
  })

  test('members that left are forgotten, drained ones passed over', () => {
    const lblcr = bench('lblcr')
    const list = weighted(1, 1)
    const was = lblcr.oneByOne(list, 1, KEY) === 'A' ? 0 : 1
    expect(lblcr.oneByOne(list.slice(1 - was, 2 - was), 1, KEY)).toBe('A')
    expect(lblcr.oneByOne(list.map((each, i) => ({ ...each, weight: i === was ? 1 : 0 })), 1, KEY)).toBe(was === 0 ? 'A' : 'B')
    expect([lblcr.sequence([], 1, KEY), lblcr.sequence(weighted(0), 1, KEY)]).toEqual(['-', '-'])
  })

  test('keys spread as by wlc', () => {
    const lblcr = bench('lblcr')
    const list = weighted(1, 1, 1, 1)
    expect(tally([1, 2, 3, 4].map((key) => lblcr.sequence(list, 1, key)).join(''))).toEqual({ A: 1, B: 1, C: 1, D: 1 })
  })
})

describe('what they remember', () => {
  test('an entry unused for a day goes at the next full check, every 30 minutes', async () => {
    const clock = fakeClock(0)
    const table = localityTable(clock, DAY)
    table.set(1, { lastUse: 0 })
    table.set(2, { lastUse: 0 })
    for (let minute = 0; minute < 25 * 60; minute++) {
      await clock.advance(MINUTE)
      table.get(2)
    }
    expect([table.size, table.get(1), table.get(2)]).toEqual([1, undefined, { lastUse: 25 * 60 * MINUTE }])
  })

  test('when crowded those unused for six minutes go, four thirds of the excess at a time', async () => {
    const clock = fakeClock(0)
    const table = localityTable(clock, DAY)
    for (let key = 0; key < CROWDED + 300; key++) table.set(key, { lastUse: 0 })
    await clock.advance(5 * MINUTE)
    table.get(0)
    expect(table.size).toBe(CROWDED + 300)
    await clock.advance(MINUTE)
    table.get(0)
    expect(table.size).toBe(CROWDED - 100)
    expect(table.get(0)).toBeDefined()
  })

  test('never more than twice the crowd: then the oldest goes', () => {
    const table = localityTable(fakeClock(0), DAY)
    for (let key = 0; key < 2 * CROWDED + 5; key++) table.set(key, { lastUse: 0 })
    expect([table.size, table.get(4), table.get(5)]).toEqual([2 * CROWDED, undefined, { lastUse: 0 }])
  })
})
