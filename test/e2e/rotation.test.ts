// A Secret that changes again and again through the Kubernetes API while clients shake hands and ask: none fails, and each change is shown.
// SWAPS=1000 for as many; by default fewer, since each goes all the way from the API to both threads.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kubectlFor, ok } from '../support/kubectl.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'
import { Authority, type Issued } from '../tls/authority.ts'

const SWAPS = Number(process.env['SWAPS'] ?? 150)
const HOST = 'shop.example.com'
const OBJECTS = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop:1, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: narthex
  tls: [{hosts: [${HOST}], secretName: shop-tls}]
  rules:
    - host: ${HOST}
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
`

let authority: Authority
let narthex: Narthex
let versions: readonly Issued[]
let root: string

beforeAll(async () => {
  authority = await Authority.create()
  root = (await authority.read('root')).certificate
  versions = [await authority.issue('one', `/CN=${HOST}`, { altName: HOST }), await authority.issue('two', `/CN=${HOST}`, { altName: HOST, rsa: true })]
  narthex = await startNarthex(['sandbox', '--threads=2', '--max-requests-per-connection=0'])
  const kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
  await put(versions[0])
  await ok(kubectl('apply -f -', OBJECTS))
  await ok(kubectl('rollout status deploy/shop --timeout=20s'))
}, 60_000)

afterAll(async () => {
  await narthex.stop()
  await authority.remove()
})

async function put(pair: Issued | undefined): Promise<void> {
  if (pair === undefined) throw new Error('no pair')
  const secrets = `http://127.0.0.1:${narthex.ports['api']}/api/v1/namespaces/default/secrets`
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'shop-tls' }, type: 'kubernetes.io/tls', data: { 'tls.crt': base64(pair.certificate), 'tls.key': base64(pair.key) } })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${secrets}/shop-tls`, { method: 'PUT', headers, body })
  const last = answer.status === 404 ? await fetch(secrets, { method: 'POST', headers, body }) : answer
  if (!last.ok) throw new Error(`${last.status}: ${await last.text()}`)
}

async function dial(): Promise<TLSSocket> {
  const socket = connect({ port: narthex.ports['https'] ?? 0, host: '127.0.0.1', servername: HOST, ca: root })
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
