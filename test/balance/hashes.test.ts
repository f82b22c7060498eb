// dh, sh, mh: places and fallbacks worked out by hand from ip_vs_{dh,sh,mh}.c, and what moves when an endpoint leaves.
import { describe, expect, test } from 'vitest'
import { addressKey, hash32, textKey } from '../../src/balance/hash.ts'
import { fillTable, maglevPlace, maglevTable } from '../../src/balance/maglev-table.ts'
import type { Endpoint, Scheduler } from '../../src/model/routing.ts'
import { bench, endpoint, tally, weighted } from './fixture.ts'

/** A key whose place in the table of 256 is this. */
function keyAt(place: number): number {
  for (let key = 0; ; key++) if (hash32(key, 8) === place) return key
}

describe('dh', () => {
  test('places are dealt in turn, whatever the weights', () => {
    // 256 places, 3 endpoints: place i belongs to i mod 3.
    const dh = bench('dh')
    const list = weighted(1, 9, 1)
    expect([0, 1, 2, 3, 255].map((place) => dh.sequence(list, 1, keyAt(place))).join('')).toBe('ABCAA')
  })

  test('without fallback: a drained endpoint\'s keys find none', () => {
    const dh = bench('dh')
    expect([0, 1].map((place) => dh.sequence(weighted(1, 0), 1, keyAt(place))).join('')).toBe('A-')
    expect(dh.scheduler.pick(weighted(1, 1), ({ id }) => id === '10.0.0.2:80', keyAt(0))).toBe(-1)
    expect(dh.sequence([], 1, 1)).toBe('-')
  })
})

describe('sh', () => {
  test('each endpoint in turn has as many places as its weight', () => {
    // A A B | A A B | ..., and 255 mod 3 = 0.
    const sh = bench('sh')
    expect([0, 1, 2, 3, 4, 5, 255].map((place) => sh.sequence(weighted(2, 1), 1, keyAt(place))).join('')).toBe('AABAABA')
  })

  test('a drained endpoint keeps one place of each round, and its clients find none', () => {
    const sh = bench('sh')
    expect([0, 1, 2, 3].map((place) => sh.sequence(weighted(1, 0, 1), 1, keyAt(place))).join('')).toBe('A-CA')
  })

  test('with fallback they go on from the place that their hash, added to itself, is', () => {
    // Place 1 is B's, drained. Offset 1 + hash 1 = place 2: C. Place 4: B as well; 4 + 4 = 8: C. Place 7: 14: C, since 14 mod 3 = 2.
    const sh = bench('sh', { options: { fallback: true } })
    const list = weighted(1, 0, 1)
    expect([1, 4, 7].map((place) => sh.sequence(list, 1, keyAt(place))).join('')).toBe('CCC')
    // Place 2 is C's; without C: 2 + 2 = 4: B, drained; 5: C; 6: A.
    expect(sh.scheduler.pick(list, ({ id }) => id !== '10.0.0.3:80', keyAt(2))).toBe(0)
    expect(sh.sequence(weighted(0, 0), 1, 1)).toBe('-')
  })

  test('the same address always the same endpoint; with its port others as well', () => {
    const sh = bench('sh')
    const list = weighted(1, 1, 1, 1, 1)
    expect(new Set(sh.sequence(list, 20, addressKey('192.0.2.7')))).toHaveProperty('size', 1)
    const byPort = Array.from({ length: 40 }, (_, i) => sh.sequence(list, 1, addressKey('192.0.2.7', 40_000 + i)))
    expect(new Set(byPort).size).toBeGreaterThan(2)
  })
})

describe('mh', () => {
  test('the example of the paper: table 1 of Eisenbud et al., 7 places, three members, then the second leaves', () => {
    // Preferences 3 0 4 1 5 2 6; 0 2 4 6 1 3 5; 3 4 5 6 0 1 2.
    const [b0, b1, b2] = [{ offset: 3, skip: 4, turns: 1 }, { offset: 0, skip: 2, turns: 1 }, { offset: 3, skip: 1, turns: 1 }]
    expect([...fillTable([b0, b1, b2], 7)]).toEqual([1, 0, 1, 0, 2, 2, 0])
    expect([...fillTable([b0, { ...b1, turns: 0 }, b2], 7)]).toEqual([0, 0, 0, 0, 2, 2, 2])
  })

  test('weights are turns: divided by their gcd, and halved together where they have too many bits', () => {
    const places = (weights: readonly number[], size: number): number[] => {
      const table = maglevTable(weights.map((weight, i) => ({ key: addressKey(`10.0.0.${i}`, 80), weight })), size)
      return weights.map((_, member) => table.filter((each) => each === member).length)
    }
    // 2 : 1 of 251: rounds of 3 places, 83 of them and 2 more for the first.
    expect(places([20, 10], 251)).toEqual([168, 83])
    expect(places([1, 0, 1], 251)).toEqual([126, 0, 125])
    // Index 8, so 4 bits: 4096 has 13, shifted by 9: 8; 1 becomes at least 1. Rounds of 9: 27 of them and 8 more.
    expect(places([4096, 1], 251)).toEqual([224, 27])
    expect(places([0, 0], 251)).toEqual([0, 0])
  })

  test('a drained endpoint keeps its places until it leaves: the keys of the others don\'t move', () => {
    const list = weighted(1, 1, 1)
    const drained = weighted(1, 0, 1)
    const [plain, withFallback] = [bench('mh'), bench('mh', { options: { fallback: true } })]
    for (let key = 0; key < 500; key++) {
      const before = plain.sequence(list, 1, key)
      expect(withFallback.sequence(list, 1, key)).toBe(before)
      expect(plain.sequence(drained, 1, key)).toBe(before === 'B' ? '-' : before)
      expect(withFallback.sequence(drained, 1, key)).toMatch(before === 'B' ? /[AC]/ : before)
    }
  })

  test('fallback hashes the key again, with offsets from the place\'s own number on', () => {
    const mh = bench('mh', { options: { fallback: true, tableSize: 251 } })
    const list = weighted(1, 1, 1, 1)
    const table = maglevTable(list.map(({ address, port }) => ({ key: addressKey(address, port), weight: 1 })), 251)
    for (let key = 1; key < 200; key++) {
      const place = maglevPlace(key, 0, 251)
      const own = table[place]
      const usable = (each: Endpoint): boolean => list.indexOf(each) !== own
      let offset = 0
      while (table[maglevPlace(key, (place + offset) % 251, 251)] === own) offset++
      expect(mh.scheduler.pick(list, usable, key)).toBe(table[maglevPlace(key, (place + offset) % 251, 251)])
    }
    expect(mh.scheduler.pick(list, () => false, 1)).toBe(-1)
  })

  test('no endpoints, and more endpoints than the table has places', () => {
    expect(bench('mh').sequence([], 1, 1)).toBe('-')
    expect(bench('mh').sequence(weighted(0), 1, 1)).toBe('-')
    const list = Array.from({ length: 600 }, (_, i) => endpoint(i + 1))
    const mh = bench('mh', { options: { tableSize: 251 } })
    expect(new Set(Array.from({ length: 20_000 }, (_, i) => mh.scheduler.pick(list, undefined, textKey(`${i}`)))).size).toBe(600)
  })

  test('with a subset size the same key stays in one group, and all of the group serve it', () => {
    const mh = bench('mh', { options: { subsetSize: 3 } })
    const list = weighted(1, 1, 1, 1, 1, 1, 1, 1)
    const groups = new Set(Array.from({ length: 100 }, (_, i) => Object.keys(tally(mh.sequence(list, 60, textKey(`user-${i}`)))).sort().join('')))
    // Eight endpoints in threes; the last group is filled up from the first of the list.
    expect([...groups].sort()).toEqual(['ABC', 'AGH', 'DEF'])
    expect(bench('mh', { options: { subsetSize: 3 } }).sequence([], 1, 1)).toBe('-')
  })
})

describe('when one of 10 endpoints leaves, the keys of the other nine', () => {
  const before = Array.from({ length: 10 }, (_, i) => endpoint(i + 1))
  const after = before.toSpliced(4, 1)

  function moved(name: Scheduler): number {
    const [first, second] = [bench(name), bench(name)]
    let others = 0
    let moves = 0
    for (let i = 0; i < 20_000; i++) {
      const key = textKey(`client-${i}`)
      const was = before[first.scheduler.pick(before, undefined, key)]?.id
      if (was === before[4]?.id) continue
      others++
      if (was !== after[second.scheduler.pick(after, undefined, key)]?.id) moves++
    }
    return moves / others
  }

  // A table dealt in turn keeps a place where i mod 10 and i mod 9 name the same endpoint: about one in nine.
  test.each([['dh', 0.8, 0.95], ['sh', 0.8, 0.95], ['mh', 0, 0.06]] as const)('%s: moved, between %f and %f', (name, low, high) => {
    const share = moved(name)
    process.stdout.write(`${name}: ${(share * 100).toFixed(1)} % of the keys of other endpoints move when 1 of 10 endpoints leaves\n`)
    expect(share).toBeGreaterThanOrEqual(low)
    expect(share).toBeLessThan(high)
  })
})
