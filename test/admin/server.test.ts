import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createAdmin, startAdmin, type AdminServer } from '../../src/admin/server.ts'
import type { AdminView } from '../../src/admin/view.ts'
import { silentLog } from '../../src/base/log.ts'
import { CONFIG, DIAGNOSTIC, viewOf } from './fixture.ts'

const servers: AdminServer[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function get(url: string, view: Partial<AdminView> = {}) {
  const app = createAdmin(viewOf(view), silentLog)
  const answer = await app.inject(url)
  await app.close()
  return answer
}

test('healthz is 200 until the end begins', async () => {
  expect((await get('/healthz', { notReady: () => 'no table yet' })).statusCode).toBe(200)
  const ending = await get('/healthz', { isShuttingDown: () => true })
  expect([ending.statusCode, ending.body]).toEqual([500, 'shutting down\n'])
})

test('readyz says why not', async () => {
  expect((await get('/readyz')).statusCode).toBe(200)
  const waiting = await get('/readyz', { notReady: () => 'the API server has not been reached yet' })
  expect([waiting.statusCode, waiting.body]).toEqual([503, 'not ready: the API server has not been reached yet\n'])
  expect((await get('/readyz', { isShuttingDown: () => true })).statusCode).toBe(503)
})

test('metrics hold ours and those of the process, in the text format', async () => {
  const { headers, body } = await get('/metrics')
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(body).toContain('\nnarthex_table_version 7\n')
  expect(body).toContain('\nnarthex_ready 1\n')
  expect(body).toContain('\nprocess_resident_memory_bytes ')
  expect((await get('/metrics', { notReady: () => 'x' })).body).toContain('\nnarthex_ready 0\n')
})

test('routes shows hosts, backends with endpoints and certificates', async () => {
  const routes = (await get('/api/routes')).json()
  expect(routes.version).toBe(7)
  expect(routes.hosts.map(({ name }: { name: string }) => name)).toEqual(['*.example', 'shop.example'])
  expect(routes.hosts[1].routes[1]).toEqual({
    path: '/',
    pathType: 'Prefix',
    backend: 'dev/web:80',
    tlsRedirect: 308,
    source: { kind: 'Ingress', namespace: 'dev', name: 'web', field: 'spec.rules[0].http.paths[0]' },
  })
  expect(routes.hosts[1].routes[3]).toMatchObject({ backend: null, status: 503 })
  expect(routes.backends.map(({ id, endpoints }: { id: string; endpoints: unknown[] }) => [id, endpoints.length])).toEqual([['dev/empty:80', 0], ['dev/web:80', 2]])
  expect(routes.certificates).toEqual([
    { id: 'dev/tls', names: ['shop.example'], notAfter: '2030-01-01T00:00:00.000Z', fingerprint: 'AA:BB:CC:DD:EE:FF:00:11:22:33', serves: ['shop.example'] },
  ])
})

test('routes of one host has only what belongs to it', async () => {
  const routes = (await get('/api/routes?host=*.example')).json()
  expect([routes.hosts.length, routes.backends.map(({ id }: { id: string }) => id), routes.certificates]).toEqual([1, ['dev/web:80'], []])
  expect((await get('/api/routes?host=SHOP.example:8080')).json().hosts).toHaveLength(1)
  expect((await get('/api/routes?host=nobody.example')).json().hosts).toEqual([])
})

test('diagnostics are as they were found', async () => {
  expect((await get('/api/diagnostics')).json()).toEqual({ diagnostics: [DIAGNOSTIC] })
})

test.each(['/', '/api/routes', '/api/explain?url=https://shop.example/', '/metrics'])('%s shows no key', async (url) => {
  const { body, statusCode } = await get(url)
  expect(statusCode).toBe(200)
  expect(body).not.toContain('PRIVATE KEY')
})

test('the page lists all of it, escaped, and may load and run nothing', async () => {
  const { body, headers } = await get('/')
  for (const text of ['shop.example', '127.0.0.1:8001 127.0.0.1:8002', 'dev/tls', 'ServiceNotFound', 'answers 503', 'none ready: 503', 'Ingress dev/web']) {
    expect(body).toContain(text)
  }
  expect(body).not.toContain('<script')
  expect(body).toContain('&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62;')
  expect(body).toContain('Create it &#38; don&#39;t')
  expect(body).not.toMatch(/(src|href)="(https?:)?\/\//)
  expect(headers['content-security-policy']).toContain("default-src 'none'")
})

test('the page says when it is not ready, and cuts long tables', async () => {
  expect((await get('/', { notReady: () => 'no <b>table</b> yet' })).body).toContain('Not ready: no &#60;b&#62;table')
  const [host] = CONFIG.hosts.values()
  const hosts = new Map(Array.from({ length: 1200 }, (_, i) => [`h${i}`, { name: `h${i}`, routes: host?.routes.slice(0, 1) ?? [] }]))
  const { body } = await get('/', { config: () => ({ ...CONFIG, hosts }) })
  expect(body).toContain('200 more in the API')
})

test.each([
  ['/api/explain', 'url is missing'],
  ['/api/explain?url=shop.example', 'must begin with http'],
  ['/api/explain?url=http://a%00b/', 'no host name'],
  ['/api/explain?url=http://shop.example/../../etc', 'climbs above the root'],
  ['/api/explain?url=http://shop.example/&header=nonsense', 'not of the form'],
])('%s is a clear 400', async (url, message) => {
  const answer = await get(url)
  expect([answer.statusCode, answer.json().error]).toEqual([400, expect.stringContaining(message)])
})

test('an error of ours tells the client nothing and the log everything', async () => {
  const lines: string[] = []
  const app = createAdmin(viewOf({ config: () => { throw new Error('inner secret') } }), (level, message, facts) => lines.push(`${level} ${message} ${JSON.stringify(facts)}`))
  const answer = await app.inject('/api/routes')
  await app.close()
  expect([answer.statusCode, answer.json()]).toEqual([500, { error: 'internal error, see the log' }])
  expect(lines).toEqual([expect.stringContaining('inner secret')])
})

test('it reads only: no other method, no unknown path', async () => {
  const app = createAdmin(viewOf(), silentLog)
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'] as const) expect((await app.inject({ method, url: '/api/routes' })).statusCode).toBe(404)
  expect((await app.inject('/api/nothing')).statusCode).toBe(404)
  expect((await app.inject({ method: 'HEAD', url: '/readyz' })).statusCode).toBe(200)
  await app.close()
})

test('it listens on a port of its own and frees it; a port in use is an error', async () => {
  const server = await startAdmin({ port: 0, address: '127.0.0.1', view: viewOf(), log: silentLog })
  servers.push(server)
  expect(await (await fetch(`http://127.0.0.1:${server.port}/readyz`)).text()).toBe('ready\n')
  await expect(startAdmin({ port: server.port, address: '127.0.0.1', view: viewOf(), log: silentLog })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await server.close()
  const again = createServer().listen(server.port, '127.0.0.1')
  await once(again, 'listening')
  again.close()
})

test('without an address it listens on all', async () => {
  const server = await startAdmin({ port: 0, address: '', view: viewOf(), log: silentLog })
  servers.push(server)
  expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200)
})

test('endpoints that are not simply well are shown so', async () => {
  const endpointHealth = [{ namespace: 'dev', service: 'web', port: '80', endpoint: '127.0.0.1:8002', state: 'ejected' as const }]
  const view = viewOf()
  const app = createAdmin({ ...view, dataPlane: async () => ({ ...(await view.dataPlane()), endpointHealth }) }, silentLog)
  const { backends } = (await app.inject('/api/routes')).json()
  expect(backends[1].endpoints.map(({ id, state }: { id: string; state?: string }) => [id, state])).toEqual([['127.0.0.1:8001', undefined], ['127.0.0.1:8002', 'ejected']])
  expect((await app.inject('/')).body).toContain('127.0.0.1:8001 127.0.0.1:8002 (ejected)')
  await app.close()
})
