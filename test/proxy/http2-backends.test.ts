// HTTP/2 towards backends, held against node:http2: what requests and responses become, sessions and their streams, and how they end.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, constants, type ServerHttp2Stream } from 'node:http2'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { startHttp2Backend, type Http2Backend } from '../support/http2-backend.ts'
import { H2C, overTls, spoken } from '../support/backend-protocol.ts'
import { eventually } from '../support/fetch-host.ts'
import { RawClient } from '../support/raw-client.ts'
import { CLEARTEXT, makePair, testContexts } from '../support/secure.ts'
import { routing, startProxy, type TestProxy, type TestProxyOptions } from '../support/test-proxy.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function backend(...args: Parameters<typeof startHttp2Backend>): Promise<Http2Backend> {
  const made = await startHttp2Backend(...args)
  ends.push(() => made.close())
  return made
}

async function front(ports: readonly number[], options: TestProxyOptions = {}): Promise<TestProxy> {
  const proxy = await startProxy(spoken(routing([{ host: '127.0.0.1', backend: 'web' }], { web: ports.map((port) => `127.0.0.1:${port}`) }), H2C), options)
  ends.push(() => proxy.proxy.close())
  return proxy
}

const get = (proxy: TestProxy, path = '/', init: RequestInit = {}): Promise<Response> => fetch(`http://127.0.0.1:${proxy.port}${path}`, init)

test('a request and its response are the same in the other version', async () => {
  let seen: object = {}
  const { port } = await backend((stream, headers) => {
    seen = { ...headers }
    stream.respond({ ':status': 201, 'x-answer': ['a', 'b'], 'content-length': 5 })
    stream.end('hello')
  })
  const proxy = await front([port])
  const response = await get(proxy, '/p?q=%20', { method: 'POST', body: 'question', headers: { 'X-Ask': 'Ä' } })
  expect([response.status, await response.text(), response.headers.get('x-answer'), response.headers.get('content-length')]).toEqual([201, 'hello', 'a, b', '5'])
  expect(seen).toMatchObject({ ':method': 'POST', ':scheme': 'http', ':authority': `127.0.0.1:${proxy.port}`, ':path': '/p?q=%20', te: 'trailers', 'content-length': '8', 'x-ask': 'Ä', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': `127.0.0.1:${proxy.port}` })
  expect(Object.keys(seen).filter((name) => ['connection', 'keep-alive', 'transfer-encoding', 'host'].includes(name))).toEqual([])
})

test('bodies of any length and trailers go both ways', async () => {
  const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251))
  let trailers: unknown
  const { port } = await backend((stream) => {
    stream.on('trailers', (fields: object) => (trailers = { ...fields }))
    stream.respond({ ':status': 200, 'x-empty': '' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'my_key-bin': 'AAE=' }))
    stream.pipe(stream)
  })
  const proxy = await front([port], { limits: { bodyBytes: 0 } })
  const answer = await get(proxy, '/', { method: 'POST', body })
  expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true)
  const raw = await RawClient.connect(proxy.port)
  ends.push(() => raw.socket.destroy())
  raw.send('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n')
  await raw.until(() => raw.text().endsWith('\r\n\r\n') && raw.text().includes('grpc-status'))
  expect(raw.text()).toContain('\r\n\r\n3\r\nabc\r\n0\r\ngrpc-status: 0\r\nmy_key-bin: AAE=\r\n\r\n')
  expect(trailers).toMatchObject({ 'x-t': '1' })
})

test('trailers follow a body of known length where the client speaks HTTP/2', async () => {
  const { port } = await backend((stream, headers) => {
    stream.respond({ ':status': 200, 'content-length': headers[':path'] === '/empty' ? 0 : 5 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'abc' }))
    stream.end(headers[':path'] === '/empty' ? '' : 'hello')
  })
  const proxy = await front([port], { http2: CLEARTEXT })
  const session = connect(`http://127.0.0.1:${proxy.port}`)
  ends.push(() => session.destroy())
  for (const [path, length, body] of [['/', '5', 'hello'], ['/empty', '0', '']] as const) {
    const request = session.request({ ':path': path })
    const seen: object[] = []
    let text = ''
    request.on('response', (fields) => seen.push({ length: fields['content-length'] }))
    request.on('trailers', (fields) => seen.push({ sum: fields['x-sum'] }))
    request.setEncoding('latin1').on('data', (piece: string) => (text += piece))
    await once(request, 'end')
    expect([...seen, text]).toEqual([{ length }, { sum: 'abc' }, body])
  }
  // HTTP/1.1 has no place for them.
  expect(await (await get(proxy)).text()).toBe('hello')
})

test('a response without a body, to HEAD, 204, 304, and interim ones', async () => {
  const { port } = await backend((stream, headers) => {
    if (headers[':path'] === '/interim') stream.additionalHeaders({ ':status': 103, link: '</a>' })
    if (headers[':path'] === '/interim') stream.respond({ ':status': 200 }, { endStream: true })
    else if (headers[':method'] === 'HEAD') stream.respond({ ':status': 200, 'content-length': 7 }, { endStream: true })
    else stream.respond({ ':status': Number(headers[':path']?.slice(1)) }, { endStream: true })
  })
  const proxy = await front([port])
  for (const status of [200, 204, 304, 500]) expect((await get(proxy, `/${status}`)).status).toBe(status)
  const head = await get(proxy, '/', { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '7'])
  const raw = await RawClient.connect(proxy.port)
  ends.push(() => raw.socket.destroy())
  raw.send('GET /interim HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await raw.until(() => raw.text().includes('HTTP/1.1 200'))
  expect(raw.text()).toMatch(/^HTTP\/1\.1 103 .*\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200 /)
  expect(raw.text()).toContain('Content-Length: 0')
})

test('many requests share one session, and no more than the backend takes at once', async () => {
  let most = 0
  let open = 0
  const { sessions, port } = await backend(
    (stream) => {
      most = Math.max(most, ++open)
      stream.on('close', () => open--)
      setImmediate(() => stream.close === undefined || (stream.respond({ ':status': 200 }), stream.end('ok')))
    },
    { settings: { maxConcurrentStreams: 10 } },
  )
  const proxy = await front([port], { pool: { sessionsPerEndpoint: 3 } })
  expect((await get(proxy)).status).toBe(200)
  const answers = await Promise.all(Array.from({ length: 200 }, async () => (await get(proxy)).text()))
  expect(answers.every((text) => text === 'ok')).toBe(true)
  expect(sessions.length).toBeLessThanOrEqual(3)
  expect(most).toBeLessThanOrEqual(30)
})

test('what finds no room waits, and not for ever', async () => {
  const held: ServerHttp2Stream[] = []
  const { port } = await backend((stream) => void held.push(stream), { settings: { maxConcurrentStreams: 1 } })
  const proxy = await front([port], { pool: { sessionsPerEndpoint: 1, queuePerEndpoint: 1, queueTimeout: 300 } })
  const first = get(proxy)
  await eventually(async () => held.length, (count) => count === 1)
  const second = get(proxy)
  expect((await second).status).toBe(503)
  const third = get(proxy)
  held[0]?.respond({ ':status': 200 })
  held[0]?.end('first')
  expect(await (await first).text()).toBe('first')
  await eventually(async () => held.length, (count) => count === 2)
  held[1]?.respond({ ':status': 200 })
  held[1]?.end('third')
  expect(await (await third).text()).toBe('third')
})

test('GOAWAY and REFUSED_STREAM cost no request, whatever its method', async () => {
  let refused = 0
  let answered = 0
  const { port, sessions } = await backend((stream) => {
    if (refused < 3) {
      refused++
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
      return
    }
    stream.respond({ ':status': 200 })
    stream.end('ok')
    if (++answered % 5 === 0) stream.session?.close()
  })
  const proxy = await front([port])
  for (let i = 0; i < 40; i++) expect(await (await get(proxy, '/', { method: 'POST', body: 'x' })).text()).toBe('ok')
  expect(refused).toBe(3)
  expect(sessions.length).toBeGreaterThan(5)
})

test('a client that leaves cancels its stream, and the session goes on', async () => {
  const codes: number[] = []
  const { port, sessions } = await backend((stream, headers) => {
    stream.on('close', () => codes.push(stream.rstCode))
    stream.respond({ ':status': 200 })
    if (headers[':path'] === '/held') stream.write('begun')
    else stream.end('ok')
  })
  const proxy = await front([port])
  const raw = await RawClient.connect(proxy.port)
  raw.send('GET /held HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await raw.until(() => raw.text().includes('begun'))
  raw.socket.destroy()
  await eventually(async () => codes, (list) => list.length === 1)
  expect(codes).toEqual([constants.NGHTTP2_CANCEL])
  expect(await (await get(proxy)).text()).toBe('ok')
  expect(sessions.length).toBe(1)
})

test('a stream that is reset is 502 before its head, and cut behind it', async () => {
  const { port } = await backend((stream, headers) => {
    if (headers[':path'] === '/late') {
      stream.respond({ ':status': 200 })
      stream.write('begun', () => stream.destroy(new Error('on purpose')))
    } else stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  })
  const proxy = await front([port])
  expect((await get(proxy, '/', { method: 'POST' })).status).toBe(502)
  await expect(get(proxy, '/late').then((response) => response.text())).rejects.toThrow()
  expect(proxy.records.map(({ failure }) => failure)).toEqual(['response-cut', 'response-cut'])
})

test('clients of HTTP/2 hear the code that a stream was reset with: behind its head all, before it those of gRPC', async () => {
  const { port } = await backend((stream, headers) => {
    const code = Number(headers['x-code'])
    if (headers[':path'] !== '/late') return stream.close(code)
    stream.respond({ ':status': 200 })
    // Node would end the stream before it resets it.
    return stream.write('begun', () => stream.destroy(new Error('on purpose')))
  })
  const proxy = await front([port], { http2: CLEARTEXT })
  const session = connect(`http://127.0.0.1:${proxy.port}`)
  ends.push(() => session.destroy())
  const codeOf = async (path: string, code: number, type: string): Promise<number> => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'x-code': String(code), 'content-type': type }, { endStream: true })
    stream.on('error', () => undefined).resume()
    await new Promise((resolve) => stream.on('close', resolve))
    return stream.rstCode
  }
  expect(await codeOf('/late', 0, 'text/plain')).toBe(constants.NGHTTP2_INTERNAL_ERROR)
  expect(await codeOf('/', constants.NGHTTP2_ENHANCE_YOUR_CALM, 'application/grpc')).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  expect(await codeOf('/', constants.NGHTTP2_ENHANCE_YOUR_CALM, 'text/plain')).toBe(0)
  expect(proxy.records.map(({ status }) => status)).toEqual([200, 502, 502])
})

test('AUTO_HTTP is TLS for requests that came over TLS, and for no others', async () => {
  const { createServer } = await import('node:https')
  const pair = makePair('backend.example')
  const secure = createServer({ key: pair.privateKey, cert: pair.certificate }, (_request, response) => response.end('in TLS')).listen(0, '127.0.0.1')
  await once(secure, 'listening')
  ends.push(() => secure.close())
  const address = secure.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const config = spoken(routing([{ host: '*', backend: 'web' }], { web: [`127.0.0.1:${port}`] }), overTls({}, { asClient: true }))
  const [tls, plain] = await Promise.all([startProxy(config, { contexts: testContexts(makePair('a')) }), startProxy(config)])
  ends.push(() => tls.proxy.close(), () => plain.proxy.close())
  const { stdout } = await promisify(execFile)('curl', ['-sk', `https://127.0.0.1:${tls.port}/`])
  expect(stdout).toBe('in TLS')
  // What comes of HTTP at the port of TLS.
  expect([400, 502]).toContain((await get(plain)).status)
})

test('a backend that is no HTTP/2 is 502, and silence 504', async () => {
  const { createServer } = await import('node:net')
  const plain = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  ends.push(() => plain.close())
  const address = plain.address()
  const proxy = await front([typeof address === 'object' && address !== null ? address.port : 0])
  expect((await get(proxy)).status).toBe(502)
  const { port } = await backend(() => undefined)
  expect((await get(await front([port], { timeouts: { read: 200 } }))).status).toBe(504)
})

test('an endpoint that leaves lets its streams finish and closes its sessions', async () => {
  const held: ServerHttp2Stream[] = []
  const one = await backend((stream) => void held.push(stream))
  const two = await backend((stream) => {
    stream.respond({ ':status': 200 })
    stream.end('two')
  })
  const proxy = await front([one.port])
  const first = get(proxy)
  await eventually(async () => held.length, (count) => count === 1)
  proxy.route(spoken(routing([{ host: '127.0.0.1', backend: 'web' }], { web: [`127.0.0.1:${two.port}`] }), H2C))
  expect(await (await get(proxy)).text()).toBe('two')
  held[0]?.respond({ ':status': 200 })
  held[0]?.end('one')
  expect(await (await first).text()).toBe('one')
  await eventually(async () => one.open(), (count) => count === 0)
})

test('a backend that does not read holds its client back, over HTTP/2 and HTTP/1.1', async () => {
  const { port } = await backend((stream) => stream.pause())
  const proxy = await front([port], { http2: CLEARTEXT, limits: { bodyBytes: 0 } })
  const session = connect(`http://127.0.0.1:${proxy.port}`)
  ends.push(() => session.destroy())
  const stream = session.request({ ':method': 'POST', ':authority': '127.0.0.1' }).on('error', () => undefined)
  const raw = await RawClient.connect(proxy.port)
  ends.push(() => raw.socket.destroy())
  raw.send('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\n')
  for (const writable of [stream, raw.socket]) {
    let poured = 0
    const chunk = Buffer.alloc(65_536)
    const pour = (): void => {
      do poured += chunk.length
      while (!writable.destroyed && poured < 100_000_000 && writable.write(chunk))
      if (poured < 100_000_000) writable.once('drain', pour)
    }
    pour()
    await eventually(async () => {
      const before = poured
      await new Promise((resolve) => setTimeout(resolve, 100))
      return poured === before
    }, Boolean)
    // The windows and buffers on the way, and no more.
    expect(poured).toBeLessThan(20_000_000)
  }
})

test('a backend that is silent while requests are open is sent PINGs, where that is asked for', async () => {
  let pings = 0
  const { port } = await backend((stream) => void stream.session?.on('ping', () => pings++))
  const proxy = await front([port], { pool: { sessionPingInterval: 200 } })
  const raw = await RawClient.connect(proxy.port)
  ends.push(() => raw.socket.destroy())
  raw.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await eventually(async () => pings, (count) => count >= 1)
})

test('an idle session closes after its time', async () => {
  const { port, open } = await backend((stream) => {
    stream.respond({ ':status': 200 })
    stream.end('ok')
  })
  const proxy = await front([port], { pool: { idleTimeout: 200 } })
  await (await get(proxy)).text()
  expect(proxy.proxy.connections()).toMatchObject({ upstream: 1, idleUpstream: 1 })
  await eventually(async () => open(), (count) => count === 0)
  await eventually(async () => proxy.proxy.connections().upstream, (count) => count === 0)
})

test('a client that does not read holds the backend back, and other streams of the session go on', async () => {
  let poured = 0
  const { port, sessions } = await backend((stream, headers) => {
    stream.respond({ ':status': 200 })
    if (headers[':path'] === '/flood') {
      const chunk = Buffer.alloc(65_536)
      const pour = (): void => {
        do poured += chunk.length
        while (!stream.destroyed && stream.write(chunk))
        stream.once('drain', pour)
      }
      pour()
    } else stream.end('ok')
  })
  const proxy = await front([port])
  const slow = await RawClient.connect(proxy.port)
  ends.push(() => slow.socket.destroy())
  slow.socket.pause()
  slow.send('GET /flood HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await eventually(async () => {
    const before = poured
    await new Promise((resolve) => setTimeout(resolve, 50))
    return before > 0 && poured === before
  }, Boolean)
  for (let i = 0; i < 20; i++) expect(await (await get(proxy)).text()).toBe('ok')
  expect(sessions.length).toBe(1)
})
