// A simulation, event by event, of requests that a scheduler spreads over endpoints of different speed. All chance comes from
// one seed, so the figures are the same on every machine: docs/balancing.md is held against them.
import type { Clock } from '../src/base/clock.ts'
import { localCursors } from '../src/balance/cursor.ts'
import { addressKey, textKey } from '../src/balance/hash.ts'
import { createScheduler } from '../src/balance/scheduler.ts'
import type { Endpoint } from '../src/model/routing.ts'
import { keyedBy, type Scheduler as SchedulerName } from '../src/model/scheduler.ts'

/** Relative speeds of the ten endpoints: three large, four middling, three small ones. */
export const SPEEDS: readonly number[] = [1.5, 1.5, 1.5, 1, 1, 1, 1, 0.75, 0.75, 0.75]
/** What each endpoint works on at once; the rest waits its turn there. */
const WORKERS = 4
/** Milliseconds that a request takes on average at speed 1; log-normal, so a few take very long. */
const MEAN_SERVICE = 20
const SKEW = 1.2
/** Share of what all endpoints together can do. */
const UTILISATION = 0.65
const HOSTS = 200
const CLIENTS = 2000

export interface Simulated {
  /** Milliseconds from arrival to the end, waiting included. */
  readonly p50: number
  readonly p99: number
  /** Share of requests for which the scheduler found no endpoint. */
  readonly refused: number
  /** What the busiest and the idlest endpoint had to do, as a share of what they could while requests came. */
  readonly busiest: number
  readonly idlest: number
}

interface Job {
  readonly arrival: number
  readonly service: number
}

interface Departure extends Job {
  readonly at: number
  readonly index: number
}

export function simulate(name: SchedulerName, weights: readonly number[], requests: number, seed: number): Simulated {
  const random = generator(seed)
  const time = { now: 0 }
  const clock: Clock = { now: () => time.now, after: () => () => {} }
  const scheduler = createScheduler(name, { cursor: localCursors().of('simulation'), random: generator(seed + 1), clock })
  const endpoints = weights.map((weight, i): Endpoint => ({ id: `10.0.0.${i}:80`, address: `10.0.0.${i}`, port: 80, weight }))
  const between = MEAN_SERVICE / (SPEEDS.reduce((a, b) => a + b) * WORKERS * UTILISATION)
  const waiting: Job[][] = endpoints.map(() => [])
  const working = endpoints.map(() => 0)
  const worked = endpoints.map(() => 0)
  const departures = heap()
  const latencies: number[] = []
  let refused = 0

  function begin(index: number, job: Job): void {
    const service = job.service / (SPEEDS[index] ?? 1)
    working[index] = (working[index] ?? 0) + 1
    worked[index] = (worked[index] ?? 0) + service
    departures.push({ ...job, index, at: time.now + service })
  }

  function depart({ index, arrival, at }: Departure): void {
    time.now = at
    working[index] = (working[index] ?? 0) - 1
    latencies.push(at - arrival)
    scheduler.finished?.(endpoints, index, at - arrival)
    const next = waiting[index]?.shift()
    if (next !== undefined) begin(index, next)
  }

  let arrival = 0
  for (let i = 0; i < requests; i++) {
    arrival += -Math.log(1 - random()) * between
    for (let next = departures.peek(); next !== undefined && next.at <= arrival; next = departures.peek()) depart(departures.pop())
    time.now = arrival
    const job = { arrival, service: logNormal(random) }
    const index = scheduler.pick(endpoints, undefined, keyFor(name, random))
    if (index === -1) refused++
    else if ((working[index] ?? 0) < WORKERS) begin(index, job)
    else waiting[index]?.push(job)
  }
  while (departures.peek() !== undefined) depart(departures.pop())

  latencies.sort((a, b) => a - b)
  const quantile = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0
  const shares = worked.map((time) => time / (arrival * WORKERS))
  return { p50: quantile(0.5), p99: quantile(0.99), refused: refused / requests, busiest: Math.max(...shares), idlest: Math.min(...shares) }
}

/** Clients are all alike; of hosts the first is asked for most (Zipf). */
function keyFor(name: SchedulerName, random: () => number): number {
  const chance = random()
  if (keyedBy(name) === 'source') return addressKey(`198.51.${Math.floor(chance * CLIENTS) >> 8}.${Math.floor(chance * CLIENTS) & 255}`)
  return textKey(`host-${Math.floor(HOSTS ** chance)}.example.com`)
}

function logNormal(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return MEAN_SERVICE * Math.exp(SKEW * normal - SKEW ** 2 / 2)
}

/** Mulberry32. */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Heap {
  push(departure: Departure): void
  peek(): Departure | undefined
  /** Only where peek gives one. */
  pop(): Departure
}

/** The earliest departure first. */
function heap(): Heap {
  const items: Departure[] = []
  const at = (i: number): number => items[i]?.at ?? Infinity
  const swap = (i: number, j: number): void => {
    const [a, b] = [items[i], items[j]]
    if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a]
  }
  return {
    push(departure) {
      items.push(departure)
      for (let i = items.length - 1; i > 0 && at(i) < at((i - 1) >> 1); i = (i - 1) >> 1) swap(i, (i - 1) >> 1)
    },
    peek: () => items[0],
    pop() {
      swap(0, items.length - 1)
      const first = items.pop()
      if (first === undefined) throw new Error('an empty heap has no first')
      for (let i = 0; ; ) {
        const child = at(2 * i + 1) < at(2 * i + 2) ? 2 * i + 1 : 2 * i + 2
        if (at(child) >= at(i)) return first
        swap(i, child)
        i = child
      }
    },
  }
}
