// The beginning and the end of HTTP/2 connections: what is agreed upon, whose requests they carry, and how they are ended without a loss.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { encodeField } from '../../src/http/http2/hpack/encoder.ts'
import type { Host, RoutingConfig } from '../../src/model/routing.ts'
import { Http2TestClient, request } from '../support/http2-client.ts'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream, type UpstreamSide } from '../support/scripted-upstream.ts'
import { CLEARTEXT, makePair, testContexts } from '../support/secure.ts'
import { routing, startProxy, toUpstream, type TestProxy, type TestProxyOptions } from '../support/test-proxy.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

let upstream: ScriptedUpstream
let client: Http2TestClient | undefined
const proxies: TestProxy[] = []

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
})

afterEach(() => {
  client?.close()
  upstream.script = {}
  for (const { proxy } of proxies.splice(0)) proxy.close()
})

afterAll(() => upstream.stop())

async function start(options: TestProxyOptions = {}, config = toUpstream(upstream.port)): Promise<TestProxy> {
  const proxy = await startProxy(config, { http2: CLEARTEXT, ...options })
  proxies.push(proxy)
  return proxy
}

it('ends in two steps, and finishes what is in flight and what was on its way', async () => {
  const waiting: UpstreamSide[] = []
  upstream.script = { onRequest: ({ connection }) => waiting.push(connection) }
  const { proxy, port } = await start()
  const held = (client = new Http2TestClient({ port }))
  const streams = Array.from({ length: 20 }, () => held.head(request('GET', '/slow')))
  await upstream.until(() => waiting.length === 20)
  const drained = proxy.drain(10_000)
  await held.event(({ event, stream }) => event === 'goaway' && stream === 2 ** 31 - 1)
  for (const { socket } of waiting) socket.write(OK)
  const responses = await Promise.all(streams.map((stream) => held.response(stream)))
  expect(responses.map(({ status, reset }) => [status, reset])).toEqual(streams.map(() => [200, undefined]))
  await held.event(({ event }) => event === 'closed')
  expect(held.events.filter(({ event }) => event === 'goaway').map(({ stream, code }) => [stream, code])).toEqual([[2 ** 31 - 1, 0], [39, 0]])
  expect(await drained).toBe(0)
})

it('leaves an idle connection at once when it ends', async () => {
  const { proxy, port } = await start()
  client = new Http2TestClient({ port })
  expect((await client.get()).status).toBe(200)
  expect(await proxy.drain(10_000)).toBe(0)
  await client.event(({ event }) => event === 'closed')
})

it('closes after the last request that a connection may have, and after the time that it may be idle', async () => {
  const { port } = await start({ limits: { requestsPerConnection: 3 } })
  client = new Http2TestClient({ port })
  for (let i = 0; i < 3; i++) expect((await client.get()).status).toBe(200)
  expect((await client.event(({ event, stream }) => event === 'goaway' && stream < 2 ** 31 - 1)).stream).toBe(5)
  await client.event(({ event }) => event === 'closed')
  client.close()
  const { port: other } = await start({ timeouts: { keepAlive: 300 } })
  client = new Http2TestClient({ port: other })
  expect((await client.get()).status).toBe(200)
  await client.event(({ event }) => event === 'goaway')
  await client.event(({ event }) => event === 'closed')
})

it('closes nothing when the table changes', async () => {
  const test = await start()
  const held = (client = new Http2TestClient({ port: test.port }))
  let answer: () => void = () => undefined
  upstream.script = { onRequest: ({ connection, target }) => (target === '/old' ? (answer = () => connection.socket.write(OK)) : connection.socket.write(OK)) }
  const old = held.head(request('GET', '/old'))
  await upstream.until(() => upstream.requests.some(({ target }) => target === '/old'))
  test.route(routing([{ host: 'b', backend: 'web' }], { web: [`127.0.0.1:${upstream.port}`] }))
  expect((await held.get('/', [], 'a')).status).toBe(404)
  expect((await held.get('/', [], 'b')).status).toBe(200)
  answer()
  expect((await held.response(old)).status).toBe(200)
  expect(held.events.some(({ event }) => event === 'goaway' || event === 'closed')).toBe(false)
})

it('sends 421 to a host whose certificates or terms are others than those of the name asked for', async () => {
  const pair = makePair('*.example')
  const host = (name: string, handshake?: Host['handshake']): [string, Host] => [name, { name, routes: base.hosts.get('x')?.routes ?? [], ...(handshake !== undefined && { handshake }) }]
  const base = routing([{ host: 'x', backend: 'web' }], { web: [`127.0.0.1:${upstream.port}`] })
  const config: RoutingConfig = {
    ...base,
    hosts: new Map([host('a.example'), host('b.example'), host('other.example'), host('strict.example', { id: 'terms' })]),
    serverNames: new Map([
      ['a.example', { certificates: ['one'] }],
      ['b.example', { certificates: ['one'] }],
      ['strict.example', { certificates: ['one'] }],
      ['other.example', { certificates: ['two'] }],
    ]),
  }
  const { port, recorded } = await start({ contexts: testContexts(pair) }, config)
  const ask = async (name: string): Promise<number> => (await (client as Http2TestClient).get('/', [], name)).status
  client = new Http2TestClient({ port, tls: true, serverName: 'a.example' })
  expect([await ask('a.example'), await ask('b.example'), await ask('b.example:8443')]).toEqual([200, 200, 200])
  expect([await ask('other.example'), await ask('strict.example'), await ask('unknown.example')]).toEqual([421, 421, 421])
  expect(await ask('a.example')).toBe(200)
  expect((await recorded(({ host: name }) => name === 'other.example')).failure).toBe('misdirected')
  client.close()
  // Clients that ask for an address name no server.
  client = new Http2TestClient({ port, tls: true })
  expect(await ask('other.example')).toBe(200)
})

it('agrees on nothing with a client that offers nothing it has', async () => {
  const { port } = await start({ contexts: testContexts(makePair('a')) })
  const { port: without } = await start({ contexts: testContexts(makePair('a')), http2: { ...CLEARTEXT, overTls: false } })
  const agreed = async (to: number, alpn: string): Promise<string> => {
    const { stdout, stderr } = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${to}`, '-servername', 'a', '-alpn', alpn], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = (await Promise.all([text(stdout), text(stderr)])).join('')
    return /ALPN protocol: (\S+)|(no application protocol)/i.exec(said)?.slice(1).join('') ?? 'none'
  }
  expect(await agreed(port, 'h2,http/1.1')).toBe('h2')
  expect(await agreed(port, 'http/1.1,h2')).toBe('h2')
  expect(await agreed(port, 'http/1.1')).toBe('http/1.1')
  expect(await agreed(port, 'spdy/3')).toMatch(/no application protocol/i)
  expect(await agreed(without, 'h2,http/1.1')).toBe('http/1.1')
  expect(await agreed(without, 'h2')).toMatch(/no application protocol/i)
})

it('knows HTTP/2 without TLS by its first bytes, in whatever pieces, and only where that is allowed', async () => {
  const { port } = await start()
  const { port: without } = await start({ http2: { ...CLEARTEXT, cleartext: false } })
  for (const [to, expected] of [[port, '\0\0'], [without, 'HTTP/1.1 400']] as const) {
    const raw = await RawClient.connect(to)
    for (const piece of ['P', 'RI * HT', PREFACE.slice(8), '\0\0\0\x04\0\0\0\0\0']) {
      raw.send(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await raw.until(() => raw.received.length >= 12)
    expect(raw.text().startsWith(expected)).toBe(true)
    raw.close()
  }
  for (const pieces of [['P', 'UT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'], ['GET / HTTP/1.1\r\nHost: a\r\n\r\n']]) {
    const raw = await RawClient.connect(port)
    for (const piece of pieces) raw.send(piece)
    expect((await raw.response()).status).toBe(200)
    raw.close()
  }
})

it('closes a connection that says nothing, and one that says nothing more after its preface', async () => {
  const { port, proxy } = await start({ timeouts: { requestHead: 300, keepAlive: 300 } })
  const silent = await RawClient.connect(port)
  await silent.finished()
  const begun = await RawClient.connect(port)
  begun.send(PREFACE)
  await begun.finished()
  while (proxy.connections().clients > 0) await new Promise((resolve) => setImmediate(resolve))
})

it('gives up a client that takes nothing of what it asked for', async () => {
  upstream.script = { onRequest: ({ connection }) => connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n${'x'.repeat(5_000_000)}`) }
  const { port, proxy, recorded } = await start({ timeouts: { send: 500 } })
  const raw = await RawClient.connect(port)
  raw.socket.pause()
  const frame = (type: number, flags: number, stream: number, payload: string): string => `\0\0${String.fromCharCode(payload.length, type, flags)}\0\0\0${String.fromCharCode(stream)}${payload}`
  // The largest windows that there are, and then nothing is read.
  raw.send(PREFACE + frame(4, 0, 0, '\0\x04\x7f\xff\xff\xff') + frame(8, 0, 0, '\x7f\0\0\0'))
  raw.send(frame(1, 5, 1, [[':method', 'GET'], [':scheme', 'http'], [':authority', 'a'], [':path', '/']].map(([name = '', value = '']) => encodeField(name, value)).join('')))
  expect((await recorded(() => true)).failure).toBe('client-gone')
  while (proxy.connections().clients > 0) await new Promise((resolve) => setImmediate(resolve))
  raw.close()
})
