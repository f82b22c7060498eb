// CPU a request of a proxy under a load: the figure that most scenarios are judged by.
import type { Peer, Work } from './peer.ts'
import { cpuMicroseconds, residentBytes } from './process.ts'
import type { Column, Contender, Goal, Sample } from './scenario.ts'
import { withPeer } from './stage.ts'
import type { Measured } from './wrk.ts'

export type Load = (work: Work, seconds: number) => Promise<Measured>

/** V8 compiles what is hot step by step; after this long little is left to gain. The same for every proxy: what is measured is one that has been running. */
const WARM_UP_SECONDS = 3
/** Of a process, before it answers. */
const START_SECONDS = 0.4

export const COST_COLUMNS: readonly Column[] = [
  { title: 'CPU µs/request', figure: 'cpu', digits: 1 },
  { title: '× nginx', figure: 'cpu', digits: 2, of: 'nginx' },
  { title: 'requests/s', figure: 'rate', digits: 0 },
  { title: 'p50 ms', figure: 'p50', digits: 2 },
  { title: 'p99 ms', figure: 'p99', digits: 2 },
  { title: 'RSS MiB', figure: 'resident', digits: 0 },
  { title: 'errors', figure: 'errors', digits: 0, sum: true },
]

export function costOf(peer: Pick<Peer, 'start'>, load: Load): Contender['measure'] {
  return (stage, seconds) =>
    withPeer(peer, stage, async (work, running): Promise<Sample> => {
      await load(work, WARM_UP_SECONDS)
      const before = cpuMicroseconds(running.pid)
      const measured = await load(work, seconds)
      const used = cpuMicroseconds(running.pid) - before
      if (measured.requests === 0) throw new Error('no request was answered')
      if (measured.refused > measured.requests / 2) throw new Error(`${measured.refused} of ${measured.requests} requests were refused`)
      return {
        cpu: used / measured.requests,
        rate: measured.requestsPerSecond,
        p50: measured.p50,
        p99: measured.p99,
        resident: residentBytes(running.pid) / 1024 ** 2,
        errors: measured.errors,
      }
    })
}

/** In every round what a goal names; the others, there for orientation, once. */
export function costContenders(peers: readonly Pick<Peer, 'name' | 'start'>[], goals: readonly Goal[], load: Load): Contender[] {
  const isNamed = ({ name }: Pick<Peer, 'name'>): boolean => goals.some(({ contender, over }) => contender === name || over === name)
  return peers.map((peer) => ({ name: peer.name, once: !isNamed(peer), measure: costOf(peer, load) }))
}

export function costSeconds(seconds: number): number {
  return START_SECONDS + WARM_UP_SECONDS + seconds
}

/** A goal in CPU a request. */
export function cheaperThan(over: string, most: number): Goal {
  return { contender: 'narthex', figure: 'cpu', over, most, unit: `× ${over}`, digits: 2 }
}
