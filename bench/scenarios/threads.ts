// One thread against two.
import { CORES_FOR_TWO_THREADS, PROXY_CORE, TWO_PROXY_CORES } from '../cores.ts'
import { costOf, costSeconds } from '../cost.ts'
import { startNarthex } from '../peers/narthex.ts'
import type { Contender, Scenario } from '../scenario.ts'
import { wrk } from '../wrk.ts'

function withThreads(name: string, threads: number, core: string): Contender {
  const measure = costOf({ start: (work) => startNarthex(work, { threads }, core) }, (work, seconds) => wrk(work, seconds, { path: '/' }))
  return {
    name,
    // With a core for each thread, they serve as many requests as their CPU time lets them.
    measure: async (stage, seconds) => {
      const sample = await measure(stage, seconds)
      return { ...sample, capacity: (threads * 1_000_000) / (sample['cpu'] ?? NaN) }
    },
  }
}

const ONE = 'one thread'
const TWO = 'two threads'

export const THREADS: Scenario = {
  name: 'threads',
  title: 'Two threads',
  how: `120-byte GET over HTTP. Requests a second are those served${CORES_FOR_TWO_THREADS ? '' : ' while load generator and backends take one of the two cores, so they can not double here'}; the capacity is worked out from CPU a request, for a core a thread: it tells whether threads are in each other's way.`,
  needs: ['wrk'],
  columns: [
    { title: 'CPU µs/request', figure: 'cpu', digits: 1 },
    { title: 'requests/s', figure: 'rate', digits: 0 },
    { title: '× one thread', figure: 'rate', digits: 2, of: ONE },
    { title: 'capacity requests/s', figure: 'capacity', digits: 0 },
    { title: '× one thread, capacity', figure: 'capacity', digits: 2, of: ONE },
    { title: 'errors', figure: 'errors', digits: 0, sum: true },
  ],
  goals: [{ contender: TWO, figure: CORES_FOR_TWO_THREADS ? 'rate' : 'capacity', over: ONE, least: 1.7, unit: CORES_FOR_TWO_THREADS ? '× one thread' : '× one thread, by capacity', digits: 2 }],
  contenders: () => [withThreads(ONE, 1, PROXY_CORE), withThreads(TWO, 2, TWO_PROXY_CORES)],
  lasts: costSeconds,
}
