// Timeouts of single routes, in place of those of the settings: longer ones and shorter ones, for every way in which a backend is asked.
// The settings' are short where a route has longer ones, so that what lasts longer than others is seen to by these, not by the clock.
import { once } from 'node:events'
import { connect, type ServerHttp2Stream } from 'node:http2'
import { afterEach, expect, it } from 'vitest'
import type { RouteTimeouts } from '../../src/model/policy.ts'
import { H2C, spoken } from '../support/backend-protocol.ts'
import { fullQueue } from '../support/full-queue.ts'
import { startHttp2Backend } from '../support/http2-backend.ts'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream, type Script, type UpstreamRequest } from '../support/scripted-upstream.ts'
import { CLEARTEXT } from '../support/secure.ts'
import { routing, startProxy, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const LONG = 60_000

/** Host `a`: `/own` with timeouts of its own, everything else with those of the settings. */
async function front(endpoint: string, own: RouteTimeouts, settings: SettingsOverrides, http2Backend = false): Promise<TestProxy> {
  const config = routing([{ host: 'a', path: '/own', backend: 'web', policy: { timeouts: own } }, { host: 'a', backend: 'web' }], { web: [endpoint] })
  const proxy = await startProxy(http2Backend ? spoken(config, H2C) : config, { limits: { bodyBytes: 0 }, ...settings })
  ends.push(() => proxy.proxy.close())
  return proxy
}

async function upstreamWith(script: Script): Promise<ScriptedUpstream> {
  const upstream = await ScriptedUpstream.start(script)
  ends.push(() => upstream.stop())
  return upstream
}

async function ask(proxy: TestProxy, request: string): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port)
  ends.push(() => client.close())
  client.send(request)
  return client
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const post = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 40000000\r\n\r\n`

it('a backend has as long to answer as the route says, whichever request its connection served before', async () => {
  const upstream = await upstreamWith({})
  const proxy = await front(`127.0.0.1:${upstream.port}`, { read: LONG }, { timeouts: { read: 300 } })
  const slow = await ask(proxy, get('/first'))
  await slow.response()
  const held: UpstreamRequest[] = []
  upstream.script = { onRequest: (request) => void held.push(request) }
  slow.send(get('/own'))
  await upstream.until(() => held.length === 1)
  expect((await (await ask(proxy, get('/other'))).response()).status).toBe(504)
  held[0]?.connection.socket.write(OK)
  expect((await slow.response()).status).toBe(200)
  expect(upstream.connections.length).toBe(2)
})

it('and as short', async () => {
  const upstream = await upstreamWith({ onRequest: () => undefined })
  const proxy = await front(`127.0.0.1:${upstream.port}`, { read: 200 }, { timeouts: { read: LONG } })
  expect((await (await ask(proxy, get('/own'))).response()).status).toBe(504)
  expect((await proxy.recorded(() => true)).failure).toBe('response-timeout')
})

for (const version of [1, 2]) {
  it(`a backend of HTTP/${version} has as long to take the request as the route says`, async () => {
    const { port } = version === 1 ? await upstreamWith({ onConnection: ({ socket }) => socket.pause() }) : await notTaking()
    const proxy = await front(`127.0.0.1:${port}`, { send: LONG }, { timeouts: { send: 300, requestBody: LONG } }, version === 2)
    const own = await ask(proxy, post('/own'))
    own.socket.write(Buffer.alloc(40_000_000))
    for (let i = 0; i < 2; i++) {
      const other = await ask(proxy, post('/other'))
      other.socket.write(Buffer.alloc(40_000_000))
      expect((await other.response()).status).toBe(504)
    }
    expect(proxy.records.map(({ path }) => path)).toEqual(['/other', '/other'])
  })
}

/** HTTP/2 whose streams are never read from. */
async function notTaking(): Promise<{ readonly port: number }> {
  const backend = await startHttp2Backend((stream) => stream.pause())
  ends.push(() => backend.close())
  return backend
}

it('a backend of HTTP/2 has as long to answer as the route says, over the session of others', async () => {
  const held: ServerHttp2Stream[] = []
  const { port, close, sessions } = await startHttp2Backend((stream) => void held.push(stream))
  ends.push(close)
  const proxy = await front(`127.0.0.1:${port}`, { read: LONG }, { timeouts: { read: 300 }, pool: { tries: 1 } }, true)
  const own = await ask(proxy, get('/own'))
  await expect.poll(() => held.length).toBe(1)
  expect((await (await ask(proxy, get('/other'))).response()).status).toBe(504)
  expect(sessions.length).toBe(1)
  held[0]?.respond({ ':status': 200 })
  held[0]?.write('some')
  await own.until(() => own.text().includes('some'))
  expect((await (await ask(proxy, get('/other'))).response()).status).toBe(504)
  held[0]?.end('rest')
  await own.until(() => own.text().includes('rest'))
})

for (const http2Backend of [false, true]) {
  it(`an endpoint has as long to take a connection of HTTP/${http2Backend ? 2 : 1} as the route says`, async () => {
    const { port, close } = await fullQueue()
    ends.push(close)
    const endpoint = `127.0.0.1:${port}`
    const short = await front(endpoint, { connect: 200 }, { timeouts: { connect: LONG } }, http2Backend)
    expect((await (await ask(short, get('/own'))).response()).status).toBe(504)
    expect((await short.recorded(() => true)).failure).toBe('connect-timeout')
    const long = await front(endpoint, { connect: LONG }, { timeouts: { connect: 200 } }, http2Backend)
    await ask(long, get('/own'))
    for (let i = 0; i < 2; i++) expect((await (await ask(long, get('/other'))).response()).status).toBe(504)
    expect(long.records.map(({ path }) => path)).toEqual(['/other', '/other'])
  })
}

it('connecting is not reading: a request with an empty body has no more time for it', async () => {
  const { port, close } = await fullQueue()
  ends.push(close)
  const proxy = await front(`127.0.0.1:${port}`, {}, { timeouts: { connect: 200, read: LONG }, http2: CLEARTEXT })
  const session = connect(`http://127.0.0.1:${proxy.port}`)
  ends.push(() => session.destroy())
  const stream = session.request({ ':method': 'POST', ':authority': 'a' }, { endStream: true })
  const [head] = await once(stream, 'response')
  expect(head[':status']).toBe(504)
  expect((await (await ask(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')).response()).status).toBe(504)
})

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n'

it('a tunnel may be silent for as long as the route gives its backend to answer', async () => {
  const upstream = await upstreamWith({
    onHead({ connection }) {
      connection.raw = true
      connection.socket.write(SWITCH)
    },
  })
  const proxy = await front(`127.0.0.1:${upstream.port}`, { read: LONG }, { timeouts: { tunnel: 300 }, http2: CLEARTEXT })
  const upgrade = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n`
  const own = await ask(proxy, upgrade('/own'))
  expect((await own.response()).status).toBe(101)
  const session = connect(`http://127.0.0.1:${proxy.port}`)
  ends.push(() => session.destroy())
  await once(session, 'remoteSettings')
  const stream = session.request({ ':method': 'CONNECT', ':protocol': 'talk', ':scheme': 'http', ':authority': 'a', ':path': '/own' })
  await once(stream, 'response')
  for (let i = 0; i < 2; i++) {
    const other = await ask(proxy, upgrade('/other'))
    expect((await other.response()).status).toBe(101)
    await other.finished()
  }
  expect(proxy.proxy.connections().tunnels).toBe(2)
  own.send('still here')
  stream.write('so am I')
  await upstream.until(() => upstream.connections[0]?.received.endsWith('still here') === true && upstream.connections[1]?.received.endsWith('so am I') === true)
})

it('a client may be silent in a stream for as long as its backend may', async () => {
  const streams = new Map<string, ServerHttp2Stream>()
  const { port, close } = await startHttp2Backend((stream, headers) => {
    streams.set(String(headers[':path']), stream)
    stream.respond({ ':status': 200 })
    stream.on('error', () => undefined)
  })
  ends.push(close)
  const proxy = await front(`127.0.0.1:${port}`, { read: LONG, send: LONG }, { timeouts: { requestBody: 300, read: 300 }, http2: CLEARTEXT }, true)
  const session = connect(`http://127.0.0.1:${proxy.port}`)
  ends.push(() => session.destroy())
  const call = (path: string) => session.request({ ':method': 'POST', ':authority': 'a', ':path': path, 'content-type': 'application/grpc' }).on('error', () => undefined)
  const silent = call('/own')
  const raw = await ask(proxy, 'POST /own/raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (const path of ['/other', '/another']) {
    const other = call(path)
    other.resume()
    await new Promise((resolve) => other.once('close', resolve))
  }
  let heard = ''
  silent.on('data', (bytes: Buffer) => (heard += String(bytes)))
  streams.get('/own')?.on('data', (bytes: Buffer) => void streams.get('/own')?.write(bytes))
  silent.write('hello')
  await expect.poll(() => heard).toBe('hello')
  raw.send('1\r\nx\r\n0\r\n\r\n')
  const last = streams.get('/own/raw')
  last?.on('data', () => last.end('y'))
  await raw.until(() => raw.text().includes('y'))
})
