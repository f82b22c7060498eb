// What is slow is ended: heads, idle connections, backends, readers. Times are short here; none is asserted as such.
import { expect, it } from 'vitest'
import { client, freshUpstream, proxy, start, upstream } from '../support/fresh-proxy.ts'
import { RawClient } from '../support/raw-client.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

freshUpstream()

it('S06 answers 408 to a head that trickles in, by an absolute deadline', async () => {
  await start({ timeouts: { requestHead: 400 } })
  const bytes = `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(1000)}`
  let at = 0
  const drip = setInterval(() => client.send(bytes.charAt(at++)), 20)
  const response = await client.response()
  clearInterval(drip)
  expect(response.status).toBe(408)
  await client.finished()
  expect(at).toBeLessThan(bytes.length)
  expect((await proxy.recorded(() => true)).failure).toBe('request-timeout')
})

it('S06 holds the second request of a connection to the same deadline', async () => {
  await start({ timeouts: { requestHead: 300 } })
  client.send(`${GET}GET /slow`)
  expect((await client.response()).status).toBe(200)
  expect((await client.response()).status).toBe(408)
})

it('closes a connection that never sends a byte, without an answer', async () => {
  await start({ timeouts: { requestHead: 200 } })
  await client.finished()
  expect(client.text()).toBe('')
  expect(proxy.records.length).toBe(0)
})

it('closes an idle keep-alive connection', async () => {
  await start({ timeouts: { keepAlive: 200 } })
  client.send(GET)
  await client.response()
  await client.finished()
  expect(client.text()).toBe('')
})

it('answers 504 when the backend says nothing, and drops its connection', async () => {
  await start({ timeouts: { read: 200 } })
  upstream.script = { onRequest: () => undefined }
  client.send(GET)
  expect((await client.response()).status).toBe(504)
  await upstream.until(() => upstream.connections[0]?.closed === true || upstream.connections[0]?.ended === true)
  expect((await proxy.recorded(() => true)).failure).toBe('response-timeout')
})

it('answers 504 likewise after an empty body that had a length', async () => {
  upstream.script = { onRequest: () => undefined }
  await start({ timeouts: { read: 300 } })
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
  expect((await client.response()).status).toBe(504)
})

it('cuts a response that stops within its body', async () => {
  await start({ timeouts: { read: 200 } })
  upstream.script = { onRequest: ({ connection }) => connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello') }
  client.send(GET)
  await client.finished()
  expect(client.text().endsWith('hello')).toBe(true)
})

it('waits as long as the backend keeps sending', async () => {
  await start({ timeouts: { read: 400 } })
  upstream.script = {
    onRequest({ connection }) {
      connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n')
      let sent = 0
      const drip = setInterval(() => {
        connection.socket.write('x')
        if (++sent === 8) clearInterval(drip)
      }, 150)
    },
  }
  client.send(GET)
  expect((await client.response()).body).toBe('xxxxxxxx')
})

it('gives up on a backend that does not take the request body', async () => {
  await start({ timeouts: { send: 300 }, limits: { bodyBytes: 0 } })
  upstream.script = { onConnection: ({ socket }) => socket.pause() }
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000000\r\n\r\n`)
  client.socket.write(Buffer.alloc(40_000_000))
  expect((await client.response()).status).toBe(504)
})

it('gives up on a client that does not take its response', async () => {
  await start({ timeouts: { send: 300 } })
  upstream.script = {
    onRequest({ connection }) {
      connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n')
      connection.socket.write(Buffer.alloc(40_000_000))
    },
  }
  client.socket.pause()
  client.send(GET)
  await upstream.until(() => upstream.connections[0]?.closed === true || upstream.connections[0]?.ended === true)
  expect((await proxy.recorded(() => true)).failure).toBe('client-gone')
})

it('414, 431: long lines and large heads, in one piece or in many', async () => {
  await start({ limits: { requestLineBytes: 100, headBytes: 300, headFields: 5 } })
  const cases: readonly (readonly [string, number])[] = [
    [`GET /${'a'.repeat(200)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    [`GET /${'a'.repeat(200)}`, 414],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'b'.repeat(300)}\r\n\r\n`, 431],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'b'.repeat(300)}`, 431],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(5)}\r\n`, 431],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(4)}\r\n`, 200],
  ]
  for (const [bytes, status] of cases) {
    const each = await RawClient.connect(proxy.port)
    each.send(bytes)
    expect([bytes.slice(0, 20), (await each.response()).status]).toEqual([bytes.slice(0, 20), status])
    each.close()
  }
})

it('takes no more connections than it may', async () => {
  await start({ limits: { connections: 2 } })
  const second = await RawClient.connect(proxy.port)
  const third = await RawClient.connect(proxy.port)
  await third.finished()
  second.send(GET)
  expect((await second.response()).status).toBe(200)
  second.close()
  third.close()
})
