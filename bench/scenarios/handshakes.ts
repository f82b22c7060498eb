// TLS handshakes: full ones with both kinds of keys, and resumed ones.
import { LOAD_CORE, PROXY_CORE } from '../cores.ts'
import { costOf, costSeconds } from '../cost.ts'
import type { Peer } from '../peer.ts'
import { runPinned, startPinned } from '../process.ts'
import type { Column, Contender, Goal, Scenario } from '../scenario.ts'
import { makePair } from '../stage.ts'
import type { Measured } from '../wrk.ts'

const COLUMNS: readonly Column[] = [
  { title: 'CPU µs/handshake', figure: 'cpu', digits: 0 },
  { title: 'a core does, /s', figure: 'capacity', digits: 0 },
  { title: '× nginx', figure: 'capacity', digits: 2, of: 'nginx' },
  { title: 'served, /s', figure: 'rate', digits: 0 },
  { title: 'p50 ms', figure: 'p50', digits: 2 },
  { title: 'p99 ms', figure: 'p99', digits: 2 },
  { title: 'errors', figure: 'errors', digits: 0, sum: true },
]

type Kind = 'full' | 'resumed'

/** No proxy, but what one in Node is built on. */
const NODE_TLS: Pick<Peer, 'name' | 'rival' | 'start'> = {
  name: 'node:tls alone',
  rival: false,
  start: (work) => startPinned(PROXY_CORE, process.execPath, ['bench/programs/node-tls.ts', JSON.stringify(work)]),
}

/** `algorithm`: of the certificate's key; undefined: ECDSA, as everywhere else. */
function contenderOf(peer: Pick<Peer, 'name' | 'rival' | 'start'>, kind: Kind, algorithm: readonly string[] | undefined): Contender {
  const measure = costOf(peer, async ({ tlsPort }, seconds) => {
    const args = ['bench/programs/handshakes.ts', String(tlsPort), String(seconds), kind]
    return JSON.parse(await runPinned(LOAD_CORE, process.execPath, args, seconds + 20)) as Measured
  })
  return {
    name: peer.name,
    once: !peer.rival,
    measure: async (stage, seconds) => {
      const pair = algorithm === undefined ? {} : makePair(stage.folder, 'handshakes', algorithm)
      const sample = await measure({ ...stage, ...pair }, seconds)
      return { ...sample, capacity: 1_000_000 / (sample['cpu'] ?? NaN) }
    },
  }
}

function handshakes(name: string, title: string, kind: Kind, least: number, algorithm?: readonly string[]): Scenario {
  const goal: Goal = { contender: 'narthex', figure: 'capacity', over: 'nginx', least, unit: '× nginx', digits: 2 }
  return {
    name,
    title,
    how: 'TLS 1.3, 16 clients, each connection closed after its handshake. What a core does in a second is worked out from the CPU time of one, since the clients, in Node, take longer than the proxy.',
    columns: COLUMNS,
    goals: [goal],
    contenders: (peers) => [...peers.filter(({ can }) => can.includes('http2')), NODE_TLS].map((peer) => contenderOf(peer, kind, algorithm)),
    lasts: (seconds) => costSeconds(seconds) + 0.5,
  }
}

export const HANDSHAKES: readonly Scenario[] = [
  handshakes('handshakes', 'TLS handshakes, ECDSA P-256', 'full', 0.8),
  handshakes('handshakes-rsa', 'TLS handshakes, RSA 2048', 'full', 0.8, ['rsa:2048']),
  handshakes('handshakes-resumed', 'TLS handshakes, resumed', 'resumed', 0.7),
]
