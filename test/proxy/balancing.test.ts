// Schedulers through the proxy, over real sockets: what is in flight is counted however a request ends, keys come from the request.
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { localBackendCells, type BackendCells } from '../../src/balance/loads.ts'
import type { Backend, RoutingConfig } from '../../src/model/routing.ts'
import { routing, startProxy, type TestProxy } from '../support/test-proxy.ts'

const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close()
})

interface Upstream {
  readonly port: number
  /** Requests that wait for `answer`. */
  readonly waiting: ServerResponse[]
  answered: number
}

/** Answers with its port, at once or when it is told to. */
async function upstream(holds = false): Promise<Upstream> {
  const state: { port: number; waiting: ServerResponse[]; answered: number } = { port: 0, waiting: [], answered: 0 }
  const server: Server = createServer((_request: IncomingMessage, response) => {
    state.answered++
    if (holds) state.waiting.push(response)
    else response.end(String(state.port))
  })
  server.on('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end()).resume()
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  state.port = (server.address() as AddressInfo).port
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return state
}

function balanced(upstreams: readonly Pick<Upstream, 'port'>[], fields: Partial<Backend>, weights: readonly number[] = []): RoutingConfig {
  const config = routing([{ host: 'a', backend: 'web' }], { web: upstreams.map(({ port }) => `127.0.0.1:${port}`) })
  const backends = [...config.backends].map(([id, backend]): [string, Backend] => {
    const endpoints = backend.endpoints.map((endpoint, i) => ({ ...endpoint, weight: weights[i] ?? 1 }))
    return [id, { ...backend, ...fields, endpoints }]
  })
  return { ...config, backends: new Map(backends) }
}

async function start(config: RoutingConfig, cells?: BackendCells): Promise<TestProxy> {
  const proxy = await startProxy(config, cells === undefined ? {} : { cells })
  closers.push(() => proxy.proxy.close())
  return proxy
}

interface Asked {
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly localAddress?: string
}

/** Body of the answer. */
async function ask({ port }: TestProxy, { path = '/', headers = {}, localAddress }: Asked = {}): Promise<string> {
  const sent = request({ port, path, agent: false, host: '127.0.0.1', headers: { Host: 'a', ...headers }, ...(localAddress === undefined ? {} : { localAddress }) })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return body
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}

/** Requests in flight by the cells. */
function counter(upstreams: readonly Upstream[], cells: BackendCells): () => readonly number[] {
  const source = cells.of({ namespace: 'test', service: 'web', port: '80' })
  return () => upstreams.map(({ port }) => {
    const { shared, index } = source.of(`127.0.0.1:${port}`)
    return shared[index] ?? NaN
  })
}

test('lc: each request goes where the fewest are in flight, and what is answered frees its place', async () => {
  const upstreams = await Promise.all([upstream(true), upstream(true), upstream(true)])
  const cells = localBackendCells()
  const counts = counter(upstreams, cells)
  const proxy = await start(balanced(upstreams, { scheduler: 'lc' }), cells)
  const answers = Array.from({ length: 6 }, () => ask(proxy))
  await until(() => upstreams.every(({ waiting }) => waiting.length === 2))
  expect(counts()).toEqual([2, 2, 2])
  for (const response of upstreams[1]?.waiting.splice(0) ?? []) response.end('b')
  await until(() => counts()[1] === 0)
  const more = [ask(proxy), ask(proxy)]
  await until(() => upstreams[1]?.waiting.length === 2)
  for (const { waiting } of upstreams) for (const response of waiting.splice(0)) response.end('done')
  await Promise.all([...answers, ...more])
  await until(() => counts().every((count) => count === 0))
})

test('lc: one by one, 100 requests reach each of 10 endpoints 10 times', async () => {
  const upstreams = await Promise.all(Array.from({ length: 10 }, () => upstream()))
  const proxy = await start(balanced(upstreams, { scheduler: 'lc' }))
  for (let i = 0; i < 100; i++) await ask(proxy)
  expect(upstreams.map(({ answered }) => answered)).toEqual(upstreams.map(() => 10))
})

test('a client that leaves, an endpoint that hangs up and one that refuses are counted off', async () => {
  const upstreams = await Promise.all([upstream(true), upstream(true)])
  const refusing = await upstream()
  const all = [...upstreams, refusing]
  const cells = localBackendCells()
  const counts = counter(all, cells)
  closers.pop()?.()
  const proxy = await start(balanced(all, { scheduler: 'lc' }), cells)
  const client = connect(proxy.port, '127.0.0.1')
  client.on('error', () => undefined)
  client.write('GET /leaves HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => upstreams.some(({ waiting }) => waiting.length === 1))
  client.destroy()
  await until(() => counts().every((count) => count === 0))
  const answers = Array.from({ length: 4 }, () => ask(proxy).catch(() => 'cut'))
  await until(() => upstreams.reduce((sum, { waiting }) => sum + waiting.length, 0) >= 4)
  for (const { waiting } of upstreams) for (const response of waiting.splice(0)) response.socket?.destroy()
  // What was cut is tried again once elsewhere: GET may be.
  const held = setInterval(() => {
    for (const { waiting } of upstreams) for (const response of waiting.splice(0)) response.end('second')
  }, 5)
  await Promise.all(answers)
  clearInterval(held)
  await until(() => counts().every((count) => count === 0))
})

test('a tunnel is in flight while it lasts', async () => {
  const upstreams = await Promise.all([upstream(), upstream()])
  const cells = localBackendCells()
  const counts = counter(upstreams, cells)
  const proxy = await start(balanced(upstreams, { scheduler: 'lc' }), cells)
  const client = connect(proxy.port, '127.0.0.1')
  client.on('error', () => undefined)
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n')
  await once(client, 'data')
  const tunnelled = counts().indexOf(1)
  expect(counts().reduce((a, b) => a + b)).toBe(1)
  for (let i = 0; i < 5; i++) expect(await ask(proxy)).toBe(String(upstreams[1 - tunnelled]?.port))
  client.destroy()
  await until(() => counts().every((count) => count === 0))
})

test('wrr: as the weights say, and a weight that changes leaves the others as they were', async () => {
  const upstreams = await Promise.all([upstream(), upstream(), upstream()])
  const proxy = await start(balanced(upstreams, { scheduler: 'wrr' }, [4, 3, 2]))
  for (let i = 0; i < 90; i++) await ask(proxy)
  expect(upstreams.map(({ answered }) => answered)).toEqual([40, 30, 20])
  proxy.route(balanced(upstreams, { scheduler: 'wrr' }, [0, 3, 2]))
  for (let i = 0; i < 50; i++) await ask(proxy)
  expect(upstreams.map(({ answered }) => answered)).toEqual([40, 60, 40])
})

test('sh: a client address stays with its endpoint; with its port its connections spread', async () => {
  const upstreams = await Promise.all([upstream(), upstream(), upstream()])
  const proxy = await start(balanced(upstreams, { scheduler: 'sh' }))
  const from = async (localAddress: string): Promise<string> => ask(proxy, { localAddress })
  const places = await Promise.all(Array.from({ length: 12 }, async (_, i) => new Set([await from(`127.0.1.${i}`), await from(`127.0.1.${i}`), await from(`127.0.1.${i}`)])))
  expect(places.every((place) => place.size === 1)).toBe(true)
  expect(new Set(places.flatMap((place) => [...place])).size).toBeGreaterThan(1)
  proxy.route(balanced(upstreams, { scheduler: 'sh', schedulerOptions: { port: true } }))
  expect(new Set(await Promise.all(Array.from({ length: 30 }, () => from('127.0.1.1')))).size).toBeGreaterThan(1)
})

test.each([
  ['uri', [{ kind: 'uri' }], (i: number): Asked => ({ path: `/item?id=${i}` })],
  ['path', [{ kind: 'path' }], (i: number): Asked => ({ path: `/item/${i}?any` })],
  ['header', [{ kind: 'header', name: 'x-user' }], (i: number): Asked => ({ headers: { 'X-User': `user ${i}` } })],
  ['cookie', [{ kind: 'cookie', name: 'session' }], (i: number): Asked => ({ headers: { Cookie: `a=1; session=${i}; session=no` } })],
  ['argument', [{ kind: 'argument', name: 'id' }], (i: number): Asked => ({ path: `/?x=${Math.random()}&id=${i}` })],
  ['query', [{ kind: 'query' }], (i: number): Asked => ({ path: `/${Math.random()}?q=${i}` })],
  ['host and text', [{ kind: 'text', text: 'v1' }, { kind: 'path' }], (i: number): Asked => ({ path: `/${i}` })],
] as const)('mh by %s: the same one goes to the same endpoint, others spread', async (_, hashKey, asked) => {
  const upstreams = await Promise.all([upstream(), upstream(), upstream()])
  const proxy = await start(balanced(upstreams, { scheduler: 'mh', hashKey }))
  const places = await Promise.all(Array.from({ length: 30 }, async (_, i) => new Set([await ask(proxy, asked(i)), await ask(proxy, asked(i))])))
  expect(places.every((place) => place.size === 1)).toBe(true)
  expect(new Set(places.flatMap((place) => [...place])).size).toBe(3)
})

test('mh by a header that is not there: by the client’s address', async () => {
  const upstreams = await Promise.all([upstream(), upstream(), upstream()])
  const proxy = await start(balanced(upstreams, { scheduler: 'mh', hashKey: [{ kind: 'header', name: 'x-user' }] }))
  const places = await Promise.all(Array.from({ length: 20 }, async (_, i) => new Set([await ask(proxy, { localAddress: `127.0.2.${i}` }), await ask(proxy, { localAddress: `127.0.2.${i}`, path: '/other' })])))
  expect(places.every((place) => place.size === 1)).toBe(true)
  expect(new Set(places.flatMap((place) => [...place])).size).toBeGreaterThan(1)
})

test('an endpoint that refuses is passed over by schedulers that count and by those that hash', async () => {
  const alive = await upstream()
  const dead = await upstream()
  closers.pop()?.()
  for (const scheduler of ['lc', 'ewma', 'lblc', 'mh', 'sh', 'wrr', 'twos'] as const) {
    const proxy = await start(balanced([alive, dead], { scheduler }))
    for (let i = 0; i < 8; i++) expect(await ask(proxy, { localAddress: `127.0.3.${i}` })).toBe(String(alive.port))
  }
})

test('ovf: when all are full there is none, 503', async () => {
  const upstreams = await Promise.all([upstream(true), upstream(true)])
  const proxy = await start(balanced(upstreams, { scheduler: 'ovf' }))
  const held = Array.from({ length: 4 }, () => ask(proxy))
  await until(() => upstreams.reduce((sum, { waiting }) => sum + waiting.length, 0) === 4)
  expect(await ask(proxy)).toContain('503')
  for (const { waiting } of upstreams) for (const response of waiting.splice(0)) response.end('ok')
  expect(await Promise.all(held)).toEqual(['ok', 'ok', 'ok', 'ok'])
})
