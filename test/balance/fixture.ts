// Schedulers over endpoints that are given by their weights alone, with random, time and counts in the test's hands.
import { localCursors } from '../../src/balance/cursor.ts'
import { localCells, type CellSource } from '../../src/balance/loads.ts'
import { createScheduler, type Scheduler } from '../../src/balance/scheduler.ts'
import type { Endpoint } from '../../src/model/routing.ts'
import type { Scheduler as SchedulerName, SchedulerOptions } from '../../src/model/scheduler.ts'
import { fakeClock, type FakeClock } from '../support/fake-clock.ts'

/** 10.0.0.1:80 and so on, with these weights. */
export function weighted(...weights: readonly number[]): Endpoint[] {
  return weights.map((weight, i) => endpoint(i + 1, weight))
}

export function endpoint(number: number, weight = 1): Endpoint {
  const address = `10.0.${number >> 8}.${number & 255}`
  return { id: `${address}:80`, address, port: 80, weight }
}

export interface Bench {
  readonly scheduler: Scheduler
  readonly clock: FakeClock
  readonly cells: CellSource
  /** Picks `count` times, leaving all requests in flight; letters for indices, `-` for none. */
  sequence(endpoints: readonly Endpoint[], count: number, key?: number): string
  /** As `sequence`, each request over before the next begins. */
  oneByOne(endpoints: readonly Endpoint[], count: number, key?: number): string
  /** Sets the requests in flight. */
  busy(endpoints: readonly Endpoint[], ...counts: readonly number[]): void
}

export interface BenchParts {
  readonly options?: SchedulerOptions
  readonly random?: () => number
}

export function bench(name: SchedulerName, { options, random = seeded(1) }: BenchParts = {}): Bench {
  const clock = fakeClock(1_700_000_000_000)
  const cells = localCells()
  const cursor = localCursors().of('dev/web:80')
  const scheduler = createScheduler(name, { cursor, cells, clock, random, ...(options === undefined ? {} : { options }) })
  const letter = (index: number): string => (index === -1 ? '-' : String.fromCharCode(65 + index))
  return {
    scheduler,
    clock,
    cells,
    sequence: (endpoints, count, key) => Array.from({ length: count }, () => letter(scheduler.pick(endpoints, undefined, key))).join(''),
    oneByOne: (endpoints, count, key) =>
      Array.from({ length: count }, () => {
        const index = scheduler.pick(endpoints, undefined, key)
        if (index !== -1) scheduler.finished?.(endpoints, index, 1)
        return letter(index)
      }).join(''),
    busy(endpoints, ...counts) {
      for (const [i, count] of counts.entries()) {
        const cell = cells.of(endpoints[i]?.id ?? '')
        cell.shared[cell.index] = count
      }
    },
  }
}

/** Mulberry32: a small generator of the same numbers at every run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How often each letter comes. */
export function tally(sequence: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const letter of sequence) counts[letter] = (counts[letter] ?? 0) + 1
  return counts
}
