// A Secret that changes again and again through the Kubernetes API while clients shake hands and ask: none fails, and each change is shown.
// SWAPS=1000 for as many; by default fewer, since each goes all the way from the API to both threads.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, ingress } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { Authority, type Issued } from '../tls/authority.ts'

const SWAPS = Number(process.env['SWAPS'] ?? 150)
const HOST = 'shop.example.com'
const OBJECTS = app('shop') + ingress('shop', { host: HOST, tls: 'shop-tls' })

let authority: Authority
let sandbox: Sandbox
let versions: readonly Issued[]
let root: string

beforeAll(async () => {
  authority = await Authority.create()
  root = (await authority.read('root')).certificate
  versions = [await authority.issue('one', `/CN=${HOST}`, { altName: HOST }), await authority.issue('two', `/CN=${HOST}`, { altName: HOST, rsa: true })]
  sandbox = await startSandbox('--threads=2', '--max-requests-per-connection=0')
  await put(versions[0])
  await sandbox.apply(OBJECTS)
  await sandbox.rolledOut('shop')
}, 60_000)

afterAll(async () => {
  await sandbox.stop()
  await authority.remove()
})

async function put(pair: Issued | undefined): Promise<void> {
  if (pair === undefined) throw new Error('no pair')
  const secrets = `http://127.0.0.1:${sandbox.ports['api']}/api/v1/namespaces/default/secrets`
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'shop-tls' }, type: 'kubernetes.io/tls', data: { 'tls.crt': base64(pair.certificate), 'tls.key': base64(pair.key) } })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${secrets}/shop-tls`, { method: 'PUT', headers, body })
  const last = answer.status === 404 ? await fetch(secrets, { method: 'POST', headers, body }) : answer
  if (!last.ok) throw new Error(`${last.status}: ${await last.text()}`)
}

async function dial(): Promise<TLSSocket> {
  const socket = connect({ port: sandbox.ports['https'] ?? 0, host: '127.0.0.1', servername: HOST, ca: root })
  await once(socket, 'secureConnect')
  return socket
}

/** Of a connection that stays open. */
async function get(socket: TLSSocket): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return answer.toString('latin1').slice(0, 12)
}

test(`${SWAPS} swaps of a Secret through the API: no handshake and no request fails`, async () => {
  const serials = versions.map(({ certificate }) => certificate.length)
  expect(new Set(serials).size).toBe(2)
  const count = { handshakes: 0, requests: 0, swaps: 0 }
  const statuses = new Set<string>()
  let shown = ''
  let onShown: (() => void) | undefined
  const goesOn = (): boolean => count.swaps < SWAPS
  const comer = async (): Promise<void> => {
    while (goesOn()) {
      const socket = await dial()
      shown = socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType ?? ''
      statuses.add(await get(socket))
      socket.destroy()
      count.handshakes++
      onShown?.()
    }
  }
  const stayer = async (): Promise<void> => {
    const socket = await dial()
    while (goesOn()) {
      statuses.add(await get(socket))
      if (++count.requests % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    socket.destroy()
  }
  const swapper = async (): Promise<void> => {
    while (goesOn()) {
      const isEc = count.swaps % 2 === 1
      await put(versions[isEc ? 0 : 1])
      const isAwaited = (): boolean => shown !== (isEc ? 'ec' : 'rsa')
      while (isAwaited()) await new Promise<void>((resolve) => (onShown = resolve))
      count.swaps++
    }
  }
  await Promise.all([comer(), comer(), stayer(), swapper()])
  expect([...statuses]).toEqual(['HTTP/1.1 200'])
  expect(count.handshakes).toBeGreaterThanOrEqual(SWAPS)
  expect(count.requests).toBeGreaterThan(0)
}, 300_000)
