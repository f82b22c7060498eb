// npm run bench [-- --scenario get,get-tls] [--peer narthex,nginx] [--rounds 3] [--seconds 5] [--write]
// All proxies in one run, the rounds interleaved, so that what else the machine does falls on all alike.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startBackends } from './backend.ts'
import type { Peer, Work } from './peer.ts'
import { caddy } from './peers/caddy.ts'
import { fastifyHttpProxy } from './peers/fastify-http-proxy.ts'
import { haproxy } from './peers/haproxy.ts'
import { narthex } from './peers/narthex.ts'
import { nginx } from './peers/nginx.ts'
import { accepting, cpuMicroseconds, freePorts, residentBytes } from './process.ts'
import { report, type Row } from './report.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

const PEERS: readonly Peer[] = [narthex, nginx, haproxy, caddy, fastifyHttpProxy]

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    peer: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
})

const chosen = <T extends { readonly name: string }>(all: readonly T[], names: string | undefined): T[] =>
  all.filter(({ name }) => names === undefined || names.split(',').includes(name))

const folder = mkdtempSync(join(tmpdir(), 'narthex-bench-'))
const certificate = join(folder, 'cert.pem')
const privateKey = join(folder, 'key.pem')
execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', privateKey, '-out', certificate, '-subj', '/CN=bench.example.com', '-addext', 'subjectAltName=DNS:bench.example.com'], { stdio: 'ignore' })
const backendPorts = await freePorts(3)
const backends = await startBackends(folder, backendPorts)
const rows: Row[] = []
try {
  const peers = chosen(PEERS, values.peer).filter((peer) => {
    const present = peer.version() !== undefined
    if (!present) process.stderr.write(`bench: ${peer.name} is not on this machine: left out\n`)
    return present
  })
  for (const scenario of chosen(SCENARIOS, values.scenario)) {
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const peer of peers) {
        const row = await measure(peer, scenario, Number(values.seconds))
        rows.push(row)
        process.stderr.write(`${scenario.name} ${round}/${values.rounds} ${peer.name.padEnd(20)} ${row.cpu.toFixed(1)} µs/request  ${row.measured.requestsPerSecond.toFixed(0)} req/s  ${row.measured.errors} errors\n`)
      }
    }
  }
  report(rows, chosen(SCENARIOS, values.scenario), peers, values.write)
} finally {
  await backends.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** A fresh process each time: no round inherits another's heap or connections. */
async function measure(peer: Peer, scenario: Scenario, seconds: number): Promise<Row> {
  const [httpPort = 0, tlsPort = 0] = await freePorts(2)
  const work: Work = { httpPort, tlsPort, backendPorts, certificate, privateKey, folder }
  const running = peer.start(work)
  try {
    await accepting(httpPort)
    await accepting(tlsPort)
    await scenario.run(work, 1)
    const before = cpuMicroseconds(running.pid)
    const measured = await scenario.run(work, seconds)
    return { peer: peer.name, scenario: scenario.name, cpu: (cpuMicroseconds(running.pid) - before) / measured.requests, resident: residentBytes(running.pid), measured }
  } finally {
    await running.stop()
  }
}
