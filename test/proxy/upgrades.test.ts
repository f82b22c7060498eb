// Which upgrades are asked of a backend, and which of its answers switch: RFC 9110 section 7.8. Everything else stays HTTP.
import { describe, expect, it } from 'vitest'
import { client, freshClient, proxy, upstream } from '../support/fresh-proxy.ts'
import { OK } from '../support/scripted-upstream.ts'

const asking = (upgrade: string, { method = 'GET', connection = 'Upgrade', more = '', body = '' } = {}): string =>
  `${method} /up HTTP/1.1\r\nHost: a\r\nConnection: ${connection}\r\nUpgrade: ${upgrade}\r\n${more}\r\n${body}`
const switching = (upgrade: string): string => `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${upgrade === '' ? '' : `Upgrade: ${upgrade}\r\n`}\r\n`

freshClient()

/** The backend switches to a protocol once the request is there, and says what it says. */
function switchTo(upgrade: string, more = ''): void {
  upstream.script = {
    onRequest({ connection }) {
      connection.raw = true
      connection.socket.write(switching(upgrade) + more)
    },
  }
}

const OFFERS: readonly (readonly [what: string, request: string, offered: string, answered: string])[] = [
  ['any protocol', asking('SPDY/3.1'), 'SPDY/3.1', 'SPDY/3.1'],
  ['one without a version', asking('tcp'), 'tcp', 'tcp'],
  ['a list, in its order', asking('foo/2, websocket , bar'), 'foo/2, websocket, bar', 'bar'],
  ['several fields', asking('foo\r\nUpgrade: bar/1'), 'foo, bar/1', 'bar/1'],
  ['empty members left out', asking(', foo,,'), 'foo', 'foo'],
  ['S15 a list without h2c', asking('h2c, foo', { connection: 'Upgrade, HTTP2-Settings', more: 'HTTP2-Settings: AAMAAABkAAQ\r\n' }), 'foo', 'foo'],
  ['an answer in another case', asking('WebSocket'), 'WebSocket', 'websocket'],
  ['an answer that adds a version', asking('foo'), 'foo', 'foo/7'],
  ['an answer of two layers', asking('foo/1, bar/2'), 'foo/1, bar/2', 'foo/1, bar/2'],
  ['POST', asking('foo', { method: 'POST', more: 'Content-Length: 0\r\n' }), 'foo', 'foo'],
  ['an unknown method', asking('foo', { method: 'BREW' }), 'foo', 'foo'],
  ['a request with a body', asking('tcp', { method: 'POST', more: 'Content-Length: 4\r\n', body: 'body' }), 'tcp', 'tcp'],
  ['a chunked body', asking('tcp', { method: 'POST', more: 'Transfer-Encoding: chunked\r\n', body: '4\r\nbody\r\n0\r\n\r\n' }), 'tcp', 'tcp'],
]

for (const [what, request, offered, answered] of OFFERS) {
  it(`forwards ${what}, and switches`, async () => {
    switchTo(answered, 'hello')
    client.send(request)
    const response = await client.response()
    expect([response.status, response.field('connection'), response.field('upgrade')]).toEqual([101, 'Upgrade', answered])
    expect([upstream.requests[0]?.field('connection'), upstream.requests[0]?.field('upgrade'), upstream.requests[0]?.count('http2-settings')]).toEqual(['Upgrade', offered, 0])
    await client.until(() => client.text() === 'hello')
    client.send('GET /not-a-request HTTP/1.1\r\n\r\n')
    await upstream.until(() => upstream.connections[0]?.received.endsWith('\r\n\r\nGET /not-a-request HTTP/1.1\r\n\r\n') === true || upstream.connections[0]?.received.endsWith('bodyGET /not-a-request HTTP/1.1\r\n\r\n') === true)
    expect(upstream.requests.length).toBe(1)
  })
}

const ORDINARY: readonly (readonly [string, string])[] = [
  ['S13 HTTP/1.0', 'GET /up HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['S13 a WebSocket with POST', asking('websocket', { method: 'POST', more: 'Content-Length: 0\r\n' })],
  ['S13 a WebSocket with a body', asking('websocket', { more: 'Content-Length: 5\r\n', body: 'hello' })],
  ['S15 h2c', asking('h2c', { connection: 'Upgrade, HTTP2-Settings', more: 'HTTP2-Settings: AAMAAABkAAQ\r\n' })],
  ['S15 h2c in capitals, with a version', asking('H2C/14')],
  ['S15 HTTP itself', asking('HTTP/2.0, h2')],
  ['S15 TLS', 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n'],
  ['not named by Connection', 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n'],
  ['Connection without Upgrade', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n'],
  ['an empty list', asking(' , ')],
  ['no token', asking('foo bar')],
  ['two versions', asking('foo/1/2')],
  ['an empty version', asking('foo/')],
  ['an empty name', asking('/1')],
  ['a good member beside a bad one', asking('websocket, foo@bar')],
]

for (const [what, request] of ORDINARY) {
  it(`${what}: an ordinary request without Upgrade`, async () => {
    client.send(request)
    expect((await client.response()).status).toBe(200)
    expect(['upgrade', 'connection', 'http2-settings'].map((name) => upstream.requests[0]?.field(name))).toEqual([undefined, undefined, undefined])
  })
}

const WRONG_ANSWERS: readonly (readonly [string, string, string])[] = [
  ['B13 without Upgrade', 'foo', ''],
  ['B13 with an empty one', 'foo', ','],
  ['B13 to what was not offered', 'foo', 'bar'],
  ['B13 to h2c, which was offered and not forwarded', 'foo, h2c', 'h2c'],
  ['B13 to another version', 'foo/1', 'foo/2'],
  ['B13 to what was offered and more', 'foo', 'foo, bar'],
  ['B13 to what is no protocol', 'foo', 'foo bar'],
]

for (const [what, offer, answer] of WRONG_ANSWERS) {
  it(`${what}: 101 becomes 502`, async () => {
    switchTo(answer)
    client.send(asking(offer))
    expect((await client.response()).status).toBe(502)
    await upstream.until(() => upstream.connections[0]?.ended === true || upstream.connections[0]?.closed === true)
    expect(proxy.proxy.connections()).toMatchObject({ tunnels: 0, upstream: 0 })
  })
}

it('takes no 101 before the request is complete', async () => {
  upstream.script = {
    onHead({ connection }) {
      connection.raw = true
      connection.socket.write(switching('foo'))
    },
  }
  client.send(asking('foo', { method: 'POST', more: 'Content-Length: 5\r\n', body: 'he' }))
  expect((await client.response()).status).toBe(502)
  upstream.script = {}
  client.send(`lloGET /next HTTP/1.1\r\nHost: a\r\n\r\n`)
  expect((await client.response()).status).toBe(200)
})

it('S15 never opens a tunnel for CONNECT', async () => {
  client.send('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 5\r\n\r\nhello')
  const response = await client.response()
  expect([response.status, response.field('allow') !== undefined]).toEqual([405, true])
  await client.finished()
  expect(upstream.connections.length).toBe(0)
})

describe('a refusal', () => {
  const REFUSALS: readonly (readonly [string, string, Record<string, string | undefined>])[] = [
    ['200 with a body', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody', {}],
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', {}],
    ['a chunked one', 'HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n', {}],
    ['426 without what it wants', 'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n', { 'sec-websocket-version': '13' }],
    ['426 with what it wants', 'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: h2c, foo/2\r\nContent-Length: 0\r\n\r\n', { upgrade: 'foo/2', connection: 'Upgrade' }],
    ['an offer that nobody asked for', 'HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2,h2c\r\nContent-Length: 0\r\n\r\n', { upgrade: undefined, connection: undefined }],
  ]
  for (const [what, bytes, fields] of REFUSALS) {
    it(`${what} is delivered, and both connections stay HTTP`, async () => {
      upstream.script = { onRequest: ({ connection, target }) => void connection.socket.write(target === '/up' ? bytes : OK) }
      client.send(asking('websocket'))
      const refused = await client.response()
      expect([refused.status, refused.body]).toEqual([Number(bytes.slice(9, 12)), bytes.includes('body') ? 'body' : ''])
      for (const [name, value] of Object.entries(fields)) expect(refused.field(name)).toBe(value)
      client.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
      expect((await client.response()).status).toBe(200)
      expect([upstream.connections.length, proxy.proxy.connections().tunnels]).toEqual([1, 0])
    })
  }

  it('that closes says so beside what it wants', async () => {
    upstream.script = { onRequest: ({ connection }) => void connection.socket.write('HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: foo\r\nContent-Length: 0\r\n\r\n') }
    client.send(asking('websocket', { connection: 'close, Upgrade' }))
    const refused = await client.response()
    expect([refused.field('connection'), refused.field('upgrade')]).toEqual(['close, Upgrade', 'foo'])
    await client.finished()
  })
})
