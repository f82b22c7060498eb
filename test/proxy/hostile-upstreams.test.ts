// Backends that break the protocol: 502 where nothing was sent yet, else a visible cut; never a second request on such a connection.
import { describe, expect, it } from 'vitest'
import { client, freshClient, proxy, upstream } from '../support/fresh-proxy.ts'
import { OK, type UpstreamSide } from '../support/scripted-upstream.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

freshClient({ pool: { tries: 1 } })

function answerWith(bytes: string, close = false): void {
  upstream.script = {
    onRequest({ connection }) {
      connection.socket.write(Buffer.from(bytes, 'latin1'))
      if (close) connection.socket.end()
    },
  }
}

const dropped = (side: UpstreamSide | undefined): boolean => side !== undefined && (side.closed || side.ended)

const INVALID: readonly (readonly [string, string])[] = [
  ['B01 both framings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'],
  ['B02 two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
  ['B03 length +5', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello'],
  ['B03 length 0x5', 'HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello'],
  ['B03 length 5,6', 'HTTP/1.1 200 OK\r\nContent-Length: 5,6\r\n\r\nhello'],
  ['B03 empty length', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello'],
  ['B04 a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['B04 ICY', 'ICY 200 OK\r\n\r\n'],
  ['B04 a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['B04 a status above 599', 'HTTP/1.1 600 OK\r\n\r\n'],
  ['B04 HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['B05 NUL in a field', 'HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n'],
  ['B05 bare CR in a field', 'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n'],
  ['B05 bare LF in a field', 'HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n'],
  ['B05 a control byte in the reason', 'HTTP/1.1 200 O\x07K\r\nContent-Length: 0\r\n\r\n'],
  ['B05 space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
  ['B06 a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
  ['B08 chunked, chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n'],
  ['B08 chunked, gzip', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n'],
  ['B08 chunked twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['B08 chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['B13 an unasked 101', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['B14 endless interim responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)],
  ['B15 a head over the limit', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(40_000)}\r\nContent-Length: 0\r\n\r\n`],
  ['B15 an endless head', `HTTP/1.1 200 OK\r\n${'X: a\r\n'.repeat(20_000)}`],
]

describe('an invalid head is 502 and the end of the connection', () => {
  for (const [what, bytes] of INVALID) {
    it(what, async () => {
      answerWith(bytes)
      client.send(GET)
      let response = await client.response()
      while (response.status < 200) response = await client.response()
      expect(response.status).toBe(502)
      expect(response.field('set-cookie')).toBeUndefined()
      await upstream.until(() => dropped(upstream.connections[0]))
      answerWith(OK)
      client.send(GET)
      expect((await client.response()).body).toBe('ok')
      expect(upstream.connections.length).toBe(2)
    })
  }

  it('B04 a body without a head', async () => {
    answerWith('hello, this is HTTP/0.9', true)
    client.send(GET)
    expect((await client.response()).status).toBe(502)
  })

  it('a bare LF is told before the head is complete', async () => {
    answerWith('HTTP/1.1 200 OK\nContent-Length: 0\n\n')
    client.send(GET)
    expect((await client.response()).status).toBe(502)
  })
})

const SURPLUS: readonly (readonly [string, string, string])[] = [
  ['B09 a body after HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['B09 a body with 204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\nhello'],
  ['B09 a body with 304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello'],
  ['B11 a second response behind the first', 'GET', `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
  ['B11 bytes behind the last chunk', 'GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nevil'],
]

describe('surplus bytes reach nobody and end the connection', () => {
  for (const [what, method, bytes] of SURPLUS) {
    it(what, async () => {
      answerWith(bytes)
      client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
      await client.response(method === 'HEAD')
      await upstream.until(() => dropped(upstream.connections[0]))
      answerWith(OK)
      client.send(GET)
      expect((await client.response()).body).toBe('ok')
      expect(client.text()).toBe('')
      expect(upstream.connections.length).toBe(2)
    })
  }

  it('B10 an answer to no request, on an idle connection', async () => {
    client.send(GET)
    await client.response()
    upstream.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil')
    await upstream.until(() => dropped(upstream.connections[0]))
    client.send(GET)
    expect((await client.response()).body).toBe('ok')
    expect(upstream.connections.length).toBe(2)
  })
})

const CUT: readonly (readonly [string, string])[] = [
  ['B12 a length that is not reached', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
  ['B12 chunks without an end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ['B16 a bad chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0x5\r\nhello\r\n0\r\n\r\n'],
]

describe('a response that breaks off is visibly cut', () => {
  for (const [what, bytes] of CUT) {
    it(what, async () => {
      answerWith(bytes, true)
      client.send(GET)
      await client.finished()
      expect(client.text()).toContain('hello')
      expect(client.text()).not.toMatch(/\n0\r\n/)
      await expect(client.response()).rejects.toThrow('no whole response')
      expect(['response-cut', 'response-invalid']).toContain((await proxy.recorded(() => true)).failure)
    })
  }

  it('B12 chunks without an end, for an HTTP/1.0 client: a reset', async () => {
    answerWith('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
    await client.until(() => client.text().endsWith('hello'))
    upstream.connections[0]?.socket.end()
    while (!client.closed) await new Promise((resolve) => setImmediate(resolve))
    expect(client.error?.message).toContain('ECONNRESET')
  })

  it('a body that ends with its connection, reset', async () => {
    answerWith('HTTP/1.1 200 OK\r\n\r\nhello')
    client.send(GET)
    await client.until(() => client.text().includes('hello'))
    upstream.connections[0]?.socket.resetAndDestroy()
    await client.finished()
    expect(client.text()).not.toMatch(/\n0\r\n/)
  })
})

it('B13 refuses a 101 for another protocol than asked for', async () => {
  answerWith('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
  expect((await client.response()).status).toBe(502)
  await upstream.until(() => dropped(upstream.connections[0]))
})

it('B17 drops a connection whose client left before the answer', async () => {
  upstream.script = { onRequest: () => undefined }
  client.send(GET)
  await upstream.until(() => upstream.requests.length === 1)
  client.close()
  await upstream.until(() => dropped(upstream.connections[0]))
  expect((await proxy.recorded(() => true)).failure).toBe('client-gone')
  expect(proxy.proxy.connections().upstream).toBe(0)
})

it('B17 drops a connection whose client left within the answer', async () => {
  answerWith('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello')
  client.send(GET)
  await client.until(() => client.text().includes('hello'))
  client.close()
  await upstream.until(() => dropped(upstream.connections[0]))
})

it('never reuses a connection that the backend asked to close', async () => {
  answerWith('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok')
  client.send(GET)
  await client.response()
  client.send(GET)
  await client.response()
  expect(upstream.connections.length).toBe(2)
})

it('reuses a connection after every well-framed response', async () => {
  for (const bytes of [OK, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n', OK]) {
    answerWith(bytes)
    client.send(GET)
    await client.response()
  }
  expect(upstream.connections.length).toBe(1)
})
