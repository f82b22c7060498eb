// Endpoints that take no more than so many connections: who waits, for how long, and what comes of it.
import { afterEach, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream, type UpstreamRequest } from '../support/scripted-upstream.ts'
import { routing, startProxy, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

let proxy: TestProxy
let upstreams: ScriptedUpstream[] = []
let clients: RawClient[] = []

afterEach(async () => {
  for (const client of clients) client.close()
  proxy.proxy.close()
  await Promise.all(upstreams.map((upstream) => upstream.stop()))
  upstreams = []
  clients = []
})

const config = () => routing([{ host: 'a', backend: 'web' }], { web: upstreams.map(({ port }) => `127.0.0.1:${port}`) })

/** Endpoints that answer when they are told to. */
async function start(endpoints: number, pool: SettingsOverrides['pool']): Promise<ScriptedUpstream> {
  for (let i = 0; i < endpoints; i++) upstreams.push(await ScriptedUpstream.start({ onRequest: () => undefined }))
  proxy = await startProxy(config(), { pool: { connectionsPerEndpoint: 1, ...pool } })
  const [first] = upstreams
  if (first === undefined) throw new Error('no endpoint')
  return first
}

async function ask(path: string, request = `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port)
  clients.push(client)
  client.send(request)
  return client
}

const answer = (request: UpstreamRequest | undefined, text = OK) => void request?.connection.socket.write(text)
const targets = (upstream: ScriptedUpstream) => upstream.requests.map(({ target }) => target)

/** So many requests are in the proxy, and none of them has more to be read. */
async function inFlight(count: number): Promise<void> {
  const busy = () => proxy.proxy.connections().clients - proxy.proxy.connections().idleClients
  while (busy() < count) await new Promise((resolve) => setImmediate(resolve))
}

it('a request waits for the connection, and then goes over it', async () => {
  const upstream = await start(1, {})
  const first = await ask('/1')
  await upstream.until(() => upstream.requests.length === 1)
  const second = await ask('/2')
  await inFlight(2)
  expect(targets(upstream)).toEqual(['/1'])
  answer(upstream.requests[0])
  expect((await first.response()).status).toBe(200)
  await upstream.until(() => upstream.requests.length === 2)
  answer(upstream.requests[1])
  expect((await second.response()).status).toBe(200)
  expect(upstream.connections.length).toBe(1)
  expect((await proxy.recorded(({ path }) => path === '/2')).tries).toBe(1)
})

it('who came first goes first, before the next request of the client that was served', async () => {
  const upstream = await start(1, {})
  const first = await ask('/1', 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /1b HTTP/1.1\r\nHost: a\r\n\r\n')
  await upstream.until(() => upstream.requests.length === 1)
  const others: RawClient[] = []
  for (const path of ['/2', '/3']) {
    others.push(await ask(path))
    await inFlight(1 + others.length)
  }
  for (let served = 1; served <= 4; served++) {
    await upstream.until(() => upstream.requests.length === served)
    answer(upstream.requests[served - 1])
  }
  expect(targets(upstream)).toEqual(['/1', '/2', '/3', '/1b'])
  for (const client of [first, first, ...others]) expect((await client.response()).status).toBe(200)
})

it('a body waits too, and arrives whole', async () => {
  const upstream = await start(1, {})
  await ask('/1')
  await upstream.until(() => upstream.requests.length === 1)
  const body = 'x'.repeat(300_000)
  await ask('/2', `PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await inFlight(2)
  answer(upstream.requests[0])
  await upstream.until(() => upstream.requests.length === 2)
  expect(upstream.requests[1]?.body).toBe(body)
})

it('a connection that closes makes room as well as one that is free', async () => {
  const upstream = await start(1, {})
  const first = await ask('/1')
  await upstream.until(() => upstream.requests.length === 1)
  const second = await ask('/2')
  await inFlight(2)
  answer(upstream.requests[0], `${OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`)
  await upstream.until(() => upstream.requests.length === 2)
  answer(upstream.requests[1])
  expect([(await first.response()).status, (await second.response()).status]).toEqual([200, 200])
  expect(upstream.connections.length).toBe(2)
})

it('an endpoint with a free connection goes before waiting for a busy one', async () => {
  const upstream = await start(2, {})
  for (const path of ['/1', '/2']) await ask(path)
  const [, other] = upstreams
  await upstream.until(() => upstream.requests.length === 1)
  await other?.until(() => other.requests.length === 1)
  answer(upstream.requests[0])
  await proxy.recorded(() => true)
  await ask('/3')
  await ask('/4')
  await upstream.until(() => upstream.requests.length === 2)
  expect(upstreams.map((each) => each.connections.length)).toEqual([1, 1])
})

it('waits no longer than it may: 503, with the reason', async () => {
  const upstream = await start(1, { queueTimeout: 200 })
  await ask('/1')
  await upstream.until(() => upstream.requests.length === 1)
  const second = await ask('/2')
  expect((await second.response()).status).toBe(503)
  expect(await proxy.recorded(({ path }) => path === '/2')).toMatchObject({ status: 503, failure: 'queue-timeout' })
  second.send('GET /3 HTTP/1.1\r\nHost: a\r\n\r\n')
  expect((await second.response()).status).toBe(503)
  expect(targets(upstream)).toEqual(['/1'])
})

it('no more wait than may: 503, with the reason', async () => {
  const upstream = await start(1, { queuePerEndpoint: 1 })
  await ask('/1')
  await upstream.until(() => upstream.requests.length === 1)
  await ask('/2')
  await inFlight(2)
  const third = await ask('/3')
  expect((await third.response()).status).toBe(503)
  expect(await proxy.recorded(({ path }) => path === '/3')).toMatchObject({ status: 503, failure: 'queue-full' })
})

it('none waits where none may', async () => {
  const upstream = await start(1, { queuePerEndpoint: 0 })
  await ask('/1')
  await upstream.until(() => upstream.requests.length === 1)
  expect((await (await ask('/2')).response()).status).toBe(503)
})

it('a client that leaves the queue leaves its place to the next', async () => {
  const upstream = await start(1, { queuePerEndpoint: 1 })
  await ask('/1')
  await upstream.until(() => upstream.requests.length === 1)
  const second = await ask('/2')
  await inFlight(2)
  second.close()
  await proxy.recorded(({ path }) => path === '/2')
  const third = await ask('/3')
  await inFlight(2)
  answer(upstream.requests[0])
  await upstream.until(() => upstream.requests.length === 2)
  answer(upstream.requests[1])
  expect((await third.response()).status).toBe(200)
  expect(targets(upstream)).toEqual(['/1', '/3'])
})

it('who waits for an endpoint that goes away is sent to another, or told that there is none', async () => {
  const upstream = await start(1, {})
  await ask('/1')
  await upstream.until(() => upstream.requests.length === 1)
  const second = await ask('/2')
  await inFlight(2)
  proxy.route(routing([{ host: 'a', backend: 'web' }], { web: [] }))
  expect((await second.response()).status).toBe(503)
  expect(await proxy.recorded(({ path }) => path === '/2')).toMatchObject({ failure: 'no-endpoints' })
})

it('a retry over a new connection does not pass the limit', async () => {
  const upstream = await start(1, { connectionsPerEndpoint: 2 })
  const [one, two] = [await ask('/1'), await ask('/2')]
  await upstream.until(() => upstream.requests.length === 2)
  for (const request of upstream.requests) answer(request)
  await Promise.all([one.response(), two.response()])
  const stale = upstream.requests.map(({ connection }) => connection)
  upstream.script = {
    onRequest: (request) => {
      if (stale.includes(request.connection)) request.connection.socket.destroy()
      else answer(request)
    },
  }
  one.send('GET /3 HTTP/1.1\r\nHost: a\r\n\r\n')
  expect((await one.response()).status).toBe(200)
  expect(proxy.proxy.connections().upstream).toBeLessThanOrEqual(2)
})
