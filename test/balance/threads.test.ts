// Four threads that pick from the same endpoints at once, over shared memory.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { CELL_WIDTH } from '../../src/balance/loads.ts'
import type { Endpoint, Scheduler } from '../../src/model/routing.ts'
import { weighted } from './fixture.ts'
import type { PickingTask } from './picking-thread.ts'

const THREADS = 4
const PICKS = 8000

interface Outcome {
  /** Picks of each endpoint, by all threads. */
  readonly picked: readonly number[]
  readonly inFlight: readonly number[]
  /** What each thread says it has in flight, by endpoint. */
  readonly own: readonly (readonly number[])[]
}

async function together(name: Scheduler, endpoints: readonly Endpoint[], open: number): Promise<Outcome> {
  const bytes = endpoints.length * CELL_WIDTH * 4
  const [cursor, gate, cells] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4), new SharedArrayBuffer(bytes)]
  const owns = Array.from({ length: THREADS }, () => new SharedArrayBuffer(bytes))
  const workers = owns.map((own) => {
    const workerData: PickingTask = { name, endpoints, cursor, cells, own, gate, threads: THREADS, picks: PICKS, open }
    return new Worker(new URL('picking-thread.ts', import.meta.url), { workerData })
  })
  const counts = (await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]))) as number[][]
  const counted = (buffer: SharedArrayBuffer): number[] => endpoints.map((_, i) => new Int32Array(buffer)[i * CELL_WIDTH] ?? NaN)
  return {
    picked: endpoints.map((_, i) => counts.reduce((sum, each) => sum + (each[i] ?? 0), 0)),
    inFlight: counted(cells),
    own: owns.map(counted),
  }
}

const eight = weighted(1, 1, 1, 1, 1, 1, 1, 1)

test('lc: while requests only begin, each goes to the true minimum, so the counts end alike', async () => {
  const { inFlight, own } = await together('lc', eight, PICKS)
  expect(inFlight).toEqual(eight.map(() => (THREADS * PICKS) / 8))
  expect(eight.map((_, i) => own.reduce((sum, each) => sum + (each[i] ?? 0), 0))).toEqual(inFlight)
})

test('wlc: in flight as the weights', async () => {
  const { inFlight } = await together('wlc', weighted(4, 3, 2, 1), PICKS)
  expect(inFlight).toEqual([12_800, 9600, 6400, 3200])
})

test.each(['lc', 'sed', 'nq', 'twos', 'lblc', 'lblcr'] as const)('%s: what begins and ends is counted to the last', async (name) => {
  const { inFlight, own } = await together(name, eight, 5)
  expect(inFlight.reduce((a, b) => a + b)).toBe(THREADS * 5)
  expect(eight.map((_, i) => own.reduce((sum, each) => sum + (each[i] ?? 0), 0))).toEqual(inFlight)
  for (const each of own) expect(each.reduce((a, b) => a + b)).toBe(5)
})

test('ovf: no endpoint ever has more in flight than its weight and one', async () => {
  const { inFlight, picked } = await together('ovf', weighted(50, 10, 100), PICKS)
  expect([inFlight, picked]).toEqual([[51, 11, 101], [51, 11, 101]])
})

test('rr and wrr: one sequence over all threads, exact over whole periods', async () => {
  expect((await together('rr', eight, 0)).picked).toEqual(eight.map(() => (THREADS * PICKS) / 8))
  expect((await together('wrr', weighted(5, 2, 0, 1), 0)).picked).toEqual([20_000, 8000, 0, 4000])
})
