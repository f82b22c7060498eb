// What crosses between HTTP/2 and HTTP/1.1 beside heads and bodies: interim responses, trailers, lengths, and what is refused.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Http2TestClient, request, type Fields } from '../support/http2-client.ts'
import { OK, ScriptedUpstream, type UpstreamRequest } from '../support/scripted-upstream.ts'
import { CLEARTEXT } from '../support/secure.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const PROTOCOL_ERROR = 1

let upstream: ScriptedUpstream
let proxy: TestProxy
let client: Http2TestClient

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(toUpstream(upstream.port), { http2: CLEARTEXT, limits: { bodyBytes: 20_000 }, timeouts: { requestBody: 500 } })
})

afterEach(() => {
  client.close()
  upstream.script = {}
})

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

const connect = (): Http2TestClient => (client = new Http2TestClient({ port: proxy.port }))
const last = (): UpstreamRequest | undefined => upstream.requests.at(-1)

it('sends a body of unknown length in chunks, its trailers behind it', async () => {
  connect()
  const stream = client.head([...request('POST'), ['te', 'trailers']], false)
  client.data(stream, 'hello ')
  client.data(stream, 'world')
  client.order({ do: 'head', stream, fields: [['x-checksum', '1'], ['authorization', 'no']], end: true })
  expect((await client.response(stream)).status).toBe(200)
  expect(last()).toMatchObject({ body: 'hello world', trailers: 'x-checksum: 1\r\n' })
  expect([last()?.field('transfer-encoding'), last()?.field('te')]).toEqual(['chunked', 'trailers'])
})

it('sends a body of known length with it', async () => {
  connect()
  const stream = client.head([...request('PUT'), ['content-length', '5']], false)
  client.data(stream, 'hello', true)
  expect((await client.response(stream)).status).toBe(200)
  expect([last()?.body, last()?.field('content-length'), last()?.field('transfer-encoding')]).toEqual(['hello', '5', undefined])
})

it('sends no length and no body for a request that has none, and an empty one for one that says 0', async () => {
  connect()
  await client.get()
  expect([last()?.field('content-length'), last()?.field('transfer-encoding')]).toEqual([undefined, undefined])
  for (let i = 0; i < 2; i++) {
    const { status } = await client.response(client.head([...request('POST'), ['content-length', '0']]))
    expect([status, last()?.field('content-length')]).toEqual([200, '0'])
  }
  // Complete requests leave their connection for the next one.
  const connections = upstream.connections.length
  await client.get()
  expect(upstream.connections.length).toBe(connections)
})

it('brings trailers of the backend to the client', async () => {
  upstream.script = { onRequest: ({ connection }) => connection.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n') }
  connect()
  const response = await client.get()
  expect([response.body, response.trailers, response.field('transfer-encoding')]).toEqual(['ok', [['x-sum', '7']], undefined])
})

it('forwards 103 and what else is interim', async () => {
  upstream.script = { onRequest: ({ connection }) => connection.socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${OK}`) }
  connect()
  const response = await client.get()
  expect([response.status, response.interim]).toEqual([200, [[[':status', '103'], ['link', '</a.css>']]]])
})

it('lets a client that expects 100 wait for the backend', async () => {
  upstream.script = {
    onHead: ({ connection }) => connection.socket.write('HTTP/1.1 100 Continue\r\n\r\n'),
    onRequest: ({ connection, body }) => connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
  }
  connect()
  const stream = client.head([...request('POST'), ['expect', '100-continue'], ['content-length', '4']], false)
  await client.event((event) => event.stream === stream && event.event === 'interim')
  client.data(stream, 'data', true)
  expect((await client.response(stream)).body).toBe('data')
})

it('knows responses without a body', async () => {
  upstream.script = {
    onRequest({ connection, method, target }) {
      if (method === 'HEAD') connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n')
      else connection.socket.write(target === '/304' ? 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 9\r\n\r\n' : 'HTTP/1.1 204 No Content\r\n\r\n')
    },
  }
  connect()
  const head = await client.response(client.head(request('HEAD')))
  expect([head.status, head.field('content-length'), head.body, head.reset]).toEqual([200, '70', '', undefined])
  expect((await client.get('/204')).fields.map(([name]) => name)).not.toContain('content-length')
  const notModified = await client.get('/304')
  expect([notModified.status, notModified.field('etag'), notModified.reset]).toEqual([304, '"x"', undefined])
})

it('joins the crumbs of a cookie, and takes off what is the connection\'s', async () => {
  upstream.script = { onRequest: ({ connection }) => connection.socket.write('HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok') }
  connect()
  const response = await client.get('/', [['cookie', 'a=1'], ['x-b', '2'], ['cookie', 'b=2']])
  expect([last()?.field('cookie'), last()?.count('cookie')]).toEqual(['a=1; b=2', 1])
  expect(response.fields.map(([name]) => name)).toEqual([':status', 'server', 'date', 'content-length'])
})

it('answers what HTTP/1.1 would be answered', async () => {
  connect()
  const statusOf = async (fields: Fields): Promise<number> => (await client.response(client.head(fields))).status
  expect(await statusOf([[':method', 'CONNECT'], [':authority', 'a:80']])).toBe(405)
  expect(await statusOf(request('TRACE'))).toBe(405)
  expect(await statusOf(request('GET', `/${'x'.repeat(9000)}`))).toBe(414)
  expect(await statusOf([...request('GET'), ...Array.from({ length: 101 }, (_, i): [string, string] => [`x-${i}`, '1'])])).toBe(431)
  expect(await statusOf([...request('GET'), ...Array.from({ length: 6 }, (_, i): [string, string] => [`x-${i}`, 'y'.repeat(7000)])])).toBe(431)
  expect(await statusOf(request('GET', '/%zz'))).toBe(400)
  expect(await statusOf(request('GET', '/', 'unknown'))).toBe(404)
  expect(await statusOf([...request('POST'), ['content-length', '20001']].slice(0, 4) as Fields)).toBe(200)
})

it('limits bodies whether their length is known or not', async () => {
  connect()
  const known = client.head([...request('POST'), ['content-length', '20001']], false)
  expect((await client.response(known)).status).toBe(413)
  const unknown = client.head(request('POST'), false)
  client.data(unknown, 'x'.repeat(15_000))
  client.data(unknown, 'x'.repeat(15_000))
  expect((await client.response(unknown)).status).toBe(413)
})

it('waits for the next part of a body as long as for HTTP/1.1', async () => {
  connect()
  const stream = client.head(request('POST', '/late'), false)
  client.data(stream, 'some')
  expect((await client.response(stream)).status).toBe(408)
})

it('resets a request whose length is not that of its body', async () => {
  connect()
  const before = proxy.records.length
  for (const [length, body] of [['5', 'four'], ['3', 'four']] as const) {
    const stream = client.head([...request('POST', '/length'), ['content-length', length]], false)
    client.data(stream, body, true)
    expect((await client.response(stream)).reset).toBe(PROTOCOL_ERROR)
  }
  expect((await client.response(client.head([...request('POST', '/length'), ['content-length', '5']]))).reset).toBe(PROTOCOL_ERROR)
  expect(upstream.requests.filter(({ target }) => target === '/length')).toEqual([])
  expect(proxy.records.slice(before).map(({ status, failure }) => [status, failure])).toEqual(Array.from({ length: 3 }, () => [400, 'bad-request']))
  expect((await client.get()).status).toBe(200)
})

it('resets what is malformed, and goes on with the others', async () => {
  connect()
  for (const fields of [
    [...request('GET'), ['X-Upper', '1']],
    [...request('GET'), ['x-a', '1\r\ntransfer-encoding: chunked']],
    [...request('GET'), ['transfer-encoding', 'chunked']],
    [...request('GET'), ['connection', 'close']],
    [...request('GET'), ['te', 'gzip']],
    [...request('GET'), ['host', 'b']],
    [...request('GET'), [':path', '/']],
  ] as Fields[]) {
    const before = proxy.records.length
    expect((await client.response(client.head(fields))).reset).toBe(PROTOCOL_ERROR)
    expect(proxy.records.slice(before)).toMatchObject([{ status: 400, failure: 'bad-request', protocol: '2', bytesOut: 0 }])
  }
  expect((await client.get()).status).toBe(200)
})
