// Responses without a body, with one of every framing, interim ones, and clients of HTTP/1.0.
import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

let upstream: ScriptedUpstream
let proxy: TestProxy
let client: RawClient

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(toUpstream(upstream.port))
})

beforeEach(async () => {
  client = await RawClient.connect(proxy.port)
})

afterEach(() => client.close())

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

/** The upstream answers every request with these bytes, then closes if asked. */
function answerWith(bytes: string, close = false): void {
  upstream.script = {
    onRequest({ connection }) {
      connection.socket.write(Buffer.from(bytes, 'latin1'))
      if (close) connection.socket.end()
    },
  }
}

const send = (requestLine: string, fields = ''): void => client.send(`${requestLine}\r\nHost: a\r\n${fields}\r\n`)

it('passes a body of known length', async () => {
  answerWith('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x00\xff\n')
  send('GET / HTTP/1.1')
  const response = await client.response()
  expect([response.field('content-length'), response.body]).toEqual(['3', '\x00\xff\n'])
})

it('passes chunks in chunks of its own, without extensions, with trailers but the forbidden ones', async () => {
  answerWith('HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 9\r\nSet-Cookie: a=b\r\n\r\n')
  send('GET / HTTP/1.1')
  const response = await client.response()
  expect(response.field('transfer-encoding')).toBe('chunked')
  expect([response.body, response.trailers]).toEqual(['hello', 'X-Sum: 9\r\n'])
})

it('turns a body that ends with its connection into chunks', async () => {
  answerWith('HTTP/1.0 200 OK\r\n\r\nhello', true)
  send('GET / HTTP/1.1')
  const response = await client.response()
  expect([response.field('transfer-encoding'), response.field('connection'), response.body]).toEqual(['chunked', undefined, 'hello'])
  send('GET / HTTP/1.1')
  expect((await client.response()).body).toBe('hello')
})

it('B07 sends an HTTP/1.0 client no chunks', async () => {
  answerWith('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')
  send('GET / HTTP/1.0', 'Connection: keep-alive\r\n')
  const response = await client.response()
  expect([response.field('transfer-encoding'), response.field('connection'), response.body]).toEqual([undefined, 'close', 'hello'])
})

it('keeps the connection of an HTTP/1.0 client that asks for it, where the length is known', async () => {
  answerWith('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  for (let i = 0; i < 2; i++) {
    send('GET / HTTP/1.0', 'Connection: Keep-Alive\r\n')
    expect((await client.response()).field('connection')).toBe('keep-alive')
  }
  send('GET / HTTP/1.0')
  expect((await client.response()).field('connection')).toBe('close')
  await client.finished()
})

it('answers HEAD with the length of the body that it leaves out', async () => {
  answerWith('HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n')
  send('HEAD / HTTP/1.1')
  expect((await client.response(true)).field('content-length')).toBe('12345')
  send('HEAD / HTTP/1.1')
  expect((await client.response(true)).status).toBe(200)
})

it('sends no framing with 204, and the length of what it stands for with 304', async () => {
  answerWith('HTTP/1.1 204 No Content\r\n\r\n')
  send('GET / HTTP/1.1')
  const empty = await client.response()
  expect([empty.status, empty.field('content-length'), empty.field('transfer-encoding')]).toEqual([204, undefined, undefined])
  answerWith('HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: "x"\r\n\r\n')
  send('GET / HTTP/1.1')
  const unchanged = await client.response()
  expect([unchanged.status, unchanged.field('content-length'), unchanged.field('etag')]).toEqual([304, '77', '"x"'])
})

it('B14 passes interim responses on in order', async () => {
  answerWith('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  send('GET / HTTP/1.1')
  const hints = await client.response()
  expect([hints.status, hints.field('link')]).toEqual([103, '</a.css>'])
  expect((await client.response()).status).toBe(102)
  expect((await client.response()).status).toBe(200)
})

it('keeps interim responses from an HTTP/1.0 client', async () => {
  answerWith('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  send('GET / HTTP/1.0')
  expect((await client.response()).status).toBe(200)
})

it('reads a response whose bytes come one at a time', async () => {
  const bytes = 'HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\nX-T: 1\r\n\r\n'
  upstream.script = {
    onRequest({ connection }) {
      let at = 0
      const next = (): void => {
        connection.socket.write(bytes.charAt(at++))
        if (at < bytes.length) setImmediate(next)
      }
      next()
    },
  }
  send('GET / HTTP/1.1')
  const response = await client.response()
  expect([response.body, response.trailers, response.field('x-a')]).toEqual(['hello world', 'X-T: 1\r\n', 'b'])
})

const EVENTS: readonly (readonly [string, string, (event: string) => string, string])[] = [
  ['chunked', 'Transfer-Encoding: chunked\r\n', (event) => `${event.length.toString(16)}\r\n${event}\r\n`, '0\r\n\r\n'],
  ['of known length', 'Content-Length: 16\r\n', (event) => event, ''],
  ['that ends with its connection', '', (event) => event, 'close'],
]

for (const [what, framing, framed, end] of EVENTS) {
  it(`passes each part of a response ${what} as it comes`, async () => {
    let backend: Socket | undefined
    upstream.script = {
      onRequest({ connection }) {
        backend = connection.socket
        backend.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${framing}\r\n`)
      },
    }
    send('GET / HTTP/1.1')
    await client.until(() => client.text().includes('event-stream'))
    for (const event of ['data: 1\n', 'data: 2\n']) {
      backend?.write(framed(event))
      await client.until(() => client.text().includes(event))
    }
    if (end === 'close') backend?.end()
    else if (end !== '') backend?.write(end)
    expect((await client.response()).body).toBe('data: 1\ndata: 2\n')
  })
}
