// Ends of streams that come apart from what they end: behind the last byte of a body, before a reader has read, or where no body may be.
import { connect } from 'node:http2'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { frameHead, HEADERS, LARGEST_WINDOW, PREFACE, SETTINGS_ACK, settingsText, windowUpdateText } from '../../src/http/http2/frame-text.ts'
import { encodeField } from '../../src/http/http2/hpack/encoder.ts'
import { H2C, spoken } from '../support/backend-protocol.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { eventually } from '../support/fetch-host.ts'
import { RawClient } from '../support/raw-client.ts'
import { startRawHttp2Backend, type RawAnswer } from '../support/raw-http2-backend.ts'
import { fill } from '../support/raw-tunnel.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { Http2TestClient, request } from '../support/http2-client.ts'
import { CLEARTEXT } from '../support/secure.ts'
import { routing, settingsWith, startProxy, toUpstream } from '../support/test-proxy.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil!'

for (const [method, status] of [['HEAD', 200], ['GET', 204], ['GET', 304]] as const) {
  test(`what a backend sends behind ${status} to ${method} never reaches a client of HTTP/1.1`, async () => {
    const backend = await startRawHttp2Backend((answer) => {
      answer.head(status, `content-length: ${EVIL.length}\r\n`)
      answer.data(EVIL, true)
    })
    ends.push(() => backend.close())
    const proxy = await startProxy(spoken(routing([{ host: 'a', backend: 'web' }], { web: [`127.0.0.1:${backend.port}`] }), H2C))
    ends.push(() => proxy.proxy.close())
    const client = await RawClient.connect(proxy.port)
    ends.push(() => client.close())
    client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    await client.finished()
    expect(client.text()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(client.text()).not.toContain('evil')
    expect((await proxy.recorded(() => true)).failure).toBe('response-cut')
  })
}

test('a request that ended while the connection to its backend was full is not waited for without end', async () => {
  const clock = fakeClock(1_700_000_000_000)
  const answers: RawAnswer[] = []
  const backend = await startRawHttp2Backend((answer) => void answers.push(answer))
  ends.push(() => backend.close())
  const proxy = await startProxy(spoken(routing([{ host: 'a', backend: 'web' }], { web: [`127.0.0.1:${backend.port}`] }), H2C), { clock, limits: { bodyBytes: 0 }, timeouts: { read: 1000 } })
  ends.push(() => proxy.proxy.close())
  const [small, large] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)]
  ends.push(() => small.close(), () => large.close())
  small.send('POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
  await eventually(async () => answers[0]?.received, (size) => size === 5)
  answers[0]?.socket.pause()
  large.send('POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n')
  const piece = Buffer.alloc(1024 * 1024)
  await fill(large.socket, piece)
  small.send('0\r\n\r\n')
  await fill(large.socket, piece)
  answers[0]?.socket.resume()
  await eventually(async () => answers[0]?.ended, (ended) => ended === true)
  large.close()
  for (let second = 0; second < 5; second++) await clock.advance(1000)
  expect((await proxy.recorded(({ path }) => path === '/small')).failure).toBe('response-timeout')
})

test('a session on which a request was not answered in time gets no others', async () => {
  const asked: RawAnswer[] = []
  const backend = await startRawHttp2Backend((answer) => {
    asked.push(answer)
    if (asked.length === 1 || answer.socket !== asked[0]?.socket) answer.head(200, '', true)
  })
  ends.push(() => backend.close())
  const proxy = await startProxy(spoken(routing([{ host: '127.0.0.1', backend: 'web' }], { web: [`127.0.0.1:${backend.port}`] }), H2C), { timeouts: { read: 300 } })
  ends.push(() => proxy.proxy.close())
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push((await fetch(`http://127.0.0.1:${proxy.port}/`)).status)
  expect(statuses).toEqual([200, 504, 200, 200])
  expect(asked.length).toBe(4)
})

test('a client that opens its windows and then takes nothing is given up', async () => {
  const streams = 400
  const clock = fakeClock(1_700_000_000_000)
  const upstream = await ScriptedUpstream.start({ onRequest: ({ connection }) => connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n${'x'.repeat(40_000)}`) })
  const proxy = await startProxy(toUpstream(upstream.port), { http2: { ...CLEARTEXT, wire: { ...CLEARTEXT.wire, concurrentStreams: streams } }, clock, timeouts: { send: 1000 } })
  ends.push(() => upstream.stop(), () => proxy.proxy.close())
  const client = await RawClient.connect(proxy.port)
  ends.push(() => client.close())
  const block = [[':method', 'GET'], [':scheme', 'http'], [':authority', 'a'], [':path', '/']].map(([name = '', value = '']) => encodeField(name, value)).join('')
  client.send(PREFACE + settingsText([[4, 0]]) + SETTINGS_ACK + windowUpdateText(0, LARGEST_WINDOW - 65_535))
  for (let i = 0; i < streams; i++) client.send(frameHead(block.length, HEADERS, 5, 2 * i + 1) + block)
  // All of them wait in the proxy.
  await eventually(async () => proxy.proxy.connections(), ({ upstream: all, idleUpstream }) => upstream.requests.length === streams && all === idleUpstream)
  client.socket.pause()
  client.send(settingsText([[4, LARGEST_WINDOW]]))
  await eventually(async () => {
    await clock.advance(500)
    return proxy.proxy.connections().clients
  }, (clients) => clients === 0)
  expect(proxy.records.some(({ failure }) => failure === 'client-gone')).toBe(true)
})

test('a limit of requests that is lowered below what was served ends the connection all the same', async () => {
  const http2 = CLEARTEXT
  const proxy = await startProxy(routing([], {}), { http2 })
  ends.push(() => proxy.proxy.close())
  const session = connect(`http://127.0.0.1:${proxy.port}`).on('error', () => undefined)
  ends.push(() => session.destroy())
  const ask = async (): Promise<void> => {
    const stream = session.request({ ':path': '/' })
    stream.resume()
    await once(stream, 'close')
  }
  for (let i = 0; i < 3; i++) await ask()
  const gone = once(session, 'goaway')
  proxy.proxy.configure(settingsWith({ http2, limits: { requestsPerConnection: 2 } }))
  await ask()
  await gone
})

test('a client that has its answer coming is not asked again for the rest of its request', async () => {
  const clock = fakeClock(1_700_000_000_000)
  const proxy = await startProxy(routing([], {}), { http2: CLEARTEXT, clock, timeouts: { requestBody: 1000 } })
  ends.push(() => proxy.proxy.close())
  // Takes heads only.
  const session = connect(`http://127.0.0.1:${proxy.port}`, { settings: { initialWindowSize: 0 } }).on('error', () => undefined)
  ends.push(() => session.destroy())
  await once(session, 'localSettings')
  const stream = session.request({ ':method': 'POST', ':path': '/' }, { endStream: false }).on('error', () => undefined)
  const closed = once(stream, 'close')
  await once(stream, 'response')
  await clock.advance(5000)
  let body = ''
  stream.setEncoding('latin1').on('data', (text: string) => (body += text))
  session.settings({ initialWindowSize: 65_535 })
  await once(stream, 'end')
  await clock.advance(1000)
  await closed
  expect(body).toContain('404 Not Found')
  expect([stream.rstCode, proxy.records.map(({ status }) => status)]).toEqual([0, [404]])
})

// A backend that answers and then takes it back: the client would get a second head in the middle of the first answer.
test.each(['REFUSED_STREAM', 'GOAWAY'])('what has been answered is not sent again, whatever %s says', async (what) => {
  let answered = 0
  const backend = await startRawHttp2Backend((answer) => {
    answered++
    answer.head(200, 'Content-Length: 100\r\n')
    answer.data('some')
    if (what === 'GOAWAY') answer.goAway()
    else answer.reset(7)
  })
  const proxy = await startProxy(spoken(toUpstream(backend.port), H2C), { http2: CLEARTEXT })
  ends.push(() => backend.close(), () => proxy.proxy.close())
  const raw = await RawClient.connect(proxy.port)
  ends.push(() => raw.close())
  raw.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await raw.finished()
  expect(raw.text().match(/HTTP\/1\.1/g)?.length).toBe(1)
  const session = connect(`http://127.0.0.1:${proxy.port}`).on('error', () => undefined)
  ends.push(() => session.destroy())
  const stream = session.request({ ':authority': 'a' }).on('error', () => undefined).resume()
  await new Promise((resolve) => stream.once('close', resolve))
  expect([stream.rstCode, answered]).toEqual([2, 2])
  expect(proxy.records.map(({ failure }) => failure)).toEqual(['response-cut', 'response-cut'])
})

test('clients that cancel what they send when they have their answer (gRPC does) are not taken for an attack', async () => {
  const wire = { ...CLEARTEXT.wire, abuse: { ...CLEARTEXT.wire.abuse, resetBurst: 3, resetsPerSecond: 1 } }
  const proxy = await startProxy(routing([], {}), { http2: { ...CLEARTEXT, wire } })
  ends.push(() => proxy.proxy.close())
  const client = new Http2TestClient({ port: proxy.port })
  ends.push(() => client.close())
  for (let i = 0; i < 20; i++) {
    const stream = client.head(request('POST'), false)
    await client.event((event) => event.event === 'end' && event.stream === stream)
    client.order({ do: 'reset', stream, code: 8 })
  }
  expect((await client.get()).status).toBe(404)
  expect(proxy.records.map(({ status }) => status)).toEqual(Array.from({ length: 21 }, () => 404))
})
