// The prober: thresholds, rhythm and bounds with a clock in the test's hands; its calls over real sockets.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { isIll, stateOf } from '../../src/balance/health-cells.ts'
import { localBackendCells, loadsOf } from '../../src/balance/loads.ts'
import { DEFAULT_PROBE, type Probe } from '../../src/model/probe.ts'
import type { Backend, Endpoint } from '../../src/model/routing.ts'
import { callProbe } from '../../src/runtime/probe-call.ts'
import { createProber } from '../../src/runtime/prober.ts'
import { seeded } from '../balance/fixture.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { backendOf } from './configs.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close()
})

const PROBE: Probe = { ...DEFAULT_PROBE, path: '/healthz', interval: 1000 }

/** A prober whose calls answer what `trouble` says of an endpoint at that time. */
function bench() {
  const clock = fakeClock(1_700_000_000_000)
  const cells = localBackendCells()
  const lines: string[] = []
  const calls: string[] = []
  const sick = new Map<string, string>()
  const held: (() => void)[] = []
  const state = { holds: false, open: 0, most: 0 }
  const loads = (backend: Pick<Backend, 'namespace' | 'service' | 'port'>, id: string) => loadsOf([{ id, address: '', port: 1, weight: 1 }], cells.of(backend))
  const prober = createProber({
    clock,
    random: seeded(1),
    log: (level, message, facts) => lines.push(`${level} ${message} ${JSON.stringify(facts)}`),
    endpoints: { loads },
    call: ({ id }) => {
      calls.push(id)
      state.most = Math.max(state.most, ++state.open)
      const over = Promise.withResolvers<string | undefined>()
      const end = () => over.resolve(sick.get(id))
      if (state.holds) held.push(end)
      else end()
      void over.promise.then(() => state.open--)
      return { result: over.promise, cancel: end }
    },
  })
  closers.push(() => prober.close())
  return { clock, prober, lines, calls, sick, held, state, loads }
}

const checked = (name: string, ports: readonly number[], probe: Probe | undefined = PROBE): Backend => ({ ...backendOf(name, ports), ...(probe === undefined ? {} : { probe }) })
const asMap = (...backends: readonly Backend[]) => new Map(backends.map((backend) => [backend.id, backend]))
const at = (port: number): string => `127.0.0.1:${port}`

test('three bad results in a row make an endpoint ill, two good ones well; fewer change nothing', async () => {
  const { clock, prober, lines, sick, loads } = bench()
  const web = checked('web', [1, 2])
  prober.update(asMap(web))
  sick.set(at(1), 'status 500')
  await clock.advance(2100)
  expect(isIll(loads(web, at(1)), 0)).toBe(false)
  sick.clear()
  await clock.advance(1100)
  sick.set(at(1), 'status 500')
  await clock.advance(4000)
  expect([isIll(loads(web, at(1)), 0), isIll(loads(web, at(2)), 0)]).toEqual([true, false])
  expect(lines).toEqual([`warn endpoint is ill by its health check and out of use {"service":"dev/web:80","endpoint":"${at(1)}","reason":"status 500"}`])
  sick.clear()
  await clock.advance(3300)
  // Slow start begins where it is well again.
  expect(stateOf(loads(web, at(1)), 0, clock.now(), 10_000)).toBe('slow-start')
  expect(lines.at(-1)).toContain('well by its health check')
})

test('each endpoint is checked once an interval, give or take a tenth, not all at one time', async () => {
  const { clock, prober, calls } = bench()
  prober.update(asMap(checked('web', [1, 2, 3])))
  await clock.advance(101_000)
  for (const port of [1, 2, 3]) {
    const count = calls.filter((id) => id === at(port)).length
    expect(count).toBeGreaterThan(90)
    expect(count).toBeLessThan(112)
  }
  expect(calls.slice(0, 30)).not.toEqual(Array.from({ length: 30 }, (_, i) => at((i % 3) + 1)))
})

test('no more than 64 at once, and those that had to wait have their turn', async () => {
  const { clock, prober, calls, held, state } = bench()
  const ports = Array.from({ length: 200 }, (_, i) => i + 1)
  state.holds = true
  prober.update(asMap(checked('web', ports)))
  await clock.advance(1000)
  expect([state.open, calls.length]).toEqual([64, 64])
  while (held.length > 0) {
    held.shift()?.()
    await new Promise(setImmediate)
  }
  expect([new Set(calls).size, state.most]).toEqual([200, 64])
})

test('backends of one Service port share the check; a backend without one has none', async () => {
  const { clock, prober, calls } = bench()
  const web = checked('web', [1])
  prober.update(asMap(web, { ...web, id: `${web.id};scheduler=lc` }, backendOf('other', [2])))
  await clock.advance(10_000)
  expect(calls.length).toBeLessThan(13)
  expect(new Set(calls)).toEqual(new Set([at(1)]))
})

test('who is no longer checked is no longer ill, and is not called again; other changes of the backend leave a check as it is', async () => {
  const { clock, prober, sick, loads, calls } = bench()
  const web = checked('web', [1, 2])
  prober.update(asMap(web))
  sick.set(at(1), 'ECONNREFUSED')
  await clock.advance(3500)
  expect(isIll(loads(web, at(1)), 0)).toBe(true)
  prober.update(asMap(checked('web', [1, 3])))
  expect(isIll(loads(web, at(1)), 0)).toBe(true)
  prober.update(asMap(backendOf('web', [1, 3])))
  expect(isIll(loads(web, at(1)), 0)).toBe(false)
  const before = calls.length
  await clock.advance(10_000)
  expect([calls.length, clock.pending]).toEqual([before, 0])
})

async function server(answer: RequestListener): Promise<Endpoint> {
  const listening = createServer(answer)
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  closers.push(() => {
    listening.closeAllConnections()
    listening.close()
  })
  const { port } = listening.address() as AddressInfo
  return { id: at(port), address: '127.0.0.1', port, weight: 1 }
}

const FAST: Probe = { ...PROBE, timeout: 300 }

test.each([[200, undefined], [204, undefined], [302, undefined], [404, 'status 404'], [500, 'status 500']])('HTTP %i: %s', async (status, expected) => {
  const asked: (string | undefined)[] = []
  const endpoint = await server((request, response) => {
    asked.push(request.method, request.url, request.headers.host, request.headers['user-agent'])
    response.writeHead(status).end('x')
  })
  expect(await callProbe(endpoint, { ...FAST, path: '/ok?a=b' }, 'web.example').result).toBe(expected)
  expect(asked).toEqual(['GET', '/ok?a=b', 'web.example', 'narthex-health-check'])
})

test('an endpoint that never answers, one that answers without end, one that talks nonsense', async () => {
  const silent = await server(() => undefined)
  expect(await callProbe(silent, FAST, 'a').result).toBe('no answer within 300 ms')
  const endless = await server((_request, response) => {
    response.writeHead(200)
    response.write('x'.repeat(100_000))
  })
  expect(await callProbe(endless, FAST, 'a').result).toBeUndefined()
  const nonsense = createTcpServer((socket) => socket.on('error', () => undefined).resume().end('nonsense\r\n\r\n'))
  nonsense.listen(0, '127.0.0.1')
  await once(nonsense, 'listening')
  closers.push(() => void nonsense.close())
  const { port } = nonsense.address() as AddressInfo
  const endpoint = { id: at(port), address: '127.0.0.1', port, weight: 1 }
  expect(await callProbe(endpoint, FAST, 'a').result).toMatch(/^HPE_/)
  const { path: _, ...tcp } = FAST
  expect(await callProbe(endpoint, tcp, 'a').result).toBeUndefined()
  nonsense.close()
  await once(nonsense, 'close')
  expect([await callProbe(endpoint, tcp, 'a').result, await callProbe(endpoint, FAST, 'a').result]).toEqual(['ECONNREFUSED', 'ECONNREFUSED'])
})
