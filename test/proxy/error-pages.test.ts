// Answers of the proxy itself: the page, its form, what it must not say; and the redirect to https.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { routing, startProxy, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

let upstream: ScriptedUpstream
let proxy: TestProxy
let client: RawClient

async function start(settings: SettingsOverrides = {}): Promise<void> {
  const policy = { tlsRedirect: { status: 308 } } as const
  const routes = [{ host: 'a', backend: 'web' }, { host: 'down', backend: 'down' }, { host: 'secure.example', backend: 'web', policy }, { host: 'temporary', backend: 'web', policy: { tlsRedirect: { status: 307 } } as const }]
  proxy = await startProxy(routing(routes, { web: [`127.0.0.1:${upstream.port}`], down: ['127.0.0.9:1'] }), settings)
  client = await RawClient.connect(proxy.port)
}

beforeEach(async () => {
  upstream = await ScriptedUpstream.start()
})

afterEach(async () => {
  client.close()
  proxy.proxy.close()
  await upstream.stop()
})

const get = (host: string, target = '/', fields = ''): void => client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`)

it('is plain text with status, reason and request id', async () => {
  await start()
  get('unknown', '/', 'X-Request-ID: abc\r\n')
  const response = await client.response()
  expect([response.status, response.reason, response.field('content-type')]).toEqual([404, 'Not Found', 'text/plain; charset=utf-8'])
  expect(response.body).toContain('404 Not Found')
  expect(response.body).toContain('Request ID: abc')
  expect(response.field('server')).toBe('narthex')
  expect(response.field('date')).toBeDefined()
  expect(response.field('connection')).toBeUndefined()
})

it('is JSON for a client that accepts JSON', async () => {
  await start()
  get('unknown', '/', 'Accept: application/json\r\nX-Request-ID: abc\r\n')
  const response = await client.response()
  expect(response.field('content-type')).toBe('application/json')
  expect(JSON.parse(response.body)).toMatchObject({ status: 404, reason: 'Not Found', requestId: 'abc' })
  get('unknown', '/', 'Accept: text/html,application/json;q=0.1\r\n')
  expect((await client.response()).field('content-type')).toContain('text/plain')
})

it('has no body for HEAD but its length', async () => {
  await start()
  client.send('HEAD / HTTP/1.1\r\nHost: unknown\r\n\r\n')
  expect(Number((await client.response(true)).field('content-length'))).toBeGreaterThan(0)
  get('unknown')
  expect((await client.response()).status).toBe(404)
})

it('says nothing about addresses inside', async () => {
  await start()
  get('down')
  const response = await client.response()
  expect(response.status).toBe(502)
  expect(response.body).not.toMatch(/127\.|ECONN|:1\b/)
})

it('can leave the Server field out', async () => {
  await start({ serverName: '' })
  get('unknown')
  expect((await client.response()).field('server')).toBeUndefined()
  get('a')
  expect((await client.response()).field('server')).toBeUndefined()
})

it('refuses a path that climbs out of the root', async () => {
  await start()
  get('a', '/../etc/passwd')
  expect((await client.response()).status).toBe(400)
  await client.finished()
  expect(upstream.requests.length).toBe(0)
})

const REDIRECTS: readonly (readonly [string, string, string])[] = [
  ['secure.example', '/', 'https://secure.example'],
  ['Secure.Example:8080', '/x/?q=1', 'https://Secure.Example/x/?q=1'],
  ['secure.example', '/x/', 'https://secure.example/x'],
  ['secure.example', '/a/../.well-known/acme-challengeX/%2e%2e/', 'https://secure.example/a/../.well-known/acme-challengeX/%2e%2e'],
]

for (const [host, target, location] of REDIRECTS) {
  it(`redirects http://${host}${target} to ${location}`, async () => {
    await start()
    get(host, target)
    const response = await client.response()
    expect([response.status, response.field('location')]).toEqual([308, location])
    expect(upstream.requests.length).toBe(0)
    expect((await proxy.recorded(() => true)).failure).toBeUndefined()
  })
}

it('redirects to another port than 443 and with another status', async () => {
  await start({ publicHttpsPort: 8443 })
  get('temporary:8080', '/p')
  const response = await client.response()
  expect([response.status, response.field('location')]).toEqual([307, 'https://temporary:8443/p'])
})

it('never redirects ACME challenges', async () => {
  await start()
  get('secure.example', '/.well-known/acme-challenge/token')
  expect((await client.response()).status).toBe(200)
  get('secure.example', '/.well-known/acme-challenge/../secret')
  expect((await client.response()).status).toBe(308)
})
