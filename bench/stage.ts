// What every scenario needs around it: a folder, certificates, backends; all gone afterwards.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBackends } from './backend.ts'
import { GRPC_HOST, HOST, type Peer, type Work } from './peer.ts'
import { answering, freePorts, type Running } from './process.ts'

export interface Stage {
  /** HTTP/1.1. */
  readonly backendPorts: readonly number[]
  /** HTTP/2 without TLS. */
  readonly grpcPorts: readonly number[]
  /** PEM files; ECDSA P-256. */
  readonly certificate: string
  readonly privateKey: string
  /** For configuration and other files. */
  readonly folder: string
}

export async function onStage<T>(act: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-bench-'))
  // Also when a signal ends the run.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  // nginx started by root reads its files as another user.
  chmodSync(folder, 0o755)
  const ports = await freePorts(6)
  const stage: Stage = { ...makePair(folder, 'ecdsa', ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']), backendPorts: ports.slice(0, 3), grpcPorts: ports.slice(3), folder }
  const backends = await startBackends(stage)
  try {
    return await act(stage)
  } finally {
    await backends.stop()
  }
}

/** `algorithm`: what openssl's -newkey takes. */
export function makePair(folder: string, name: string, algorithm: readonly string[]): { readonly certificate: string; readonly privateKey: string } {
  const pair = { certificate: join(folder, `${name}.pem`), privateKey: join(folder, `${name}-key.pem`) }
  const names = `subjectAltName=DNS:${HOST},DNS:${GRPC_HOST}`
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', '-newkey', ...algorithm, '-keyout', pair.privateKey, '-out', pair.certificate, '-subj', `/CN=${HOST}`, '-addext', names], { stdio: 'ignore' })
  return pair
}

/** A new process each time: nothing inherits another's heap or connections. */
export async function withPeer<T>(peer: Pick<Peer, 'start'>, stage: Stage, act: (work: Work, running: Running) => Promise<T>): Promise<T> {
  const [httpPort = 0, tlsPort = 0] = await freePorts(2)
  const work: Work = { ...stage, httpPort, tlsPort }
  const running = peer.start(work)
  try {
    await answering(running, httpPort, false, HOST)
    await answering(running, tlsPort, true, HOST)
    return await act(work, running)
  } finally {
    await running.stop()
  }
}
