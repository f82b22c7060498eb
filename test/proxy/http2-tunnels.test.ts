// WebSocket over HTTP/2 (RFC 8441): a stream as the end of a tunnel, to a backend that knows only HTTP/1.1's upgrade. Python's h2 speaks to
// the `ws` package, and to a backend that does what it should not.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { Http2TestClient, request, type Fields } from '../support/http2-client.ts'
import { ScriptedUpstream, type UpstreamRequest, type UpstreamSide } from '../support/scripted-upstream.ts'
import { CLEARTEXT } from '../support/secure.ts'
import { routing, startProxy, type TestProxy } from '../support/test-proxy.ts'

const [INTERNAL_ERROR, CANCEL] = [2, 8]

let sockets: WebSocketServer
let upstream: ScriptedUpstream
let proxy: TestProxy
let client: Http2TestClient

beforeAll(async () => {
  sockets = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: (offered) => [...offered][0] ?? false })
  sockets.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })))
  await once(sockets, 'listening')
  upstream = await ScriptedUpstream.start()
  const hosts = [{ host: 'ws', backend: 'ws' }, { host: 'raw', backend: 'raw' }]
  proxy = await startProxy(routing(hosts, { ws: [`127.0.0.1:${(sockets.address() as AddressInfo).port}`], raw: [`127.0.0.1:${upstream.port}`] }), { http2: CLEARTEXT })
})

afterEach(() => {
  client.close()
  upstream.script = {}
})

afterAll(async () => {
  proxy.proxy.close()
  sockets.close()
  await upstream.stop()
})

const ask = (host: string, path = '/', more: Fields = []): Fields => [
  [':method', 'CONNECT'], [':protocol', 'websocket'], [':scheme', 'http'], [':authority', host], [':path', path], ['sec-websocket-version', '13'], ['origin', 'http://ws'], ...more,
]

const field = (stream: number, name: string): string | undefined => client.of(stream, 'response')[0]?.fields?.find(([each]) => each === name)?.[1]

async function connect(fields: Fields): Promise<number> {
  client = new Http2TestClient({ port: proxy.port })
  await client.event(({ event }) => event === 'settings')
  const stream = client.head(fields, false)
  await client.event((event) => event.stream === stream && (event.event === 'response' || event.event === 'reset'))
  return stream
}

/** A frame of a client, RFC 6455 section 5.2. */
function frame(text: string): string {
  const mask = randomBytes(4)
  const data = Buffer.from(text, 'latin1').map((byte, i) => byte ^ (mask[i % 4] ?? 0))
  const size = data.length < 126 ? [0x80 | data.length] : [0x80 | 126, data.length >> 8, data.length & 255]
  return Buffer.concat([Buffer.from([0x81, ...size]), mask, data]).toString('latin1')
}

const said = (stream: number): string => client.of(stream, 'data').map(({ data }) => data ?? '').join('')

function accepted({ field: of }: UpstreamRequest): string {
  const accept = createHash('sha1').update(`${of('sec-websocket-key')}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}

it('says that it is possible', async () => {
  client = new Http2TestClient({ port: proxy.port })
  expect((await client.event(({ event }) => event === 'settings')).settings?.['8']).toBe(1)
})

it('carries messages both ways, beside requests on the same connection', async () => {
  const stream = await connect(ask('ws', '/chat', [['sec-websocket-protocol', 'chat']]))
  expect([field(stream, ':status'), field(stream, 'sec-websocket-protocol'), field(stream, 'sec-websocket-accept')]).toEqual(['200', 'chat', undefined])
  for (let i = 0; i < 5; i++) {
    client.data(stream, frame(`message ${i}`))
    await client.event(() => said(stream).endsWith(`message ${i}`))
    expect((await client.get('/', [], 'nobody')).status).toBe(404)
  }
  client.data(stream, frame('x'.repeat(15_000)))
  await client.event(() => said(stream).length > 15_000)
  expect(proxy.proxy.connections().tunnels).toBe(1)
  client.data(stream, '', true)
  const { status } = await proxy.recorded(({ path }) => path === '/chat')
  expect(status).toBe(200)
  expect(proxy.proxy.connections().tunnels).toBe(0)
})

it('asks the backend as HTTP/1.1 does, with a key of its own', async () => {
  upstream.script = { onRequest: (request) => request.connection.socket.write(accepted(request)) }
  const stream = await connect(ask('raw', '/p?q', [['sec-websocket-key', 'the client has none'], ['cookie', 'a=1']]))
  expect(field(stream, ':status')).toBe('200')
  const request = upstream.requests.at(-1)
  expect([request?.method, request?.target, request?.field('upgrade'), request?.field('connection')]).toEqual(['GET', '/p?q', 'websocket', 'Upgrade'])
  expect([request?.field('sec-websocket-version'), request?.count('sec-websocket-key'), request?.field('cookie')]).toEqual(['13', 1, 'a=1'])
  expect(Buffer.from(request?.field('sec-websocket-key') ?? '', 'base64').length).toBe(16)
})

it('delivers a refusal as it is', async () => {
  upstream.script = { onRequest: ({ connection }) => connection.socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno') }
  const stream = await connect(ask('raw'))
  await client.response(stream)
  expect([field(stream, ':status'), said(stream)]).toEqual(['403', 'no'])
})

it('believes no backend that did not see the key', async () => {
  upstream.script = { onRequest: ({ connection }) => connection.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n') }
  const stream = await connect(ask('raw'))
  expect(client.of(stream, 'reset')[0]?.code).toBe(INTERNAL_ERROR)
})

it('keeps a backend that was not believed apart from the requests that follow', async () => {
  const held = new Map<string, UpstreamSide>()
  upstream.script = {
    onRequest({ connection, target }) {
      if (target !== '/ws') held.set(target, connection)
      else connection.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n')
    },
  }
  const before = proxy.records.length
  await connect(ask('raw', '/ws'))
  await upstream.until(() => upstream.connections.at(-1)?.closed === true)
  const targets = ['/one', '/two', '/three']
  const streams = targets.map((target) => client.head(request('GET', target, 'raw')))
  await upstream.until(() => held.size === targets.length)
  for (const target of targets.toReversed()) held.get(target)?.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`)
  expect(await Promise.all(streams.map(async (stream) => (await client.response(stream)).body))).toEqual(targets)
  expect(proxy.records.slice(before).map(({ path }) => path).toSorted()).toEqual([...targets, '/ws'].toSorted())
})

it('takes no other success for a tunnel, and no client that has ended already', async () => {
  upstream.script = { onRequest: ({ connection }) => connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno') }
  const stream = await connect(ask('raw'))
  expect(field(stream, ':status')).toBe('502')
  const ended = client.head(ask('raw'), true)
  expect((await client.response(ended)).status).toBe(400)
})

it('knows no protocol that carries requests again, and no body with a length', async () => {
  const fields = ask('raw').map(([name, value]): [string, string] => [name, name === ':protocol' ? 'h2c' : value])
  const refused = await connect(fields)
  expect(field(refused, ':status')).toBe('400')
  client.close()
  const malformed = await connect(ask('raw', '/', [['content-length', '5']]))
  expect(client.of(malformed, 'reset')[0]?.code).toBe(1)
})

it('ends each direction on its own', async () => {
  let side: UpstreamSide | undefined
  upstream.script = {
    onRequest(request) {
      side = request.connection
      side.raw = true
      side.socket.write(`${accepted(request)}hello`)
    },
  }
  const stream = await connect(ask('raw'))
  await client.event(() => said(stream) === 'hello')
  client.data(stream, 'bye', true)
  await upstream.until(() => side?.ended === true && side.received.endsWith('bye'))
  side?.socket.end('last words')
  await client.event((event) => event.stream === stream && event.event === 'end')
  expect([said(stream), client.of(stream, 'reset').length]).toEqual(['hellolast words', 0])
})

it('tells each side that the other one was cut', async () => {
  const sides: UpstreamSide[] = []
  upstream.script = {
    onRequest(request) {
      sides.push(request.connection)
      request.connection.raw = true
      request.connection.socket.write(accepted(request))
    },
  }
  const first = await connect(ask('raw'))
  sides[0]?.socket.resetAndDestroy()
  expect((await client.event((event) => event.stream === first && event.event === 'reset')).code).toBe(CANCEL)
  const second = client.head(ask('raw'), false)
  await client.event((event) => event.stream === second && event.event === 'response')
  client.order({ do: 'reset', stream: second, code: CANCEL })
  await upstream.until(() => sides[1]?.closed === true)
})

it('holds a backend back whose client does not read, and no other stream', async () => {
  let sent = 0
  upstream.script = {
    onRequest(request) {
      const { socket } = request.connection
      request.connection.raw = true
      socket.write(accepted(request))
      const go = (): void => {
        while (sent < 50_000_000) {
          sent += 100_000
          if (!socket.write(Buffer.alloc(100_000, 120))) return
        }
      }
      socket.on('drain', go)
      go()
    },
  }
  client = new Http2TestClient({ port: proxy.port })
  await client.event(({ event }) => event === 'settings')
  client.order({ do: 'hold', stream: 1 })
  const stream = client.head(ask('raw'), false)
  await client.event(() => said(stream).length === 65_535)
  for (let i = 0; i < 10; i++) expect((await client.get('/', [], 'nobody')).status).toBe(404)
  expect(sent).toBeLessThan(50_000_000)
})
