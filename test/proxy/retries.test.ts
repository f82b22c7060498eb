// Which requests are sent again, where, and what a client gets when nothing helps.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { fullQueue } from '../support/full-queue.ts'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { routing, startProxy, toUpstream, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

let upstreams: ScriptedUpstream[] = []
let proxy: TestProxy | undefined
let client: RawClient | undefined

afterEach(async () => {
  client?.close()
  proxy?.proxy.close()
  await Promise.all(upstreams.map((upstream) => upstream.stop()))
  upstreams = []
})

async function upstreamAt(address = '127.0.0.1'): Promise<ScriptedUpstream> {
  const upstream = await ScriptedUpstream.start({}, address)
  upstreams.push(upstream)
  return upstream
}

async function start(endpoints: readonly string[], settings: SettingsOverrides = {}): Promise<{ proxy: TestProxy; client: RawClient }> {
  proxy = await startProxy(routing([{ host: 'a', backend: 'web' }], { web: endpoints }), settings)
  client = await RawClient.connect(proxy.port)
  return { proxy, client }
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const upstream = await ScriptedUpstream.start()
  const { port } = upstream
  await upstream.stop()
  return port
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

it('tries another endpoint when one refuses the connection, whatever the method, and sends the body to it', async () => {
  const good = await upstreamAt()
  const refused = await closedPort()
  const { client, proxy } = await start([`127.0.0.1:${refused}`, `127.0.0.1:${good.port}`], { health: { connectFailures: 0 } })
  for (let i = 0; i < 4; i++) {
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello')
    expect((await client.response()).status).toBe(200)
  }
  expect(good.requests.map(({ body }) => body)).toEqual(['hello', 'hello', 'hello', 'hello'])
  // The second try takes no turn: else every first try would meet the dead endpoint.
  expect(proxy.records.map(({ tries }) => tries).toSorted()).toEqual([1, 1, 2, 2])
})

it('knows an endpoint that failed again after the table was made anew', async () => {
  const good = await upstreamAt()
  const bad = await upstreamAt()
  const endpoints = [`127.0.0.1:${bad.port}`, `127.0.0.1:${good.port}`]
  const { client, proxy } = await start(endpoints, { pool: { tries: 2 } })
  proxy.route(routing([{ host: 'a', backend: 'web' }], { web: endpoints.toReversed() }))
  proxy.route(routing([{ host: 'a', backend: 'web' }], { web: endpoints }))
  await bad.stop()
  upstreams = [good]
  for (let i = 0; i < 6; i++) {
    client.send(GET)
    expect((await client.response()).status).toBe(200)
  }
})

it('answers 502 when all endpoints refuse', async () => {
  const { client, proxy } = await start([`127.0.0.1:${await closedPort()}`, `127.0.0.1:${await closedPort()}`])
  client.send(GET)
  expect((await client.response()).status).toBe(502)
  expect(await proxy.recorded(() => true)).toMatchObject({ status: 502, failure: 'connect-failed', tries: 2 })
})

it('makes no more tries than it may', async () => {
  const ports = await Promise.all(Array.from({ length: 5 }, closedPort))
  const { client, proxy } = await start(ports.map((port) => `127.0.0.1:${port}`), { pool: { tries: 3 } })
  client.send(GET)
  await client.response()
  expect((await proxy.recorded(() => true)).tries).toBe(3)
})

it('answers 504 when no endpoint takes the connection in time', async () => {
  const { port, close } = await fullQueue()
  const { client, proxy } = await start([`127.0.0.1:${port}`], { timeouts: { connect: 200 } })
  client.send(GET)
  expect((await client.response()).status).toBe(504)
  expect((await proxy.recorded(() => true)).failure).toBe('connect-timeout')
  close()
})

it('answers 503 without endpoints and without a backend, 404 without a route', async () => {
  proxy = await startProxy(routing([{ host: 'a', backend: 'web' }, { host: 'b' }, { host: 'c', status: 404 }], { web: [] }))
  client = await RawClient.connect(proxy.port)
  for (const [host, status, text] of [['a', 503, '503 Service Temporarily Unavailable'], ['b', 503, '503'], ['c', 404, '404 Not Found'], ['d', 404, '404 Not Found']] as const) {
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const response = await client.response()
    expect(response.status).toBe(status)
    expect(response.body).toContain(text)
  }
})

it('sends a GET again when an idle connection turns out to be closed', async () => {
  const upstream = await upstreamAt()
  const { client, proxy } = await start([`127.0.0.1:${upstream.port}`])
  client.send(GET)
  await client.response()
  upstream.script = {
    onRequest({ connection }) {
      if (connection.number === 0) connection.socket.resetAndDestroy()
      else connection.socket.write(OK)
    },
  }
  client.send(GET)
  expect((await client.response()).status).toBe(200)
  expect(upstream.connections.length).toBe(2)
  expect(proxy.records.at(-1)?.tries).toBe(2)
})

it('sends a small PUT again with its body', async () => {
  const upstream = await upstreamAt()
  const { client } = await start([`127.0.0.1:${upstream.port}`])
  client.send(GET)
  await client.response()
  upstream.script = {
    onRequest({ connection }) {
      if (connection.number === 0) connection.socket.resetAndDestroy()
      else connection.socket.write(OK)
    },
  }
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  expect([upstream.requests.at(-1)?.body, upstream.requests.at(-1)?.trailers]).toEqual(['abcde', 'X-T: 1\r\n'])
})

it('does not send a body again that is too large to keep', async () => {
  const upstream = await upstreamAt()
  const { client } = await start([`127.0.0.1:${upstream.port}`])
  client.send(GET)
  await client.response()
  upstream.script = { onRequest: ({ connection }) => connection.socket.resetAndDestroy() }
  const body = 'x'.repeat(20_000)
  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  expect((await client.response()).status).toBe(502)
  expect(upstream.requests.map(({ method }) => method)).toEqual(['GET', 'PUT'])
})

it('takes the connection that was used last', async () => {
  const upstream = await upstreamAt()
  const { client, proxy } = await start([`127.0.0.1:${upstream.port}`])
  const other = await RawClient.connect(proxy.port)
  upstream.script = { onRequest: () => undefined }
  for (const each of [client, other]) each.send(GET)
  await upstream.until(() => upstream.requests.length === 2)
  const [first, second] = upstream.requests
  second?.connection.socket.write(OK)
  await Promise.race([client.response(), other.response()])
  first?.connection.socket.write(OK)
  await proxy.recorded(() => proxy.records.length === 2)
  for (let i = 2; i < 6; i++) {
    const next = await RawClient.connect(proxy.port)
    next.send(GET)
    await upstream.until(() => upstream.requests.length === i + 1)
    upstream.requests[i]?.connection.socket.write(OK)
    await next.response()
    next.close()
  }
  other.close()
  expect(upstream.requests.slice(2).map(({ connection }) => connection.number)).toEqual(Array.from({ length: 4 }, () => first?.connection.number))
})

it('does not send a POST twice', async () => {
  const upstream = await upstreamAt()
  const { client } = await start([`127.0.0.1:${upstream.port}`])
  client.send(GET)
  await client.response()
  upstream.script = { onRequest: ({ connection }) => connection.socket.resetAndDestroy() }
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx')
  expect((await client.response()).status).toBe(502)
  expect(upstream.requests.length).toBe(2)
})

it('does not send a request again once a byte of a response has come', async () => {
  const upstream = await upstreamAt()
  const { client } = await start([`127.0.0.1:${upstream.port}`])
  upstream.script = {
    onRequest({ connection }) {
      connection.socket.write('HTTP/1.1 2')
      connection.socket.end()
    },
  }
  client.send(GET)
  expect((await client.response()).status).toBe(502)
  expect(upstream.requests.length).toBe(1)
})

it('takes turns over the endpoints and reuses the connections to each', async () => {
  const three = [await upstreamAt('127.0.0.2'), await upstreamAt('127.0.0.3'), await upstreamAt('127.0.0.4')]
  const { client } = await start(three.map(({ port }, i) => `127.0.0.${i + 2}:${port}`))
  for (let i = 0; i < 30; i++) {
    client.send(GET)
    await client.response()
  }
  expect(three.map(({ requests }) => requests.length)).toEqual([10, 10, 10])
  expect(three.map(({ connections }) => connections.length)).toEqual([1, 1, 1])
})

it('closes idle connections to an endpoint that is gone, and lets the busy one finish', async () => {
  const before = await upstreamAt()
  const after = await upstreamAt()
  const { client, proxy } = await start([`127.0.0.1:${before.port}`])
  client.send(GET)
  await client.response()
  proxy.route(toUpstream(after.port))
  await before.until(() => before.connections[0]?.closed === true || before.connections[0]?.ended === true)
  client.send(GET)
  await client.response()
  expect(after.requests.length).toBe(1)

  let release: (() => void) | undefined
  after.script = { onRequest: ({ connection }) => (release = () => connection.socket.write(OK)) }
  client.send(GET)
  await after.until(() => after.requests.length === 2)
  proxy.route(toUpstream(before.port))
  expect(after.connections[0]?.ended).toBe(false)
  release?.()
  expect((await client.response()).body).toBe('ok')
  await after.until(() => after.connections[0]?.closed === true || after.connections[0]?.ended === true)
})

it('keeps no more idle connections than it may, and closes those left idle', async () => {
  const upstream = await upstreamAt()
  const { proxy } = await start([`127.0.0.1:${upstream.port}`], { pool: { idlePerEndpoint: 2, idleTimeout: 300 } })
  const held: (() => void)[] = []
  upstream.script = { onRequest: ({ connection }) => held.push(() => connection.socket.write(OK)) }
  const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(proxy.port)))
  for (const each of clients) each.send(GET)
  await upstream.until(() => held.length === 4)
  for (const release of held) release()
  for (const each of clients) await each.response()
  await upstream.until(() => upstream.connections.filter(({ ended, closed }) => ended || closed).length === 2)
  expect(proxy.proxy.connections().idleUpstream).toBe(2)
  await upstream.until(() => upstream.connections.every(({ ended, closed }) => ended || closed))
  for (const each of clients) each.close()
})

it('closes an idle connection before the backend does, where that says when', async () => {
  const upstream = await upstreamAt()
  const { client } = await start([`127.0.0.1:${upstream.port}`])
  upstream.script = { onRequest: ({ connection }) => connection.socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=5\r\nContent-Length: 0\r\n\r\n') }
  client.send(GET)
  expect((await client.response()).field('keep-alive')).toBeUndefined()
  await upstream.until(() => upstream.connections[0]?.closed === true || upstream.connections[0]?.ended === true)
})

it('gives up a connection attempt whose client left', async () => {
  const upstream = await upstreamAt()
  const { proxy } = await start([`127.0.0.1:${upstream.port}`])
  const socket = connect(proxy.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(GET)
  socket.destroy()
  await proxy.recorded(({ failure }) => failure === 'client-gone' || failure === undefined)
  await upstream.until(() => upstream.connections.every(({ ended, closed }) => ended || closed))
  while (proxy.proxy.connections().clients > 1) await new Promise((resolve) => setImmediate(resolve))
})
