// TLS handshakes, whole and resumed, of both kinds of key and both versions, beside nginx.
import type { SecureVersion } from 'node:tls'
import { LOAD_CORE } from '../cores.ts'
import { HOST, type Peer } from '../peer.ts'
import { nodeAlone } from '../peers/node-alone.ts'
import { cpuMicroseconds, runPinned } from '../process.ts'
import type { HandshakesCount, HandshakesTask } from '../programs/handshakes.ts'
import type { Contender, Goal, Sample, Scenario } from '../scenario.ts'
import { makePair, withPeer, type Stage } from '../stage.ts'

const CLIENTS = 16
const VERSIONS: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3']

interface Kind {
  readonly resume: boolean
  readonly version: SecureVersion
}

async function shake(port: number, { resume, version }: Kind, seconds: number): Promise<HandshakesCount> {
  const task: HandshakesTask = { port, serverName: HOST, version, resume, clients: CLIENTS, seconds }
  return JSON.parse(await runPinned(LOAD_CORE, process.execPath, ['bench/programs/handshakes.ts', JSON.stringify(task)], seconds + 20)) as HandshakesCount
}

function measure(peer: Pick<Peer, 'start'>, kind: Kind, prepare: (stage: Stage) => Stage): Contender['measure'] {
  return (stage, seconds) =>
    withPeer(peer, prepare(stage), async ({ tlsPort }, running): Promise<Sample> => {
      await shake(tlsPort, kind, 1)
      const before = cpuMicroseconds(running.pid)
      const { whole, resumed, errors, p50, p99 } = await shake(tlsPort, kind, seconds)
      const used = cpuMicroseconds(running.pid) - before
      // The one before all others brings the session.
      const [asked, other] = kind.resume ? [resumed, whole] : [whole, resumed]
      if (asked === 0 || other > 0) throw new Error(`${whole} whole and ${resumed} resumed handshakes`)
      const cpu = used / (whole + resumed)
      return { cpu, capacity: 1_000_000 / cpu, rate: (whole + resumed) / seconds, p50, p99, errors }
    })
}

function handshakes(name: string, title: string, how: string, resume: boolean, least: number, prepare: (stage: Stage) => Stage): Scenario {
  const row = (peer: string, version: string): string => `${peer}, ${version.replace('TLSv', 'TLS ')}`
  const goals = VERSIONS.map((version): Goal => ({ contender: row('narthex', version), figure: 'capacity', over: row('nginx', version), least, unit: '× nginx', digits: 2 }))
  return {
    name,
    title,
    how: `${how} ${CLIENTS} clients that shake hands, end the connection and come again. Handshakes a second are worked out from CPU: what one core can do. Node alone is no proxy: it shows what handshakes cost there.`,
    columns: [
      { title: 'CPU µs/handshake', figure: 'cpu', digits: 0 },
      { title: 'handshakes/s of a core', figure: 'capacity', digits: 0 },
      { title: 'p50 ms', figure: 'p50', digits: 1 },
      { title: 'p99 ms', figure: 'p99', digits: 1 },
      { title: 'errors', figure: 'errors', digits: 0, sum: true },
    ],
    goals,
    contenders: (peers) =>
      VERSIONS.flatMap((version) =>
        [...peers.filter((peer) => ['narthex', 'nginx', 'haproxy'].includes(peer.name)), nodeAlone].map((peer) => ({ name: row(peer.name, version), once: !['narthex', 'nginx'].includes(peer.name), measure: measure(peer, { resume, version }, prepare) })),
      ),
    lasts: (seconds) => seconds + 2,
  }
}

/** Made once for a stage. */
const rsaPairs = new WeakMap<Stage, Pick<Stage, 'certificate' | 'privateKey'>>()

function withRsa(stage: Stage): Stage {
  const pair = rsaPairs.get(stage) ?? makePair(stage.folder, 'rsa', ['rsa:2048'])
  rsaPairs.set(stage, pair)
  return { ...stage, ...pair }
}

export const HANDSHAKES: readonly Scenario[] = [
  handshakes('handshakes-ecdsa', 'Whole TLS handshakes, ECDSA P-256', 'X25519: a hybrid key exchange, which only OpenSSL from 3.5 has, would cost more.', false, 0.8, (stage) => stage),
  handshakes('handshakes-rsa', 'Whole TLS handshakes, RSA 2048', 'As before, with another certificate.', false, 0.8, withRsa),
  handshakes('handshakes-resumed', 'Resumed TLS handshakes', 'One ticket for all; certificate ECDSA P-256.', true, 0.7, (stage) => stage),
]
