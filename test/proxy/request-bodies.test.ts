// Request bodies: framed anew, cut, paused, too long, unwanted.
import { expect, it } from 'vitest'
import { client, freshUpstream, proxy, start, upstream } from '../support/fresh-proxy.ts'
import { OK } from '../support/scripted-upstream.ts'

const post = (fields: string, body = '') => `POST /p HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

freshUpstream()

it('forwards a body of known length with that length', async () => {
  await start()
  client.send(post('Content-Length: 005\r\n', 'hello'))
  expect((await client.response()).status).toBe(200)
  expect(upstream.requests[0]?.body).toBe('hello')
  expect(upstream.requests[0]?.field('content-length')).toBe('5')
})

it('forwards a chunked body in chunks of its own, without extensions, with trailers', async () => {
  await start()
  client.send(post('Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n', '2;a="b;c"\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum:  7\t\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: x\r\nX_Y: z\r\n\r\n'))
  expect((await client.response()).status).toBe(200)
  expect(upstream.requests[0]?.body).toBe('hello')
  expect(upstream.requests[0]?.trailers).toBe('X-Sum: 7\r\n')
  expect(upstream.connections[0]?.received).not.toContain('a="b;c"')
})

it('S04 answers 408 to a body that stops coming, and drops the backend connection', async () => {
  await start({ timeouts: { requestBody: 200 } })
  client.send(post('Content-Length: 10\r\n', 'abc'))
  expect((await client.response()).status).toBe(408)
  await client.finished()
  await upstream.until(() => upstream.connections[0]?.closed === true || upstream.connections[0]?.ended === true)
  expect(upstream.requests.length).toBe(0)
  expect((await proxy.recorded(() => true)).failure).toBe('request-timeout')
})

it('S05 drops the backend connection when the client ends within its body, without another try', async () => {
  await start()
  client.send(post('Content-Length: 10\r\n', 'abc'))
  await upstream.until(() => upstream.heads === 1)
  client.socket.end()
  await upstream.until(() => upstream.connections.every((side) => side.ended || side.closed))
  await client.finished()
  expect(upstream.connections.length).toBe(1)
  expect((await proxy.recorded(() => true)).failure).toBe('client-gone')
})

it('S07 keeps bytes that follow a pause in the body', async () => {
  await start()
  client.send(post(`Content-Length: ${SMUGGLED.length}\r\n`))
  await upstream.until(() => upstream.heads === 1)
  client.send(SMUGGLED)
  expect((await client.response()).status).toBe(200)
  expect(upstream.requests.map(({ body }) => body)).toEqual([SMUGGLED])
})

it('S08 forwards an answer that comes before the body, closes, and does not use the backend connection again', async () => {
  await start()
  upstream.script = { onHead: ({ connection }) => connection.socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig') }
  client.send(post('Content-Length: 100000\r\n', 'abc'))
  const response = await client.response()
  expect(response.status).toBe(413)
  expect(response.body).toBe('big')
  expect(response.field('connection')).toBe('close')
  await client.finished()
  await upstream.until(() => upstream.connections[0]?.closed === true || upstream.connections[0]?.ended === true)
  expect(proxy.proxy.connections().upstream).toBe(0)
})

it('S08 lets a client finish its upload after an early answer, so that it can read the answer', async () => {
  await start()
  upstream.script = { onHead: ({ connection }) => connection.socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n') }
  client.send(post('Content-Length: 200000\r\n', 'x'.repeat(100_000)))
  expect((await client.response()).status).toBe(401)
  client.send('x'.repeat(100_000))
  client.socket.end()
  await client.finished()
  expect(client.error).toBeUndefined()
})

it('S11 drops the backend connection when a chunked body ends after a size line', async () => {
  await start()
  client.send(post('Transfer-Encoding: chunked\r\n', '5\r\n'))
  await upstream.until(() => upstream.heads === 1)
  client.socket.end()
  await client.finished()
  await upstream.until(() => upstream.connections.every((side) => side.ended || side.closed))
  expect(upstream.requests.length).toBe(0)
  expect(upstream.connections[0]?.received).not.toContain('0\r\n\r\n')
})

it('refuses a declared length over the limit before anything is sent to a backend', async () => {
  await start({ limits: { bodyBytes: 10 } })
  client.send(post('Content-Length: 11\r\n', 'x'.repeat(11)))
  expect((await client.response()).status).toBe(413)
  expect(upstream.connections.length).toBe(0)
})

it('refuses the chunk that passes the limit', async () => {
  await start({ limits: { bodyBytes: 10 } })
  client.send(post('Transfer-Encoding: chunked\r\n', '8\r\n12345678\r\n'))
  await upstream.until(() => upstream.heads === 1)
  client.send('3\r\nabc\r\n0\r\n\r\n')
  expect((await client.response()).status).toBe(413)
  await client.finished()
  await upstream.until(() => upstream.connections.every((side) => side.ended || side.closed))
  expect(upstream.requests.length).toBe(0)
})

it('takes any length where the limit is 0', async () => {
  await start({ limits: { bodyBytes: 0 } })
  const body = 'x'.repeat(3_000_000)
  client.send(post(`Content-Length: ${body.length}\r\n`, body))
  expect((await client.response()).status).toBe(200)
  expect(upstream.requests[0]?.body.length).toBe(body.length)
})

it('reads and forgets a small body that nobody wants, and keeps the connection', async () => {
  await start()
  client.send(`POST /p HTTP/1.1\r\nHost: unknown\r\nContent-Length: 5\r\n\r\nhello${post('', '')}`)
  const response = await client.response()
  expect(response.status).toBe(404)
  expect(response.field('connection')).toBeUndefined()
  expect((await client.response()).status).toBe(200)
  expect(upstream.requests.length).toBe(1)
})

it('asks for the body when the backend does: Expect and 100 are passed on', async () => {
  await start()
  upstream.script = {
    onHead: ({ connection }) => connection.socket.write('HTTP/1.1 100 Continue\r\n\r\n'),
    onRequest: ({ connection }) => connection.socket.write(OK),
  }
  client.send(post('Content-Length: 5\r\nExpect: 100-Continue\r\n'))
  expect((await client.response()).status).toBe(100)
  expect(upstream.heads).toBe(1)
  client.send('hello')
  expect((await client.response()).status).toBe(200)
  expect(upstream.requests[0]?.field('expect')).toBe('100-continue')
  expect(upstream.requests[0]?.body).toBe('hello')
})

it('passes on a refusal instead of 100, and closes since the body may or may not come', async () => {
  await start()
  upstream.script = { onHead: ({ connection }) => connection.socket.write('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n') }
  client.send(post('Content-Length: 5\r\nExpect: 100-continue\r\n'))
  const response = await client.response()
  expect(response.status).toBe(417)
  expect(response.field('connection')).toBe('close')
})

it('ignores Expect of an HTTP/1.0 client', async () => {
  await start()
  client.send('POST /p HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello')
  expect((await client.response()).status).toBe(200)
  expect(upstream.requests[0]?.field('expect')).toBeUndefined()
})
