// Several requests on one connection: order, errors after good ones, what is ignored, what is bounded.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

let upstream: ScriptedUpstream
let proxy: TestProxy
let client: RawClient

beforeEach(async () => {
  upstream = await ScriptedUpstream.start({
    onRequest({ connection, target, body }) {
      const text = `${target} ${body}`
      connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
    },
  })
  proxy = await startProxy(toUpstream(upstream.port))
  client = await RawClient.connect(proxy.port)
})

afterEach(async () => {
  client.close()
  proxy.proxy.close()
  await upstream.stop()
})

it('S01 answers a POST with Content-Length: 0 and the GET behind it in order', async () => {
  client.send(`POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n${get('/second')}`)
  expect((await client.response()).body).toBe('/first ')
  expect((await client.response()).body).toBe('/second ')
  expect(upstream.requests.map(({ target }) => target)).toEqual(['/first', '/second'])
  expect(upstream.requests[0]?.field('content-length')).toBe('0')
})

it('S02 ignores what follows a request with Connection: close', async () => {
  client.send(get('/only', 'Connection: close\r\n') + get('/ignored'))
  const response = await client.response()
  expect(response.body).toBe('/only ')
  expect(response.field('connection')).toBe('close')
  await client.finished()
  expect(client.text()).toBe('')
  expect(upstream.requests.length).toBe(1)
})

it('S03 answers a good request in full before it refuses the malformed one behind it', async () => {
  client.send(`${get('/good')}GET /bad HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n`)
  expect((await client.response()).body).toBe('/good ')
  const refused = await client.response()
  expect(refused.status).toBe(400)
  expect(refused.field('connection')).toBe('close')
  await client.finished()
  expect(upstream.requests.length).toBe(1)
})

it('P01 answers two pipelined requests', async () => {
  client.send(get('/1') + get('/2'))
  expect((await client.response()).body).toBe('/1 ')
  expect((await client.response()).body).toBe('/2 ')
})

it('P02 answers a good request, then refuses garbage', async () => {
  client.send(`${get('/1')}BAD\r\n\r\n`)
  expect((await client.response()).status).toBe(200)
  expect((await client.response()).status).toBe(400)
  await client.finished()
})

it('S09 keeps the order of 100 pipelined requests with one in flight at a time', async () => {
  let most = 0
  const { script } = upstream
  upstream.script = {
    onRequest(request) {
      most = Math.max(most, upstream.connections.length)
      setImmediate(() => script.onRequest?.(request))
    },
  }
  const paths = Array.from({ length: 100 }, (_, i) => `/${i}`)
  client.send(paths.map((path) => get(path)).join(''))
  for (const path of paths) expect((await client.response()).body).toBe(`${path} `)
  expect(most).toBe(1)
})

it('S09 stops reading what a client sends far ahead', async () => {
  let release: (() => void) | undefined
  upstream.script = {
    onRequest({ connection }) {
      release = () => connection.socket.write(OK)
      if (upstream.requests.length > 1) release()
    },
  }
  client.send(get('/held'))
  await upstream.until(() => upstream.requests.length === 1)
  const many = get('/ahead', `X-Filler: ${'x'.repeat(4000)}\r\n`).repeat(5000)
  client.send(many)
  // The kernel's buffers take some, the proxy a little: most of it must stay with the client.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(client.socket.writableLength).toBeGreaterThan(many.length / 4)
  release?.()
  expect((await client.response()).status).toBe(200)
  expect((await client.response()).status).toBe(200)
})

it('S10 accepts up to four empty lines before a request line', async () => {
  client.send(`\r\n${get('/1')}\r\n\r\n\r\n\r\n${get('/2')}`)
  expect((await client.response()).body).toBe('/1 ')
  expect((await client.response()).body).toBe('/2 ')
})

it('S10 refuses a fifth empty line', async () => {
  client.send('\r\n'.repeat(5) + get('/1'))
  expect((await client.response()).status).toBe(400)
  await client.finished()
  expect(upstream.requests.length).toBe(0)
})

it('closes after the last request that a connection may carry', async () => {
  proxy.proxy.close()
  proxy = await startProxy(toUpstream(upstream.port), { limits: { requestsPerConnection: 2 } })
  client = await RawClient.connect(proxy.port)
  client.send(get('/1') + get('/2') + get('/3'))
  expect((await client.response()).field('connection')).toBeUndefined()
  expect((await client.response()).field('connection')).toBe('close')
  await client.finished()
  expect(client.text()).toBe('')
})
