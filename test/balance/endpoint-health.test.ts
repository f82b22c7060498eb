// Passive ejection, panic and slow start on shared cells, with time and chance in the test's hands.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { EndpointHealth, type Ejection } from '../../src/balance/endpoint-health.ts'
import { probed, tellAll, TICK } from '../../src/balance/health-cells.ts'
import { localBackendCells, loadsOf } from '../../src/balance/loads.ts'
import { createScheduler } from '../../src/balance/scheduler.ts'
import { localCursors } from '../../src/balance/cursor.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { Backend, Scheduler } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS, type HealthSettings } from '../../src/model/settings.ts'
import { seeded, weighted } from './fixture.ts'

const START = 1_700_000_000_000

/** Threads that share the cells of one backend. */
function fleet(weights: readonly number[], overrides: Partial<HealthSettings> = {}, scheduler: Scheduler = 'rr') {
  const backend: Backend = { id: 'dev/web:80', namespace: 'dev', service: 'web', port: '80', scheduler, endpoints: weighted(...weights) }
  const cells = localBackendCells().of(backend)
  const ejections: Ejection[] = []
  const random = seeded(3)
  const settings = { ...DEFAULT_SETTINGS.health, ...overrides }
  const thread = () => new EndpointHealth(backend, { settings, cells, random, onEjected: (ejection) => ejections.push(ejection) })
  return { backend, cells, ejections, thread, settings }
}

/** Indices that a thread may use, ignoring slow start: those that any of many draws lets in. */
function inUse(health: EndpointHealth, count: number, now: number): number[] {
  const found = new Set<number>()
  for (let draw = 0; draw < 200; draw++) {
    const admits = health.admits(now)
    for (let i = 0; i < count; i++) if (admits === undefined || admits(i)) found.add(i)
  }
  return [...found].sort()
}

/** How many of 2000 draws let the endpoint in. */
function share(health: EndpointHealth, index: number, now: number): number {
  let count = 0
  for (let draw = 0; draw < 2000; draw++) if (health.admits(now)?.(index) ?? true) count++
  return count / 2000
}

test('nothing is left out and nothing watched while all is well', () => {
  const health = fleet([1, 1]).thread()
  expect([health.admits(START), health.watching]).toEqual([undefined, false])
})

test('one failed connection takes an endpoint out for all threads, for half a second to one', () => {
  const { thread, ejections } = fleet([1, 1, 1])
  const [one, other] = [thread(), thread()]
  other.admits(START)
  one.failed(1, 'connect-failed', START)
  expect(inUse(one, 3, START)).toEqual([0, 2])
  expect(inUse(other, 3, START)).toEqual([0, 2])
  expect(ejections).toMatchObject([{ endpoint: '10.0.0.2:80', reason: 'connect-failures' }])
  expect(ejections[0]?.ms).toBeGreaterThanOrEqual(500)
  expect(ejections[0]?.ms).toBeLessThanOrEqual(1000)
  expect(inUse(other, 3, START + 1000 + TICK)).toEqual([0, 1, 2])
})

test('each further time is twice as long, up to the longest; after a long time well it begins anew', () => {
  const { thread, ejections } = fleet([1, 1, 1], { longestEjection: 8000 })
  const health = thread()
  let now = START
  for (let i = 0; i < 6; i++) {
    health.failed(0, 'connect-failed', now)
    now += 8000 + TICK
  }
  const steps = ejections.map(({ ms }) => ms)
  for (const [i, most] of [1000, 2000, 4000, 8000, 8000, 8000].entries()) {
    expect(steps[i]).toBeGreaterThanOrEqual(most / 2)
    expect(steps[i]).toBeLessThanOrEqual(most)
  }
  now += 20_000
  health.failed(0, 'connect-failed', now)
  expect(ejections.at(-1)?.ms).toBeLessThanOrEqual(1000)
})

test('bad answers count in a row: a good one between them forgives', () => {
  const { thread, ejections } = fleet([1, 1, 1], { badAnswers: 3, count5xx: true })
  const [one, other] = [thread(), thread()]
  for (const status of [500, 503, 200, 502, 500]) {
    one.admits(START)
    one.answered(0, status, START)
  }
  expect(ejections).toEqual([])
  // The other thread sees that there is something to forgive.
  other.admits(START)
  expect(other.watching).toBe(true)
  other.answered(0, 200, START)
  one.answered(0, 500, START)
  expect(ejections).toEqual([])
  for (let i = 0; i < 2; i++) other.answered(0, 500, START)
  expect(ejections).toMatchObject([{ endpoint: '10.0.0.1:80', reason: 'bad-answers' }])
  expect(inUse(one, 3, START)).toEqual([1, 2])
})

test('5xx count only by option, connections closed without an answer always, slow answers never', () => {
  const { thread, ejections } = fleet([1, 1, 1], { badAnswers: 2 })
  const health = thread()
  for (let i = 0; i < 9; i++) {
    health.answered(0, 500, START)
    health.failed(0, 'response-timeout', START)
  }
  expect(ejections).toEqual([])
  health.failed(0, 'response-cut', START)
  health.failed(0, 'response-invalid', START)
  expect(ejections).toMatchObject([{ reason: 'bad-answers' }])
})

test('counts of 0 mean never', () => {
  const { thread, ejections } = fleet([1, 1], { connectFailures: 0, badAnswers: 0, count5xx: true })
  const health = thread()
  for (let i = 0; i < 9; i++) {
    health.failed(0, 'connect-timeout', START)
    health.failed(0, 'response-cut', START)
    health.answered(0, 500, START)
  }
  expect([ejections, health.admits(START)]).toEqual([[], undefined])
})

test('a backend of one endpoint, or whose others are drained, ejects none', () => {
  for (const weights of [[1], [1, 0, 0]]) {
    const { thread, ejections } = fleet(weights)
    const health = thread()
    for (let i = 0; i < 5; i++) health.failed(0, 'connect-failed', START)
    expect([ejections, health.admits(START)]).toEqual([[], undefined])
  }
})

test('panic: where probes find more ill than may be out all are used, else those that are well', () => {
  const { backend, cells, thread } = fleet([1, 1, 1, 1])
  const loads = loadsOf(backend.endpoints, cells)
  const health = thread()
  const probe = (index: number, well: boolean) => {
    probed(loads, index, well, START)
    tellAll(loadsOf([{ ...backend.endpoints[0]!, id: '' }], cells))
  }
  probe(0, false)
  probe(1, false)
  expect(inUse(health, 4, START)).toEqual([2, 3])
  probe(2, false)
  expect(inUse(health, 4, START)).toEqual([0, 1, 2, 3])
  probe(1, true)
  expect(inUse(health, 4, START)).toEqual([1, 3])
})

test('whatever fails and when: some endpoint may be used, and never more than the share are out for their failures', () => {
  const step = fc.record({ index: fc.nat(9), kind: fc.constantFrom('connect-failed' as const, 'response-cut' as const), pause: fc.nat(3000), thread: fc.nat(1) })
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 10 }), fc.constantFrom(0, 0.3, 0.5, 1), fc.array(step, { maxLength: 80 }), (weights, largestShare, steps) => {
      const { thread, backend } = fleet(weights, { largestShare, badAnswers: 2 })
      const threads = [thread(), thread()] as const
      const usable = weights.flatMap((weight, i) => (weight > 0 ? [i] : []))
      let now = START
      for (const { index, kind, pause, thread: which } of steps) {
        now += pause
        threads[which === 0 ? 0 : 1].failed(index % backend.endpoints.length, kind, now)
        for (const each of threads) {
          const left = inUse(each, weights.length, now).filter((i) => usable.includes(i))
          if (left.length < usable.length - Math.floor(usable.length * largestShare)) return false
          if (usable.length > 0 && left.length === 0) return false
        }
      }
      return true
    }),
    { seed: 11, numRuns: 60 },
  )
})

test('slow start: a tenth of its share at first, half of it in the middle, all in the end', () => {
  const { thread, ejections } = fleet([1, 1, 1])
  const health = thread()
  health.failed(0, 'connect-failed', START)
  const back = START + Math.ceil((ejections[0]?.ms ?? 0) / TICK) * TICK
  expect(share(health, 0, back - 1)).toBe(0)
  expect(share(health, 0, back)).toBeCloseTo(0.1, 1)
  expect(share(health, 0, back + 5000)).toBeCloseTo(0.5, 1)
  expect(share(health, 0, back + 10_000)).toBe(1)
  expect(share(health, 1, back + 5000)).toBe(1)
  expect(health.admits(back + 10_000)).toBeUndefined()
})

test.each([['rr', [1, 1, 1, 1]], ['wrr', [4, 2, 1, 1]], ['random', [1, 1, 1, 1]], ['lc', [1, 1, 1, 1]], ['wlc', [2, 2, 2, 2]], ['twos', [90, 90, 90, 90]]] as const)(
  'slow start of one endpoint with %s: half of its share in the middle, the others share the rest as their weights say',
  (name, weights) => {
    const { backend, cells, thread, ejections } = fleet(weights, {}, name)
    const health = thread()
    health.failed(0, 'connect-failed', START)
    const now = START + Math.ceil((ejections[0]?.ms ?? 0) / TICK) * TICK + 5000
    const scheduler = createScheduler(name, { cursor: localCursors().of('x'), cells, random: seeded(5), clock: systemClock })
    const picks = weights.map(() => 0)
    for (let i = 0; i < 8000; i++) {
      const admits = health.admits(now)
      const index = scheduler.pick(backend.endpoints, admits === undefined ? undefined : (_endpoint, at) => admits(at))
      picks[index] = (picks[index] ?? 0) + 1
      scheduler.finished?.(backend.endpoints, index, 1)
    }
    const total = weights.reduce<number>((sum, weight) => sum + weight, 0)
    expect(Math.abs((picks[0] ?? 0) / 8000 - weights[0] / total / 2)).toBeLessThan(0.02)
    for (const i of [2, 3] as const) expect(Math.abs((picks[i] ?? 0) / (picks[1] ?? 1) - weights[i] / weights[1])).toBeLessThan(0.1)
  },
)

test('hash schedulers keep keys in their places: no slow start', () => {
  const { thread, ejections } = fleet([1, 1, 1], {}, 'mh')
  const health = thread()
  health.failed(0, 'connect-failed', START)
  expect(inUse(health, 3, START)).toEqual([1, 2])
  expect(health.admits(START + (ejections[0]?.ms ?? 0) + TICK)).toBeUndefined()
})
