// Requests of HTTP/2 side by side: what one of them does is no matter to the others, and what becomes of one is told to both of its sides.
// The client is Python's h2.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Http2TestClient, request } from '../support/http2-client.ts'
import { OK, ScriptedUpstream, type UpstreamSide } from '../support/scripted-upstream.ts'
import { CLEARTEXT } from '../support/secure.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const INTERNAL_ERROR = 2
const CANCEL = 8

let upstream: ScriptedUpstream
let proxy: TestProxy
let client: Http2TestClient

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(toUpstream(upstream.port), { http2: CLEARTEXT, limits: { bodyBytes: 0 } })
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

it('answers a fast request while a slow one waits', async () => {
  let answerSlow: () => void = () => undefined
  upstream.script = {
    onRequest({ connection, target }) {
      if (target !== '/slow') connection.socket.write(OK)
      else answerSlow = () => connection.socket.write(OK)
    },
  }
  connect()
  const slow = client.head(request('GET', '/slow'))
  for (let i = 0; i < 5; i++) expect((await client.get('/fast')).body).toBe('ok')
  expect(client.of(slow, 'response').length).toBe(0)
  answerSlow()
  expect((await client.response(slow)).body).toBe('ok')
})

it('is not held up by a reader that takes nothing of its response', async () => {
  const large = 10_000_000
  let sent = 0
  upstream.script = {
    onRequest({ connection, target }) {
      if (target !== '/large') return connection.socket.write(OK)
      connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large}\r\n\r\n`)
      const go = (): void => {
        while (sent < large) {
          sent += 100_000
          if (!connection.socket.write(Buffer.alloc(100_000, 120))) return
        }
      }
      connection.socket.on('drain', go)
      go()
      return undefined
    },
  }
  connect()
  client.order({ do: 'hold', stream: 1 })
  const held = client.head(request('GET', '/large'))
  await client.event((event) => event.stream === held && event.event === 'data')
  for (let i = 0; i < 20; i++) expect((await client.get('/small')).body).toBe('ok')
  // The client's window, what the sockets of both sides hold, and no more.
  expect(client.of(held, 'data').reduce((sum, { data }) => sum + (data?.length ?? 0), 0)).toBe(65_535)
  expect(sent).toBeLessThan(large)
  client.order({ do: 'reset', stream: held, code: CANCEL })
  await proxy.recorded(({ path, failure }) => path === '/large' && failure === 'client-gone')
})

it('is not held up by a backend that takes nothing of a request', async () => {
  upstream.script = {
    onHead({ connection, target }) {
      if (target === '/stuck') connection.socket.pause()
    },
    onRequest: ({ connection }) => connection.socket.write(OK),
  }
  connect()
  const stuck = client.head(request('POST', '/stuck'), false)
  // As much as the window lets through.
  for (let i = 0; i < 4; i++) client.data(stuck, 'x'.repeat(16_000))
  await upstream.until(() => upstream.connections.some(({ received }) => received.includes('POST /stuck')))
  for (let i = 0; i < 20; i++) {
    const stream = client.head(request('POST', '/fine'), false)
    client.data(stream, 'y'.repeat(10_000), true)
    expect((await client.response(stream)).body).toBe('ok')
  }
})

it('gives the backend up when the client resets its stream', async () => {
  let side: UpstreamSide | undefined
  upstream.script = { onHead: ({ connection }) => (side = connection) }
  connect()
  const stream = client.head(request('GET', '/abandoned'))
  await upstream.until(() => side !== undefined)
  client.order({ do: 'reset', stream, code: CANCEL })
  await upstream.until(() => side?.ended === true)
  expect(await proxy.recorded(({ path }) => path === '/abandoned')).toMatchObject({ status: 499, failure: 'client-gone', protocol: '2' })
  upstream.script = {}
  expect((await client.get('/next')).body).toBe('ok')
})

it('gives all of them up when the connection goes', async () => {
  const sides: UpstreamSide[] = []
  upstream.script = { onHead: ({ connection }) => sides.push(connection) }
  connect()
  for (let i = 0; i < 10; i++) client.head(request('GET', '/gone'))
  await upstream.until(() => sides.length === 10)
  client.close()
  await upstream.until(() => sides.every(({ ended }) => ended))
  expect(proxy.records.filter(({ path, failure }) => path === '/gone' && failure === 'client-gone').length).toBe(10)
})

it('resets the stream whose backend fails within the response', async () => {
  upstream.script = {
    onRequest({ connection, target }) {
      if (target === '/cut') connection.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
      else connection.socket.write(OK)
    },
  }
  connect()
  const cut = await client.get('/cut')
  expect([cut.status, cut.body, cut.reset]).toEqual([200, 'half', INTERNAL_ERROR])
  expect((await client.get('/')).body).toBe('ok')
})

it('answers 502 when it fails before', async () => {
  upstream.script = { onRequest: ({ connection }) => connection.socket.end('nonsense\r\n\r\n') }
  connect()
  const response = await client.get('/bad')
  expect([response.status, response.reset]).toEqual([502, undefined])
  expect(response.body).toContain('502 Bad Gateway')
})

it('stops a client that still uploads when it is answered', async () => {
  upstream.script = { onHead: ({ connection }) => connection.socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno') }
  connect()
  const stream = client.head(request('POST', '/early'), false)
  await client.event((event) => event.stream === stream && event.event === 'reset')
  const response = await client.response(stream)
  expect([response.status, response.body]).toEqual([403, 'no'])
  expect(client.of(stream, 'reset')[0]?.code).toBe(0)
})

it('serves a hundred streams at once, and says how many there may be', async () => {
  upstream.script = { onRequest: ({ connection, target }) => connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`) }
  connect()
  await client.event(({ event }) => event === 'settings')
  expect(client.events.find(({ event }) => event === 'settings')?.settings?.['3']).toBe(128)
  const streams = Array.from({ length: 100 }, (_, i) => client.head(request('GET', `/${i}`)))
  const bodies = await Promise.all(streams.map(async (stream) => (await client.response(stream)).body))
  expect(bodies).toEqual(streams.map((_, i) => `/${i}`))
})
