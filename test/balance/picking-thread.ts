// A thread that picks from endpoints whose cells and cursor it shares with other threads: see threads.test.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../src/base/clock.ts'
import { sharedCursor } from '../../src/balance/cursor.ts'
import { CELL_WIDTH, type Cells } from '../../src/balance/loads.ts'
import { createScheduler } from '../../src/balance/scheduler.ts'
import type { Endpoint, Scheduler } from '../../src/model/routing.ts'

export interface PickingTask {
  readonly name: Scheduler
  readonly endpoints: readonly Endpoint[]
  readonly cursor: SharedArrayBuffer
  readonly cells: SharedArrayBuffer
  readonly own: SharedArrayBuffer
  /** All threads begin when this many have come. */
  readonly gate: SharedArrayBuffer
  readonly threads: number
  readonly picks: number
  /** Of its open requests, how many it leaves open at most. */
  readonly open: number
}

const task = workerData as PickingTask
const shared: Cells = new Int32Array(task.cells)
const own: Cells = new Int32Array(task.own)
const scheduler = createScheduler(task.name, {
  cursor: sharedCursor(new Uint32Array(task.cursor), 0),
  cells: { of: (id) => ({ shared, own, index: task.endpoints.findIndex((endpoint) => endpoint.id === id) * CELL_WIDTH }) },
  random: Math.random,
  clock: systemClock,
})
const gate = new Int32Array(task.gate)
if (Atomics.add(gate, 0, 1) + 1 === task.threads) Atomics.notify(gate, 0)
for (let waiting = Atomics.load(gate, 0); waiting < task.threads; waiting = Atomics.load(gate, 0)) Atomics.wait(gate, 0, waiting, 1000)

const counts = task.endpoints.map(() => 0)
const open: number[] = []
for (let i = 0; i < task.picks; i++) {
  const index = scheduler.pick(task.endpoints)
  counts[index] = (counts[index] ?? 0) + 1
  open.push(index)
  if (open.length > task.open) scheduler.finished?.(task.endpoints, open.shift() ?? -1, 1)
}
parentPort?.postMessage(counts)
