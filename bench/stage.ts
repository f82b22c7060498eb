// What every benchmark needs around it: a folder, a certificate, backends; all gone afterwards.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBackends } from './backend.ts'
import type { Peer, Work } from './peer.ts'
import { accepting, freePorts, type Running } from './process.ts'

export type Stage = Omit<Work, 'httpPort' | 'tlsPort'>

export async function onStage(act: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-bench-'))
  const certificate = join(folder, 'cert.pem')
  const privateKey = join(folder, 'key.pem')
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', privateKey, '-out', certificate, '-subj', '/CN=bench.example.com', '-addext', 'subjectAltName=DNS:bench.example.com'], { stdio: 'ignore' })
  const backendPorts = await freePorts(3)
  const backends = await startBackends(folder, backendPorts)
  try {
    await act({ folder, certificate, privateKey, backendPorts })
  } finally {
    await backends.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A new process each time: nothing inherits another's heap or connections. */
export async function withPeer<T>(peer: Peer, stage: Stage, act: (work: Work, running: Running) => Promise<T>): Promise<T> {
  const [httpPort = 0, tlsPort = 0] = await freePorts(2)
  const work: Work = { ...stage, httpPort, tlsPort }
  const running = peer.start(work)
  try {
    await accepting(httpPort)
    await accepting(tlsPort)
    return await act(work, running)
  } finally {
    await running.stop()
  }
}
