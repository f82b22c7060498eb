// HTTP/2 of the whole controller: from `kubectl apply` of an Ingress to curl, and through changes and the end of the process.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'
import { Authority } from '../tls/authority.ts'

const exec = promisify(execFile)
const HOST = 'shop.example.com'

const ingress = (name: string, host: string): string => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}}
spec:
  ingressClassName: narthex
  tls: [{hosts: [${HOST}], secretName: shop-tls}]
  rules:
    - host: ${host}
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
`

const OBJECTS = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
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
${ingress('shop', HOST)}`

let authority: Authority
let narthex: Narthex
let kubectl: Kubectl

beforeAll(async () => {
  authority = await Authority.create()
  const server = await authority.issue('server', `/CN=${HOST}`, { altName: HOST })
  narthex = await startNarthex(['sandbox', '--threads=2', '--h2c', '--access-log', '--ssl-redirect=false'])
  kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
  await ok(kubectl(`create secret tls shop-tls --key ${server.keyFile} --cert ${server.certificateFile}`))
  await ok(kubectl('apply -f -', OBJECTS))
  await ok(kubectl('rollout status deploy/shop --timeout=20s'))
  await eventually(() => curl('https', '--http1.1'), (said) => said.startsWith('200'))
}, 60_000)

afterAll(async () => {
  await narthex.stop()
  await authority.remove()
})

/** The status and the version of HTTP. */
async function curl(scheme: 'http' | 'https', ...more: readonly string[]): Promise<string> {
  const port = narthex.ports[scheme] ?? 0
  const args = ['-s', '-o', '/dev/null', '--cacert', join(authority.folder, 'root.pem'), '--resolve', `${HOST}:${port}:127.0.0.1`, '-w', '%{http_code} %{http_version}', ...more, `${scheme}://${HOST}:${port}/`]
  return (await exec('curl', args).catch(() => ({ stdout: '0' }))).stdout
}

test('curl is served over HTTP/2, with TLS and without', async () => {
  expect(await curl('https', '--http2')).toBe('200 2')
  expect(await curl('https', '--http1.1')).toBe('200 1.1')
  expect(await curl('http', '--http2-prior-knowledge')).toBe('200 2')
  expect(await curl('http', '--http2')).toBe('200 1.1')
  const lines = await eventually(
    async () => narthex.stdout().split('\n').filter((line) => line.includes('"protocol":"2"')),
    (found) => found.length >= 2,
  )
  expect(lines.map((line) => (JSON.parse(line) as { scheme: string }).scheme).toSorted()).toEqual(['http', 'https'])
})

/** Asks again and again until told to stop, or that the connection goes away; answers the statuses, 0 for a request that failed. */
async function askOn(session: ClientHttp2Session, isOver: () => boolean, onAnswer: () => void = () => undefined): Promise<number[]> {
  const statuses: number[] = []
  const seen = { goAway: false, last: 0 }
  const unsent: number[] = []
  session.on('goaway', (_code, last) => {
    seen.goAway = true
    seen.last = last
  })
  session.on('error', () => undefined)
  while (!isOver() && !seen.goAway && !session.destroyed) {
    const some = Array.from({ length: 10 }, async () => {
      const stream = session.request({ ':path': '/', ':authority': HOST })
      try {
        const [fields] = (await once(stream, 'response')) as [Record<string, unknown>]
        stream.resume()
        await once(stream, 'end')
        onAnswer()
        return Number(fields[':status'])
      } catch {
        // nghttp2 sends nothing more after the first GOAWAY and says so of what it had not sent yet: that is never below the last GOAWAY's id.
        if (!seen.goAway || stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM) return 0
        unsent.push(stream.id ?? 0)
        return undefined
      }
    })
    statuses.push(...(await Promise.all(some)).filter((status) => status !== undefined))
  }
  if (unsent.length > 0 && !session.destroyed) await once(session, 'close')
  // Node may leave before the last GOAWAY.
  return [...statuses, ...unsent.filter((id) => id <= seen.last && seen.last < 2 ** 31 - 1)]
}

test('loses no request while Ingresses change', async () => {
  const sessions = Array.from({ length: 4 }, () => connect(`https://127.0.0.1:${narthex.ports['https'] ?? 0}`, { servername: HOST, rejectUnauthorized: false }))
  let over = false
  const asking = sessions.map((session) => askOn(session, () => over))
  for (let i = 0; i < 5; i++) await ok(kubectl('apply -f -', ingress(`more-${i}`, `more-${i}.example.com`)))
  await ok(kubectl('scale deploy/shop --replicas=3'))
  over = true
  const statuses = (await Promise.all(asking)).flat()
  expect(new Set(statuses)).toEqual(new Set([200]))
  for (const session of sessions) session.close()
})

test('answers all that was on its way when it ends', async () => {
  const other = await startNarthex(['sandbox', '--threads=2', '--h2c', '--ssl-redirect=false'])
  const control = kubectlFor(other.kubeconfig, other.home)
  await ok(control('apply -f -', OBJECTS))
  await ok(control('rollout status deploy/shop --timeout=20s'))
  const sessions = Array.from({ length: 6 }, () => connect(`http://127.0.0.1:${other.ports['http'] ?? 0}`))
  // The route is there when its backend is asked.
  await eventually(
    async () => (await exec('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--http2-prior-knowledge', '-H', `Host: ${HOST}`, `http://127.0.0.1:${other.ports['http'] ?? 0}/`])).stdout,
    (status) => status === '200',
  )
  let answered = 0
  const asking = sessions.map((session) => askOn(session, () => false, () => answered++))
  await eventually(async () => answered, (count) => count > 300)
  const code = await other.stop()
  const statuses = (await Promise.all(asking)).flat()
  expect(statuses.length).toBeGreaterThan(0)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(code).toBe(0)
}, 60_000)
