// A thread that gives clients endpoints in a table that it shares with other threads: see client-table.test.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { createClientTable, type ClientCells } from '../../src/balance/client-table.ts'

export interface ClaimingTask {
  readonly cells: ClientCells
  /** All threads begin when this many have come. */
  readonly gate: SharedArrayBuffer
  readonly threads: number
  readonly clients: number
  /** What this thread would give to any client. */
  readonly endpoint: number
}

const { cells, gate, threads, clients, endpoint } = workerData as ClaimingTask
const table = createClientTable(cells)
const arrived = new Int32Array(gate)
Atomics.add(arrived, 0, 1)
while (Atomics.load(arrived, 0) < threads);

const given: number[] = []
for (let client = 0; client < clients; client++) {
  const key = table.key('dev/web:80', `10.0.${client >> 8}.${client & 255}`)
  const known = table.find(key, 1000, 60)
  given.push(known === 0 ? table.claim(key, endpoint, 0, 1000, 60) : known)
}
parentPort?.postMessage(given)
