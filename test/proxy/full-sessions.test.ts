// Sessions of HTTP/2 whose backend has stopped reading: what they hold back is theirs alone, and requests that come meanwhile go elsewhere.
import type { Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { H2C, spoken } from '../support/backend-protocol.ts'
import { eventually } from '../support/fetch-host.ts'
import { RawClient } from '../support/raw-client.ts'
import { startRawHttp2Backend, type RawAnswer } from '../support/raw-http2-backend.ts'
import { routing, startProxy, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

const ends: (() => unknown)[] = []
afterEach(() => {
  for (const end of ends.splice(0).toReversed()) end()
})

interface Backend {
  readonly port: number
  /** Of each request that was answered. */
  readonly answered: Socket[]
  /** The first request. */
  stuck?: RawAnswer
}

/** Stops reading with its first request, and answers all others. */
async function backend(stops = true): Promise<Backend> {
  const answered: Socket[] = []
  const { port, close } = await startRawHttp2Backend(
    (answer) => {
      if (stops && made.stuck === undefined) {
        made.stuck = answer
        answer.socket.pause()
        return
      }
      answered.push(answer.socket)
      answer.head(200, 'Content-Length: 0\r\n', true)
    },
    (answer) => {
      if (answer.ended) answer.head(200, 'Content-Length: 0\r\n', true)
    },
  )
  const made: Backend = { port, answered }
  ends.push(close)
  return made
}

async function front(ports: readonly number[], settings: SettingsOverrides): Promise<TestProxy> {
  const config = spoken(routing([{ host: '127.0.0.1', backend: 'web' }], { web: ports.map((port) => `127.0.0.1:${port}`) }), H2C)
  const proxy = await startProxy(config, { limits: { bodyBytes: 0 }, timeouts: { read: 10_000 }, ...settings })
  ends.push(() => proxy.proxy.close())
  return proxy
}

const SIZE = 40_000_000

/** A request that fills everything on the way to a backend that does not read. */
async function fill(proxy: TestProxy, { port }: Backend): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port)
  ends.push(() => client.close())
  client.send(`POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${SIZE}\r\n\r\n`)
  client.socket.write(Buffer.alloc(SIZE))
  let before = -1
  await eventually(async () => {
    const same = client.socket.writableLength === before
    before = client.socket.writableLength
    await new Promise((resolve) => setTimeout(resolve, 100))
    return same && proxy.proxy.connections().upstream > 0 && port > 0
  }, Boolean)
  return client
}

const get = async (proxy: TestProxy): Promise<number> => (await fetch(`http://127.0.0.1:${proxy.port}/`)).status

it('requests go over another session, and over the first again when it has drained', async () => {
  const one = await backend()
  const proxy = await front([one.port], {})
  const filling = await fill(proxy, one)
  for (let i = 0; i < 5; i++) expect(await get(proxy)).toBe(200)
  expect(one.answered.every((socket) => socket !== one.stuck?.socket)).toBe(true)
  expect(proxy.proxy.connections().upstream).toBe(2)
  one.stuck?.socket.resume()
  expect((await filling.response()).status).toBe(200)
  expect(await get(proxy)).toBe(200)
  expect(one.answered.at(-1)).toBe(one.stuck?.socket)
})

it('with no session to spare, another endpoint is asked', async () => {
  const [stuck, well] = [await backend(), await backend(false)]
  const proxy = await front([stuck.port, well.port], { pool: { sessionsPerEndpoint: 1 } })
  await fill(proxy, stuck)
  for (let i = 0; i < 10; i++) expect(await get(proxy)).toBe(200)
  expect([stuck.answered.length, well.answered.length]).toEqual([0, 10])
})

it('with no other either, a request waits until the session has drained', async () => {
  const one = await backend()
  const proxy = await front([one.port], { pool: { sessionsPerEndpoint: 1, queueTimeout: 60_000 } })
  await fill(proxy, one)
  const waiting = get(proxy)
  const busy = (): number => proxy.proxy.connections().clients - proxy.proxy.connections().idleClients
  await eventually(async () => busy(), (count) => count === 2)
  expect(one.answered.length).toBe(0)
  one.stuck?.socket.resume()
  expect(await waiting).toBe(200)
  expect(one.answered).toEqual([one.stuck?.socket])
})

it('a request that has waited in vain says so, long before the session would be given up', async () => {
  const one = await backend()
  const proxy = await front([one.port], { pool: { sessionsPerEndpoint: 1, queueTimeout: 300 } })
  await fill(proxy, one)
  expect(await get(proxy)).toBe(503)
  expect((await proxy.recorded(({ method }) => method === 'GET')).failure).toBe('queue-timeout')
})
