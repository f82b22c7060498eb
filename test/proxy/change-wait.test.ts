// Requests whose endpoints all refuse the connection: for how long, and how many, wait for the table to name others.
import { afterEach, describe, expect, it } from 'vitest'
import { fakeClock, type FakeClock } from '../support/fake-clock.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { deadPort } from '../support/stream-peers.ts'
import { routing, startProxy, type TestProxy, type TestProxyOptions } from '../support/test-proxy.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const open: { close(): unknown }[] = []

afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

const to = (...endpoints: readonly string[]) => routing([{ host: 'a', backend: 'web' }], { web: endpoints })
const dead = async (): Promise<string> => `127.0.0.1:${await deadPort()}`

async function upstream(): Promise<{ readonly upstream: ScriptedUpstream; readonly endpoint: string }> {
  const made = await ScriptedUpstream.start()
  open.push({ close: () => made.stop() })
  return { upstream: made, endpoint: `127.0.0.1:${made.port}` }
}

/** A request waits as long as the clock stands still. */
async function start(endpoints: readonly string[], { pool, ...options }: TestProxyOptions = {}): Promise<{ proxy: TestProxy; clock: FakeClock }> {
  const clock = fakeClock(1_000_000)
  const proxy = await startProxy(to(...endpoints), { clock, ...options, pool: { changeWait: 60_000, ...pool } })
  open.push(proxy.proxy)
  return { proxy, clock }
}

async function ask(proxy: TestProxy, request = GET): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port)
  open.push(client)
  client.send(request)
  return client
}

/** So many wait. */
async function waiting(proxy: TestProxy, requests: number): Promise<void> {
  while (proxy.proxy.connections().waiting !== requests) await new Promise((resolve) => setTimeout(resolve, 2))
}

describe('a request that all endpoints refuse', () => {
  it('is answered by the endpoint that comes in their place, once and whole, whatever its method', async () => {
    const { proxy } = await start([await dead(), await dead()])
    const clients = [await ask(proxy), await ask(proxy, 'POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'), await ask(proxy, 'POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhe')]
    await waiting(proxy, 3)
    clients[2]?.send('llo ')
    const { upstream: fresh, endpoint } = await upstream()
    proxy.route(to(endpoint))
    clients[2]?.send('you')
    for (const client of clients.slice(0, 2)) expect((await client.response()).status).toBe(200)
    clients[2]?.send('!')
    expect((await clients[2]?.response())?.status).toBe(200)
    expect(fresh.requests.map(({ method, body }) => `${method} ${body}`).toSorted()).toEqual(['GET ', 'POST hello', 'POST hello yo'])
    expect(proxy.records.map(({ status }) => status)).toEqual([200, 200, 200])
  })

  it('goes on waiting while those that come refuse too, and is not sent again to the ones that did', async () => {
    const first = await dead()
    const { proxy } = await start([first])
    const client = await ask(proxy)
    await waiting(proxy, 1)
    proxy.route(to(first, await dead()))
    expect(proxy.proxy.connections().waiting).toBe(0)
    await waiting(proxy, 1)
    const { endpoint } = await upstream()
    proxy.route(to(first, endpoint))
    expect((await client.response()).status).toBe(200)
    expect(proxy.records.map(({ tries }) => tries)).toEqual([3])
  })

  it('that may be tried on few endpoints only is tried on others once the table changes', async () => {
    const all = [await dead(), await dead(), await dead()]
    const { proxy } = await start(all, { pool: { tries: 1 } })
    const client = await ask(proxy)
    await waiting(proxy, 1)
    const { endpoint } = await upstream()
    proxy.route(to(endpoint))
    expect((await client.response()).status).toBe(200)
  })

  it('is answered with 502 when the time is over, and so is at once whoever comes later, until the endpoints change', async () => {
    const endpoint = await dead()
    const { proxy, clock } = await start([endpoint], { pool: { changeWait: 300 } })
    const client = await ask(proxy)
    await waiting(proxy, 1)
    await clock.advance(1000)
    expect((await client.response()).status).toBe(502)
    // The clock stands: nobody who waits would be answered.
    expect((await (await ask(proxy)).response()).status).toBe(502)
    proxy.route(to(await dead()))
    const again = await ask(proxy)
    await waiting(proxy, 1)
    const { endpoint: fresh } = await upstream()
    proxy.route(to(fresh))
    expect((await again.response()).status).toBe(200)
  })

  it('or cut, waits as well if it may be sent again, and no oftener than it may', async () => {
    const cuts = async (): Promise<{ readonly upstream: ScriptedUpstream; readonly endpoint: string }> => {
      const made = await upstream()
      made.upstream.script = { onRequest: ({ connection }) => void connection.socket.destroy() }
      return made
    }
    const all = [await cuts(), await cuts(), await cuts(), await cuts()]
    const endpoints = all.map(({ endpoint }) => endpoint)
    const { proxy } = await start(endpoints.slice(0, 1))
    expect((await (await ask(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx')).response()).status).toBe(502)
    const client = await ask(proxy)
    await waiting(proxy, 1)
    proxy.route(to(...endpoints))
    expect((await client.response()).status).toBe(502)
    expect(all.map((each) => each.upstream.requests.length).toSorted()).toEqual([0, 1, 1, 2])
  })

  it('is answered with 502 when its backend is gone', async () => {
    const { proxy } = await start([await dead()])
    const client = await ask(proxy)
    await waiting(proxy, 1)
    proxy.route(routing([], {}))
    expect((await client.response()).status).toBe(502)
  })

  it('is forgotten with its client, and leaves room for another', async () => {
    const { proxy } = await start([await dead()], { pool: { changeWaiters: 1 } })
    const first = await ask(proxy)
    await waiting(proxy, 1)
    expect((await (await ask(proxy)).response()).status).toBe(502)
    first.close()
    await proxy.recorded(({ status }) => status === 499)
    const next = await ask(proxy)
    await waiting(proxy, 1)
    const { endpoint } = await upstream()
    proxy.route(to(endpoint))
    expect((await next.response()).status).toBe(200)
  })

  it('fails at once where nothing may wait', async () => {
    const { proxy } = await start([await dead()], { pool: { changeWait: 0 } })
    expect((await (await ask(proxy)).response()).status).toBe(502)
  })
})

it('a change of another backend wakes nobody', async () => {
  const both = (web: string, other: string) => routing([{ host: 'a', backend: 'web' }, { host: 'b', backend: 'other' }], { web: [web], other: [other] })
  const [web, other] = [await dead(), await dead()]
  const { proxy } = await start([web])
  const before = both(web, other)
  proxy.route(before)
  const client = await ask(proxy)
  await waiting(proxy, 1)
  const { upstream: fresh, endpoint } = await upstream()
  const after = both(web, endpoint)
  proxy.route({ ...after, backends: new Map([...before.backends, ...[...after.backends].filter(([id]) => id === 'other')]) })
  expect((await (await ask(proxy, 'GET / HTTP/1.1\r\nHost: b\r\n\r\n')).response()).status).toBe(200)
  expect([fresh.requests.length, client.text()]).toEqual([1, ''])
})
