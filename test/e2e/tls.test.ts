// TLS of the whole controller: sessions on all threads and on another replica, client certificates from annotations and Secrets.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { app, ingress } from '../support/manifests.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'
import { Authority } from '../tls/authority.ts'

const exec = promisify(execFile)
const HOST = 'shop.example.com'

const OBJECTS = app('shop') + ingress('shop', { host: HOST, tls: 'shop-tls' })

let authority: Authority
let replicas: readonly Narthex[]
let kubectl: Kubectl

beforeAll(async () => {
  authority = await Authority.create()
  const server = await authority.issue('server', `/CN=${HOST}`, { altName: HOST })
  await authority.issue('alice', '/CN=alice')
  const start = () => startNarthex(['sandbox', '--threads=2', '--session-ticket-secret=default/tickets'])
  replicas = [await start(), await start()]
  for (const { kubeconfig, home } of replicas) {
    kubectl = kubectlFor(kubeconfig, home)
    await ok(kubectl(`create secret generic tickets --from-literal=ticket.key=${'0123456789abcdef'.repeat(4)}`))
    await ok(kubectl(`create secret tls shop-tls --key ${server.keyFile} --cert ${server.certificateFile}`))
    await ok(kubectl('apply -f -', OBJECTS))
    await ok(kubectl('rollout status deploy/shop --timeout=20s'))
  }
  for (const replica of replicas) await eventually(() => curl(replica), ({ status }) => status === '200')
}, 60_000)

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()))
  await authority.remove()
})

const portOf = ({ ports }: Narthex): number => ports['https'] ?? 0

async function curl(replica: Narthex | undefined, ...more: readonly string[]): Promise<{ readonly status: string; readonly body: string }> {
  if (replica === undefined) throw new Error('no replica')
  const port = portOf(replica)
  const { stdout } = await exec('curl', ['-s', '--cacert', join(authority.folder, 'root.pem'), '--resolve', `${HOST}:${port}:127.0.0.1`, '-w', '\n%{http_code}', ...more, `https://${HOST}:${port}/headers`]).catch(
    (error: unknown) => ({ stdout: `${String(error)}\n0` }),
  )
  const at = stdout.lastIndexOf('\n')
  return { status: stdout.slice(at + 1), body: stdout.slice(0, at) }
}

async function isReused(replica: Narthex, session: Buffer): Promise<boolean> {
  const socket = connect({ port: portOf(replica), host: '127.0.0.1', servername: HOST, rejectUnauthorized: false, session })
  await once(socket, 'secureConnect')
  const reused = socket.isSessionReused()
  socket.destroy()
  return reused
}

test('a session resumes on every thread, and on another replica with the same Secret', async () => {
  const [first, second] = replicas
  if (first === undefined || second === undefined) throw new Error('no replicas')
  const socket = connect({ port: portOf(first), host: '127.0.0.1', servername: HOST, rejectUnauthorized: false })
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  // The kernel gives each connection to either thread.
  for (const replica of [first, second]) {
    const reused = await Promise.all(Array.from({ length: 12 }, () => isReused(replica, session)))
    expect(reused).toEqual(reused.map(() => true))
  }
})

test('client certificates: asked for, checked, told to the backend; without their Secret nobody is let in', async () => {
  const [, replica] = replicas
  const identity = ['--cert', join(authority.folder, 'alice.pem'), '--key', join(authority.folder, 'alice.key')]
  await ok(kubectl(`create secret generic clients --from-file=ca.crt=${join(authority.folder, 'root.pem')}`))
  await ok(kubectl('annotate ingress shop nginx.ingress.kubernetes.io/auth-tls-secret=default/clients nginx.ingress.kubernetes.io/auth-tls-match-cn=CN=alice'))
  await eventually(() => curl(replica), ({ status }) => status === '400')
  expect((await curl(replica)).body).toContain('No required SSL certificate was sent')
  expect((await curl(replica, ...identity)).status).toBe('200')
  await ok(kubectl('annotate --overwrite ingress shop nginx.ingress.kubernetes.io/auth-tls-match-cn=CN=bob'))
  await eventually(() => curl(replica, ...identity), ({ status }) => status === '403')
  await ok(kubectl('delete secret clients'))
  await eventually(() => curl(replica, ...identity), ({ body }) => body.includes('can not be checked'))
  await ok(kubectl('annotate ingress shop nginx.ingress.kubernetes.io/auth-tls-secret- nginx.ingress.kubernetes.io/auth-tls-match-cn-'))
  await eventually(() => curl(replica), ({ status }) => status === '200')
})
