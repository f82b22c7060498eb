// What a pick costs, with its `finished`, at several numbers of endpoints and half as many requests in flight.
import { systemClock } from '../src/base/clock.ts'
import { localCursors } from '../src/balance/cursor.ts'
import { textKey } from '../src/balance/hash.ts'
import { CELL_WIDTH, type Cells } from '../src/balance/loads.ts'
import { createScheduler } from '../src/balance/scheduler.ts'
import type { Endpoint, Scheduler as SchedulerName } from '../src/model/routing.ts'
import { generator } from './simulate-queue.ts'

/** Milliseconds of CPU time of each of the five samples, of which the least disturbed counts. */
const SAMPLE = 60
const KEYS = Uint32Array.from({ length: 1024 }, (_, i) => textKey(`host-${i}.example.com`))

/** Nanoseconds of CPU time a pick: what else the machine does falls out of it. */
export function costOf(name: SchedulerName, count: number): number {
  const endpoints = Array.from({ length: count }, (_, i): Endpoint => {
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    return { id: `${address}:80`, address, port: 80, weight: 1 + (i % 5) }
  })
  const [shared, own]: [Cells, Cells] = [cellsFor(count), cellsFor(count)]
  const indexOf = new Map(endpoints.map(({ id }, i) => [id, i * CELL_WIDTH]))
  const scheduler = createScheduler(name, {
    cursor: localCursors().of('cost'),
    cells: { of: (id) => ({ shared, own, index: indexOf.get(id) ?? 0 }) },
    random: generator(1),
    clock: systemClock,
  })
  const open = new Int32Array(Math.max(1, count >> 1)).fill(-1)
  let turn = 0

  function some(picks: number): void {
    for (let i = 0; i < picks; i++) {
      turn = (turn + 1) % open.length
      const over = open[turn] ?? -1
      if (over !== -1) scheduler.finished?.(endpoints, over, 5)
      open[turn] = scheduler.pick(endpoints, undefined, KEYS[i & 1023] ?? 0)
    }
  }

  some(Math.max(2000, count))
  let batch = 64
  let best = Infinity
  for (let sample = 0; sample < 5; sample++) {
    const begin = cpuMilliseconds()
    let picks = 0
    while (cpuMilliseconds() - begin < SAMPLE) {
      some(batch)
      picks += batch
      batch = Math.min(4096, batch * 2)
    }
    best = Math.min(best, ((cpuMilliseconds() - begin) * 1e6) / picks)
  }
  return best
}

function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function cellsFor(count: number): Cells {
  return new Int32Array(new SharedArrayBuffer(count * CELL_WIDTH * 4))
}
