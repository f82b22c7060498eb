import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { localCursors, sharedCursor, type Cursor } from '../../src/balance/cursor.ts'
import { createScheduler } from '../../src/balance/scheduler.ts'
import type { Endpoint } from '../../src/model/routing.ts'

function endpoints(count: number, weight: (index: number) => number = () => 1): Endpoint[] {
  return Array.from({ length: count }, (_, i) => ({ id: `10.0.0.${i}:80`, address: `10.0.0.${i}`, port: 80, weight: weight(i) }))
}

function scheduler(cursor: Cursor) {
  return createScheduler('rr', { cursor, random: () => 0, clock: systemClock })
}

test('each endpoint in turn', () => {
  const rr = scheduler(localCursors().of('dev/web:80'))
  expect(Array.from({ length: 7 }, () => rr.pick(endpoints(3)))).toEqual([0, 1, 2, 0, 1, 2, 0])
})

test('100 sequential picks reach each of 10 endpoints 10 times', () => {
  const rr = scheduler(localCursors().of('dev/web:80'))
  const counts = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < 100; i++) {
    const index = rr.pick(endpoints(10))
    counts[index] = (counts[index] ?? 0) + 1
  }
  expect(counts).toEqual(Array.from({ length: 10 }, () => 10))
})

test('backends do not share a sequence, the same backend does', () => {
  const cursors = localCursors()
  expect([cursors.of('a').next(), cursors.of('b').next(), cursors.of('a').next()]).toEqual([0, 0, 1])
})

test('no endpoints, none usable, and all drained answer -1', () => {
  const rr = scheduler(localCursors().of('a'))
  expect([rr.pick([]), rr.pick(endpoints(3), () => false), rr.pick(endpoints(3, () => 0))]).toEqual([-1, -1, -1])
})

test('never an endpoint of weight 0 nor one that is not usable, and always one if there is any', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.boolean()), { maxLength: 20 }), fc.nat(100), (shape, skip) => {
      const cursor = localCursors().of('a')
      for (let i = 0; i < skip; i++) cursor.next()
      const list = endpoints(shape.length, (i) => shape[i]?.[0] ?? 0)
      const may = shape.map(([weight, usable]) => weight > 0 && usable)
      const index = scheduler(cursor).pick(list, (endpoint) => shape[list.indexOf(endpoint)]?.[1] ?? false)
      expect(index === -1 ? !may.includes(true) : may[index]).toBe(true)
    }),
    { seed: 11 },
  )
})

test('the cursor wraps from the largest unsigned integer to 0', () => {
  const cells = new Uint32Array(new SharedArrayBuffer(8))
  cells[1] = 0xff_ff_ff_ff
  const cursor = sharedCursor(cells, 1)
  expect([cursor.next(), cursor.next()]).toEqual([0xff_ff_ff_ff, 0])
  expect(cells[0]).toBe(0)
})

test('threads share one sequence: no number twice, none left out', async () => {
  const buffer = new SharedArrayBuffer(4)
  const module = new URL('../../src/balance/cursor.ts', import.meta.url).href
  const code = `
    const { workerData, parentPort } = require('node:worker_threads')
    import(workerData.module).then(({ sharedCursor }) => {
      const cursor = sharedCursor(new Uint32Array(workerData.buffer), 0)
      parentPort.postMessage('ready')
      parentPort.once('message', () => parentPort.postMessage(Array.from({ length: 20000 }, () => cursor.next())))
    })`
  const workers = [1, 2, 3].map(() => new Worker(code, { eval: true, workerData: { buffer, module } }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const answers = workers.map((worker) => once(worker, 'message'))
  for (const worker of workers) worker.postMessage('go')
  const numbers = (await Promise.all(answers)).flat(2) as number[]
  await Promise.all(workers.map((worker) => worker.terminate()))
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 60_000 }, (_, i) => i))
})
