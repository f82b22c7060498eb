// The fields that a backend gets and those that a client gets: what is added, replaced, dropped, kept.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, afterEach, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream, type UpstreamRequest } from '../support/scripted-upstream.ts'
import { CLEARTEXT } from '../support/secure.ts'
import { routing, startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

let upstream: ScriptedUpstream
let proxy: TestProxy
let client: RawClient

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(routing([{ host: '*', backend: 'web' }], { web: [`127.0.0.1:${upstream.port}`] }))
})

beforeEach(async () => {
  upstream.script = {}
  client = await RawClient.connect(proxy.port)
})

afterEach(() => client.close())

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

async function forwarded(head: string): Promise<UpstreamRequest> {
  client.send(`${head}\r\n`)
  expect((await client.response()).status).toBe(200)
  const request = upstream.requests.at(-1)
  if (request === undefined) throw new Error('nothing reached the backend')
  return request
}

async function answered(response: string) {
  upstream.script = { onRequest: ({ connection }) => connection.socket.write(response) }
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  return client.response()
}

it('adds what ingress-nginx adds, in the values of the connection', async () => {
  const request = await forwarded('GET /x?y=%20 HTTP/1.1\r\nHost: Shop.Example:8080\r\nUser-Agent: t\r\n')
  expect(request.target).toBe('/x?y=%20')
  expect(request.fields.filter(([name]) => name !== 'X-Request-ID').toSorted()).toEqual(
    [
      ['Host', 'Shop.Example:8080'],
      ['User-Agent', 't'],
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Host', 'Shop.Example:8080'],
      ['X-Forwarded-Port', String(proxy.port)],
      ['X-Forwarded-Proto', 'http'],
      ['X-Forwarded-Scheme', 'http'],
      ['X-Real-IP', '127.0.0.1'],
      ['X-Scheme', 'http'],
    ].toSorted(),
  )
  expect(request.field('x-request-id')).toMatch(/^[0-9a-f]{32}$/)
})

it('X-Forwarded-Port is where clients come in, if that is known to be elsewhere', async () => {
  const other = await startProxy(toUpstream(upstream.port), { publicHttpPort: 80, http2: CLEARTEXT })
  for (const version of ['--http1.1', '--http2-prior-knowledge']) {
    await promisify(execFile)('curl', ['-s', version, '-H', 'Host: a', `http://127.0.0.1:${other.port}/`])
    expect(upstream.requests.at(-1)?.field('x-forwarded-port')).toBe('80')
  }
  other.proxy.close()
})

it('S16 replaces or removes what only a trusted proxy may say', async () => {
  const spoofed = [
    'X-Forwarded-For: 1.1.1.1', 'x-forwarded-for: 2.2.2.2', 'X-Forwarded-Host: evil', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 443',
    'X-Forwarded-Scheme: https', 'X-Scheme: https', 'X-Real-IP: 3.3.3.3', 'Forwarded: for=4.4.4.4', 'X-Original-URI: /admin',
    'X-Original-Forwarded-For: 5.5.5.5', 'X-Auth-Request-User: root', 'ssl-client-verify: SUCCESS', 'Proxy: http://evil/',
    'X_Forwarded_For: 6.6.6.6', 'x-forwarded_for: 7.7.7.7',
  ].join('\r\n')
  const request = await forwarded(`GET / HTTP/1.1\r\nHost: a\r\n${spoofed}\r\n`)
  const got = Object.fromEntries(request.fields.map(([name, value]) => [name.toLowerCase(), value]))
  expect(got).toEqual({
    'host': 'a',
    'x-request-id': request.field('x-request-id'),
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'a',
    'x-forwarded-port': String(proxy.port),
    'x-forwarded-proto': 'http',
    'x-forwarded-scheme': 'http',
    'x-real-ip': '127.0.0.1',
    'x-scheme': 'http',
    'x-original-forwarded-for': '1.1.1.1, 2.2.2.2',
    'x-original-forwarded-host': 'evil',
  })
})

it('drops hop-by-hop fields and those that Connection names, wherever they stand', async () => {
  const request = await forwarded(
    'GET / HTTP/1.1\r\nX-Secret: 1\r\nHost: a\r\nKeep-Alive: 5\r\nConnection: X-Secret\r\nconnection: keep-alive, x-other, Host\r\n' +
      'Proxy-Connection: x\r\nProxy-Authorization: Basic x\r\nX-OTHER: 2\r\nTE: gzip, trailers\r\nUpgrade: h2c\r\nKept: 3\r\n',
  )
  for (const name of ['x-secret', 'x-other', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'upgrade']) {
    expect([name, request.count(name)]).toEqual([name, 0])
  }
  expect(request.field('host')).toBe('a')
  expect(request.field('kept')).toBe('3')
  expect(request.field('te')).toBe('trailers')
  expect(request.field('connection')).toBe('TE')
})

it('writes values without the white space around them and keeps repeated fields in order', async () => {
  const request = await forwarded('GET / HTTP/1.1\r\nHost:a\r\nX-A:\t 1 \t\r\nX-B:2\r\nX-A: caf\xe9 \t x\r\nX-Empty:\r\nX-Empty2:   \r\n')
  expect(request.fields.filter(([name]) => /^X-[ABE]/.test(name))).toEqual([
    ['X-A', '1'],
    ['X-B', '2'],
    ['X-A', 'caf\xe9 \t x'],
    ['X-Empty', ''],
    ['X-Empty2', ''],
  ])
})

it('keeps a well-formed request id and replaces any other', async () => {
  expect((await forwarded('GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: abc-123.DEF\r\n')).field('x-request-id')).toBe('abc-123.DEF')
  for (const id of ['', 'a b', '"x"', 'x'.repeat(129), 'a,b', '<script>']) {
    expect((await forwarded(`GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: ${id}\r\n`)).field('x-request-id')).toMatch(/^[0-9a-f]{32}$/)
  }
})

it('sends origin-form and the authority of an absolute-form target as Host', async () => {
  const request = await forwarded('GET HTTP://Other:81/p?q HTTP/1.1\r\nHost: a\r\n')
  expect(request.target).toBe('/p?q')
  expect(request.field('host')).toBe('Other:81')
  expect((await forwarded('GET http://other HTTP/1.1\r\nHost: a\r\n')).target).toBe('/')
  expect((await forwarded('GET http://other?q HTTP/1.1\r\nHost: a\r\n')).target).toBe('/?q')
  expect((await forwarded('OPTIONS http://other HTTP/1.1\r\nHost: a\r\n')).target).toBe('*')
})

it('forwards OPTIONS *', async () => {
  expect((await forwarded('OPTIONS * HTTP/1.1\r\nHost: a\r\n')).target).toBe('*')
})

it('forwards methods that it does not know', async () => {
  expect((await forwarded('PROPFIND /x HTTP/1.1\r\nHost: a\r\n')).method).toBe('PROPFIND')
})

it('serves an HTTP/1.0 client without Host', async () => {
  client.send('GET /old HTTP/1.0\r\n\r\n')
  const response = await client.response()
  expect(response.status).toBe(200)
  expect(response.field('connection')).toBe('close')
  expect(upstream.requests.at(-1)?.field('host')).toBe('')
})

it('adds Server and Date where the backend sent none', async () => {
  const response = await answered(OK)
  expect(response.field('server')).toBe('narthex')
  expect(Math.abs(Date.parse(response.field('date') ?? '') - Date.now())).toBeLessThan(5000)
})

it("keeps the backend's Server and Date, and everything else as it is", async () => {
  const fields = 'Server: tomcat\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/x; a=b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX_Under: 1\r\n'
  const response = await answered(`HTTP/1.1 299 Odd  Reason \r\n${fields}Content-Length: 0\r\n\r\n`)
  expect([response.status, response.reason]).toEqual([299, 'Odd  Reason '])
  expect(response.fields).toEqual([
    ['Server', 'tomcat'],
    ['Date', 'Mon, 01 Jan 2024 00:00:00 GMT'],
    ['Content-Type', 'text/x; a=b'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
    ['X_Under', '1'],
    ['Content-Length', '0'],
  ])
})

it('B18 drops hop-by-hop fields of a response and those that its Connection names', async () => {
  const response = await answered(
    'HTTP/1.1 200 OK\r\nX-Secret: 1\r\nConnection: X-Secret, close\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2\r\nContent-Length: 0\r\n\r\n',
  )
  expect(response.fields.map(([name]) => name).toSorted()).toEqual(['Content-Length', 'Date', 'Server'])
})
