// Routes that say themselves when a request is sent to another endpoint: conditions, methods, statuses, tries and time.
import { afterEach, expect, it } from 'vitest'
import type { RetryConditions, RouteRetries } from '../../src/model/policy.ts'
import { H2C, spoken } from '../support/backend-protocol.ts'
import { RawClient } from '../support/raw-client.ts'
import { startRawHttp2Backend } from '../support/raw-http2-backend.ts'
import { OK, ScriptedUpstream, type UpstreamRequest } from '../support/scripted-upstream.ts'
import { routing, startProxy, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const NOTHING: RetryConditions = { error: false, timeout: false, invalidHeader: false, nonIdempotent: false, statuses: [] }
const on = (conditions: Partial<RetryConditions>, more: RouteRetries = {}): RouteRetries => ({ ...more, on: { ...NOTHING, ...conditions } })
const status = (code: number): string => `HTTP/1.1 ${code} X\r\nContent-Length: 3\r\n\r\nbad`

interface Stage {
  readonly proxy: TestProxy
  readonly client: RawClient
  /** Requests that each endpoint got, by method, with their bodies. */
  readonly got: readonly (readonly string[])[]
}

/** `answers`: what each endpoint says, in their order; empty: it closes; `silence`: nothing. */
async function stage(answers: readonly string[], retries: RouteRetries | undefined, settings: SettingsOverrides = {}): Promise<Stage> {
  const upstreams = await Promise.all(
    answers.map((answer) =>
      ScriptedUpstream.start({
        onRequest({ connection }: UpstreamRequest) {
          if (answer === '') connection.socket.end()
          else if (answer !== 'silence') connection.socket.write(answer)
        },
      }),
    ),
  )
  const policy = retries === undefined ? {} : { retries }
  const proxy = await startProxy(routing([{ host: 'a', backend: 'web', policy }], { web: upstreams.map(({ port }) => `127.0.0.1:${port}`) }), { timeouts: { read: 200 }, ...settings })
  const client = await RawClient.connect(proxy.port)
  ends.push(() => Promise.all(upstreams.map((upstream) => upstream.stop())), () => proxy.proxy.close(), () => client.close())
  return {
    proxy, client,
    get got() {
      return upstreams.map(({ requests }) => requests.map(({ method, body }) => `${method} ${body}`.trim()))
    },
  }
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody'

async function ask({ client }: Stage, request = GET): Promise<number> {
  client.send(request)
  return (await client.response()).status
}

it.each([
  ['a connection that closes', '', on({ error: true }), 200],
  ['a connection that closes, unasked for', '', on({ timeout: true }), 502],
  ['silence', 'silence', on({ timeout: true }), 200],
  ['silence, unasked for', 'silence', on({ error: true }), 504],
  ['silence, as always', 'silence', undefined, 504],
  ['a head that is none', 'HTTP/1.1 999999\r\n\r\n', on({ invalidHeader: true }), 200],
  ['a head that is none, unasked for', 'HTTP/1.1 999999\r\n\r\n', on({ error: true, timeout: true }), 502],
  ['half a head', 'HTTP/1.1 200 OK\r\nX: y', on({ timeout: true }), 200],
  ['503', status(503), on({ statuses: [503] }), 200],
  ['503, unasked for', status(503), on({ error: true, timeout: true, statuses: [502] }), 503],
  ['429', status(429), on({ statuses: [429] }), 200],
  ['off', '', on({}), 502],
] as const)('%s', async (_what, first, retries, expected) => {
  const on = await stage([first, OK], retries)
  expect(await ask(on)).toBe(expected)
  expect(on.got).toEqual(expected === 200 ? [['GET'], ['GET']] : [['GET'], []])
})

it.each([
  ['503', status(503), on({ statuses: [503] }), 503],
  ['503, also for those that may act twice', status(503), on({ statuses: [503], nonIdempotent: true }), 200],
  ['a connection that closes', '', on({ error: true }), 502],
  ['a connection that closes, also for those that may act twice', '', on({ error: true, nonIdempotent: true }), 200],
  ['silence, also for those that may act twice', 'silence', on({ timeout: true, nonIdempotent: true }), 200],
] as const)('POST: %s', async (_what, first, retries, expected) => {
  const on = await stage([first, OK], retries)
  expect(await ask(on, POST)).toBe(expected)
  expect(on.got).toEqual(expected === 200 ? [['POST body'], ['POST body']] : [['POST body'], []])
})

it('a body that was not kept is not sent again, and the answer is the client\'s', async () => {
  const stuck = await stage([status(503), OK], on({ statuses: [503] }))
  const body = 'x'.repeat(100_000)
  expect(await ask(stuck, `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)).toBe(503)
  expect(stuck.got[1]).toEqual([])
})

it('the last answer is the client\'s, as it is', async () => {
  const all = await stage([status(503), status(503)], on({ statuses: [503] }))
  all.client.send(GET)
  expect(await all.client.response()).toMatchObject({ status: 503, body: 'bad' })
  expect(all.got).toEqual([['GET'], ['GET']])
  expect(await all.proxy.recorded(() => true)).toMatchObject({ status: 503, failure: undefined, tries: 2 })
})

it('no more tries than it says, and none after its time', async () => {
  const two = await stage([status(503), status(503), OK], on({ statuses: [503] }, { tries: 2 }))
  expect(await ask(two)).toBe(503)
  expect(two.got).toEqual([['GET'], ['GET'], []])
  const many = await stage([status(503), status(503), status(503), status(503), OK], on({ statuses: [503] }, { tries: 0 }))
  expect(await ask(many)).toBe(200)
  const late = await stage(['silence', OK], on({ timeout: true }, { within: 100 }))
  expect(await ask(late)).toBe(504)
  const once = await stage(['', OK], { tries: 1 })
  expect(await ask(once)).toBe(502)
})

it('the budget of the backend holds for these too', async () => {
  const spent = await stage([status(503), OK], on({ statuses: [503] }), { pool: { retryShare: 0, retryFloor: 1 } })
  expect([await ask(spent), await ask(spent), await ask(spent)].toSorted()).toEqual([200, 200, 503])
  expect(spent.proxy.retriesRefused()).toBe(1)
})

it('whatever is asked for, an idle connection that was stale costs no request', async () => {
  const upstream = await ScriptedUpstream.start()
  const proxy = await startProxy(routing([{ host: 'a', backend: 'web', policy: { retries: on({}, { tries: 1 }) } }], { web: [`127.0.0.1:${upstream.port}`] }))
  const client = await RawClient.connect(proxy.port)
  ends.push(() => upstream.stop(), () => proxy.proxy.close(), () => client.close())
  client.send(GET)
  await client.response()
  const [stale] = upstream.connections
  upstream.script = { onRequest: ({ connection }) => void (connection === stale ? connection.socket.destroy() : connection.socket.write(OK)) }
  client.send(GET)
  expect((await client.response()).status).toBe(200)
})

it('HTTP/2: a status sends the request elsewhere, its session goes on; refusals without end come to an end', async () => {
  let [busy, refused] = [0, 0]
  const bad = await startRawHttp2Backend((answer) => {
    busy++
    answer.head(503, 'Content-Length: 3\r\n')
    answer.data('bad', true)
  })
  const good = await startRawHttp2Backend((answer) => answer.head(200, 'Content-Length: 0\r\n', true))
  const refusing = await startRawHttp2Backend((answer) => {
    refused++
    answer.reset(7)
  })
  const hosts = [{ host: 'a', backend: 'web', policy: { retries: on({ statuses: [503] }) } }, { host: 'b', backend: 'bad', policy: { retries: on({ error: true }, { tries: 0 }) } }]
  const proxy = await startProxy(spoken(routing(hosts, { web: [bad, good].map(({ port }) => `127.0.0.1:${port}`), bad: [`127.0.0.1:${refusing.port}`] }), H2C))
  ends.push(bad.close, good.close, refusing.close, () => proxy.proxy.close())
  const client = await RawClient.connect(proxy.port)
  ends.push(() => client.close())
  for (let i = 0; i < 6; i++) {
    client.send(GET)
    expect((await client.response()).status).toBe(200)
  }
  expect([busy, proxy.proxy.connections().upstream]).toEqual([3, 2])
  client.send('GET / HTTP/1.1\r\nHost: b\r\n\r\n')
  expect((await client.response()).status).toBe(502)
  expect(refused).toBe(4)
})

it('where errors are not to be tried again, none waits for other endpoints', async () => {
  const gone = await ScriptedUpstream.start()
  const { port } = gone
  await gone.stop()
  const proxy = await startProxy(routing([{ host: 'a', backend: 'web', policy: { retries: on({ timeout: true }) } }], { web: [`127.0.0.1:${port}`] }), { pool: { changeWait: 600_000 } })
  const client = await RawClient.connect(proxy.port)
  ends.push(() => proxy.proxy.close(), () => client.close())
  client.send(GET)
  expect((await client.response()).status).toBe(502)
})
