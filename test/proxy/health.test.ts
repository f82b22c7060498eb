// Endpoints that fail, over real sockets: what clients see of them, who gets their requests meanwhile, and how they come back.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Ejection } from '../../src/balance/endpoint-health.ts'
import { seeded } from '../balance/fixture.ts'
import type { Backend, RoutingConfig } from '../../src/model/routing.ts'
import { RawClient } from '../support/raw-client.ts'
import { routing, startProxy, type TestProxy, type TestProxyOptions } from '../support/test-proxy.ts'

type Mood = 'well' | 'resets' | 'errors' | 'refuses'

/** An endpoint whose mood changes; it keeps its port while it refuses. */
class Endpoint {
  requests = 0
  #mood: Mood = 'well'
  #port = 0
  #server: Server | undefined
  readonly #sockets = new Set<Socket>()

  static async start(): Promise<Endpoint> {
    const endpoint = new Endpoint()
    await endpoint.become('well')
    return endpoint
  }

  get id(): string {
    return `127.0.0.1:${this.#port}`
  }

  async become(mood: Mood): Promise<void> {
    this.#mood = mood
    for (const socket of this.#sockets) socket.destroy()
    if (mood === 'refuses') return this.stop()
    if (this.#server !== undefined) return
    const server = createServer((socket) => this.#serve(socket))
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server === undefined) return
    server.close()
    await once(server, 'close')
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    socket.on('data', (data) => {
      this.requests += data.toString('latin1').split('\r\n\r\n').length - 1
      if (this.#mood === 'resets') socket.resetAndDestroy()
      else socket.write(`HTTP/1.1 ${this.#mood === 'errors' ? '500 Oops' : '200 OK'}\r\nContent-Length: 2\r\n\r\nok`)
    })
  }
}

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function endpoints(count: number): Promise<[Endpoint, ...Endpoint[]]> {
  const all = await Promise.all(Array.from({ length: count }, () => Endpoint.start()))
  closers.push(...all.map((endpoint) => () => endpoint.stop()))
  const [first, ...rest] = all
  if (first === undefined) throw new RangeError('no endpoint')
  return [first, ...rest]
}

function to(all: readonly Endpoint[], fields: Partial<Backend> = {}): RoutingConfig {
  const config = routing([{ host: 'a', backend: 'web' }], { web: all.map(({ id }) => id) })
  return { ...config, backends: new Map([...config.backends].map(([id, backend]) => [id, { ...backend, ...fields }])) }
}

async function start(config: RoutingConfig, options: TestProxyOptions = {}): Promise<{ proxy: TestProxy; ejections: Ejection[]; ask: (count: number, method?: string) => Promise<Record<number, number>> }> {
  const ejections: Ejection[] = []
  const proxy = await startProxy(config, { random: seeded(1), onEjected: (ejection) => ejections.push(ejection), limits: { requestsPerConnection: 0 }, ...options })
  closers.push(() => proxy.proxy.close())
  const client = await RawClient.connect(proxy.port)
  closers.push(() => client.close())
  /** One after the other; answers how often each status came. */
  const ask = async (count: number, method = 'GET'): Promise<Record<number, number>> => {
    const statuses: Record<number, number> = {}
    for (let i = 0; i < count; i++) {
      client.send(`${method} / HTTP/1.1\r\nHost: a\r\n${method === 'POST' ? 'Content-Length: 0\r\n' : ''}\r\n`)
      const { status } = await client.response()
      statuses[status] = (statuses[status] ?? 0) + 1
    }
    return statuses
  }
  return { proxy, ejections, ask }
}

const tries = ({ records }: TestProxy): number => records.reduce((sum, each) => sum + each.tries, 0)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('one of four refuses: no client sees it, and after the first failure hardly a request tries it', async () => {
  const all = await endpoints(4)
  const { proxy, ejections, ask } = await start(to(all))
  await ask(8)
  await all[0].become('refuses')
  const before = tries(proxy)
  expect(await ask(400)).toEqual({ 200: 400 })
  // A stale idle connection and the refused one behind it; each return adds one more.
  expect(tries(proxy) - before - 400).toBeLessThanOrEqual(2 + ejections.length)
  expect(ejections[0]).toMatchObject({ namespace: 'test', service: 'web', endpoint: all[0].id, reason: 'connect-failures' })
})

test('it comes back, slowly, and ends with its full share', async () => {
  const all = await endpoints(4)
  const { ejections, ask } = await start(to(all), { health: { slowStart: 1500, firstEjection: 400 } })
  await all[0].become('refuses')
  await ask(8)
  expect(ejections).toHaveLength(1)
  await all[0].become('well')
  while (all[0].requests === 0) await ask(4)
  const early = all[0].requests
  await ask(200)
  // A tenth of a quarter at first; the ramp goes on while these 200 are sent.
  expect(all[0].requests - early).toBeLessThan(50)
  await sleep(1700)
  await ask(4)
  const ramped = all[0].requests
  await ask(400)
  expect(all[0].requests - ramped).toBe(100)
  expect(ejections).toHaveLength(1)
})

test('one of four resets every connection: requests that may be repeated succeed, the others fail until it is ejected', async () => {
  const all = await endpoints(4)
  const { ejections, ask } = await start(to(all), { health: { firstEjection: 20_000 } })
  await all[0].become('resets')
  expect(await ask(40, 'POST')).toEqual({ 200: 35, 502: 5 })
  expect(ejections).toMatchObject([{ endpoint: all[0].id, reason: 'bad-answers' }])
  expect(await ask(200, 'POST')).toEqual({ 200: 200 })
})

test('one of four answers 500: clients see them, unless asked to eject for them', async () => {
  const all = await endpoints(4)
  await all[0].become('errors')
  const off = await start(to(all))
  expect(await off.ask(400)).toEqual({ 200: 300, 500: 100 })
  const on = await start(to(all), { health: { count5xx: true, firstEjection: 20_000 } })
  expect(await on.ask(400)).toEqual({ 200: 395, 500: 5 })
  expect(on.ejections).toMatchObject([{ endpoint: all[0].id, reason: 'bad-answers' }])
})

test('all refuse: half are ejected, the others go on being tried, and one that comes back is found at once', async () => {
  const all = await endpoints(4)
  const { ejections, ask, proxy } = await start(to(all), { health: { firstEjection: 20_000 } })
  for (const each of all) await each.become('refuses')
  expect(await ask(10)).toEqual({ 502: 10 })
  expect(ejections).toHaveLength(2)
  const out = new Set(ejections.map(({ endpoint }) => endpoint))
  const back = all.filter(({ id }) => !out.has(id))
  for (const each of back) await each.become('well')
  expect(await ask(20)).toEqual({ 200: 20 })
  expect(proxy.records.slice(-20).map((each) => each.tries)).toEqual(Array.from({ length: 20 }, () => 1))
})

test('two of three refuse: one is ejected, the other hardly asked, and no client sees either', async () => {
  const all = await endpoints(3)
  const { ejections, ask, proxy } = await start(to(all), { health: { firstEjection: 20_000 }, pool: { retryFloor: 3 } })
  await ask(30)
  await all[0].become('refuses')
  await all[1]?.become('refuses')
  const before = tries(proxy)
  expect(await ask(500)).toEqual({ 200: 500 })
  expect(ejections).toHaveLength(1)
  // About every twentieth request tries it; both had an idle connection that was stale.
  expect(tries(proxy) - before).toBeLessThan(500 + 60)
})

test('a single endpoint is never ejected', async () => {
  const [only] = await endpoints(1)
  const { ejections, ask } = await start(to([only]))
  await only.become('refuses')
  expect(await ask(5)).toEqual({ 502: 5 })
  await only.become('well')
  expect(await ask(5)).toEqual({ 200: 5 })
  expect(ejections).toEqual([])
})

test.each(['wrr', 'lc', 'wlc', 'lblc', 'sed', 'nq', 'twos', 'ewma', 'random', 'fo', 'mh', 'sh', 'dh'] as const)('%s leaves an ejected endpoint out', async (scheduler) => {
  const all = await endpoints(4)
  const { proxy, ejections, ask } = await start(to(all, { scheduler }), { health: { firstEjection: 20_000 } })
  // So that hashes and the highest weight mean endpoints that refuse in some of the cases.
  await all[0].become('refuses')
  await ask(60)
  const before = tries(proxy)
  expect(await ask(100)).toEqual({ 200: 100 })
  if (ejections.length > 0) expect(tries(proxy) - before).toBe(100)
})

test('a backend that refuses everything gets retries for a fifth of its requests and a few more', async () => {
  const all = await endpoints(4)
  const { proxy, ask } = await start(to(all), { pool: { retryFloor: 5 }, health: { connectFailures: 0 } })
  for (const each of all) await each.become('refuses')
  const began = performance.now()
  expect(await ask(1000)).toEqual({ 502: 1000 })
  const windows = Math.ceil((performance.now() - began) / 10_000)
  const retries = tries(proxy) - 1000
  expect(retries).toBeGreaterThan(150)
  expect(retries).toBeLessThanOrEqual(200 + 5 * windows)
  // Each request ended after three tries, or when it was refused one.
  const three = proxy.records.filter((each) => each.tries === 3).length
  expect(proxy.retriesRefused()).toBe(1000 - three)
  process.stdout.write(`all refuse: 1000 requests, ${retries} retries; without a budget there would be 2000\n`)
})

test('stale idle connections are no retries of the budget', async () => {
  const all = await endpoints(2)
  const { ask } = await start(to(all), { pool: { retryShare: 0, retryFloor: 0 } })
  for (let i = 0; i < 10; i++) {
    expect(await ask(4)).toEqual({ 200: 4 })
    for (const each of all) await each.become('well')
  }
})
