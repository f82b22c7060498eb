// HTTP/2 of the whole controller: from `kubectl apply` of an Ingress to curl, and through changes and the end of the process.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { app, ingress } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { Authority } from '../tls/authority.ts'

const exec = promisify(execFile)
const HOST = 'shop.example.com'

const OBJECTS = app('shop', { replicas: 2 }) + ingress('shop', { host: HOST, tls: 'shop-tls' })

let authority: Authority
let sandbox: Sandbox

beforeAll(async () => {
  authority = await Authority.create()
  const server = await authority.issue('server', `/CN=${HOST}`, { altName: HOST })
  sandbox = await startSandbox('--threads=2', '--h2c', '--access-log', '--ssl-redirect=false')
  await sandbox.kube(`create secret tls shop-tls --key ${server.keyFile} --cert ${server.certificateFile}`)
  await sandbox.apply(OBJECTS)
  await sandbox.rolledOut('shop')
  await eventually(() => curl('https', '--http1.1'), (said) => said.startsWith('200'))
}, 60_000)

afterAll(async () => {
  await sandbox.stop()
  await authority.remove()
})

/** The status and the version of HTTP. */
async function curl(scheme: 'http' | 'https', ...more: readonly string[]): Promise<string> {
  const port = sandbox.ports[scheme] ?? 0
  const args = ['-s', '-o', '/dev/null', '--cacert', join(authority.folder, 'root.pem'), '--resolve', `${HOST}:${port}:127.0.0.1`, '-w', '%{http_code} %{http_version}', ...more, `${scheme}://${HOST}:${port}/`]
  return (await exec('curl', args).catch(() => ({ stdout: '0' }))).stdout
}

test('curl is served over HTTP/2, with TLS and without', async () => {
  expect(await curl('https', '--http2')).toBe('200 2')
  expect(await curl('https', '--http1.1')).toBe('200 1.1')
  expect(await curl('http', '--http2-prior-knowledge')).toBe('200 2')
  expect(await curl('http', '--http2')).toBe('200 1.1')
  const lines = await eventually(
    async () => sandbox.stdout().split('\n').filter((line) => line.includes('"protocol":"2"')),
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
  const sessions = Array.from({ length: 4 }, () => connect(`https://127.0.0.1:${sandbox.ports['https'] ?? 0}`, { servername: HOST, rejectUnauthorized: false }))
  let over = false
  const asking = sessions.map((session) => askOn(session, () => over))
  for (let i = 0; i < 5; i++) await sandbox.apply(ingress(`more-${i}`, { host: `more-${i}.example.com`, tls: 'shop-tls', service: 'shop' }))
  await sandbox.kube('scale deploy/shop --replicas=3')
  over = true
  const statuses = (await Promise.all(asking)).flat()
  expect(new Set(statuses)).toEqual(new Set([200]))
  for (const session of sessions) session.close()
})

test('answers all that was on its way when it ends', async () => {
  const other = await startSandbox('--threads=2', '--h2c', '--ssl-redirect=false')
  await other.apply(OBJECTS)
  await other.rolledOut('shop')
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
