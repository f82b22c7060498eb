// Real threads over real sockets: what one of them finds of an endpoint serves all.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { startDataPlane, type DataPlane } from '../../src/runtime/data-plane.ts'
import { eventually, fetchHost } from '../support/fetch-host.ts'
import { configOf } from './configs.ts'

const THREADS = 4
const closers: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function pod(): Promise<number> {
  const server = createServer((_request, response) => response.end('ok'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Takes connections and resets them, so that it can be seen who tried. */
async function broken(): Promise<{ readonly port: number; connections: number }> {
  const state = { port: 0, connections: 0 }
  const server = createTcpServer((socket) => {
    state.connections++
    // Not before the request: a reset at once may count as a connection that could not be made.
    socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => void server.close())
  state.port = (server.address() as AddressInfo).port
  return state
}

test('an endpoint that fails five times is out for four threads, is shown and logged, and comes back', async () => {
  const good = await Promise.all([pod(), pod(), pod()])
  const bad = await broken()
  const lines: string[] = []
  const plane: DataPlane = await startDataPlane({
    settings: () => ({ ...DEFAULT_SETTINGS, health: { ...DEFAULT_SETTINGS.health, firstEjection: 3000, longestEjection: 3000, slowStart: 1000 } }),
    listeners: [{ port: 0, address: '127.0.0.1', tls: false }],
    threads: THREADS,
    defaultCertificate: await createDefaultCertificate(),
    log: (level, message, facts) => lines.push(`${level} ${message} ${JSON.stringify(facts)}`),
  })
  closers.push(() => plane.close())
  await plane.apply(configOf({ 'a.example': [...good, bad.port] }))
  const port = plane.ports[0] ?? 0
  // Each over a connection of its own, so that all threads have their part.
  const ask = async (count: number): Promise<readonly number[]> => (await Promise.all(Array.from({ length: count }, () => fetchHost({ port, host: 'a.example' })))).map(({ status }) => status)
  const began = performance.now()
  for (let i = 0; i < 40; i++) expect(await ask(1)).toEqual([200])
  const { endpointHealth, ejections } = await plane.stats()
  const endpoint = `127.0.0.1:${bad.port}`
  expect(endpointHealth).toEqual([{ namespace: 'dev', service: 'a.example', port: '80', endpoint, state: 'ejected' }])
  expect(ejections).toEqual([{ namespace: 'dev', service: 'a.example', reason: 'bad-answers', count: 1 }])
  expect(bad.connections).toBe(5)
  await ask(100)
  // Half of three seconds is the least that it is out.
  if (performance.now() - began < 1500) expect(bad.connections).toBe(5)
  expect(lines.filter((line) => line.startsWith('warn endpoint is out of use'))).toEqual([expect.stringContaining(`"endpoint":"${endpoint}","reason":"bad-answers"`)])
  await eventually(() => Promise.resolve(lines), (all) => all.some((line) => line.startsWith('info endpoint is in use again')))
  await eventually(async () => (await plane.stats()).endpointHealth, (all) => all.every(({ state }) => state !== 'ejected'))
})

test('after a change of its backend an endpoint is as ill as before; one that was gone begins anew', async () => {
  const good = await Promise.all([pod(), pod(), pod()])
  const bad = await broken()
  const plane = await startDataPlane({
    settings: () => ({ ...DEFAULT_SETTINGS, health: { ...DEFAULT_SETTINGS.health, firstEjection: 60_000 } }),
    listeners: [{ port: 0, address: '127.0.0.1', tls: false }],
    threads: 2,
    defaultCertificate: await createDefaultCertificate(),
    log: () => undefined,
  })
  closers.push(() => plane.close())
  await plane.apply(configOf({ 'a.example': [...good, bad.port] }))
  const port = plane.ports[0] ?? 0
  for (let i = 0; i < 40; i++) await fetchHost({ port, host: 'a.example' })
  expect(bad.connections).toBe(5)
  await plane.apply(configOf({ 'a.example': [...good.slice(1), bad.port] }))
  for (let i = 0; i < 40; i++) await fetchHost({ port, host: 'a.example' })
  expect(bad.connections).toBe(5)
  // Gone and there again: another pod that took the address.
  await plane.apply(configOf({ 'a.example': good.slice(1) }))
  await plane.apply(configOf({ 'a.example': [...good.slice(1), bad.port] }))
  for (let i = 0; i < 40; i++) await fetchHost({ port, host: 'a.example' })
  expect(bad.connections).toBe(10)
})

test('an endpoint that its health check finds ill gets no requests from any thread, until it is well', async () => {
  const state = { status: 200, served: 0 }
  const server = createServer((request, response) => {
    if (request.url === '/healthz') response.writeHead(state.status)
    else state.served++
    response.end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const plane = await startDataPlane({
    settings: () => ({ ...DEFAULT_SETTINGS, health: { ...DEFAULT_SETTINGS.health, slowStart: 200 } }),
    listeners: [{ port: 0, address: '127.0.0.1', tls: false }],
    threads: THREADS,
    defaultCertificate: await createDefaultCertificate(),
    log: () => undefined,
  })
  closers.push(() => plane.close())
  const config = configOf({ 'a.example': [await pod(), (server.address() as AddressInfo).port] })
  const probe = { path: '/healthz', interval: 100, timeout: 1000, healthyThreshold: 1, unhealthyThreshold: 2 }
  await plane.apply({ ...config, backends: new Map([...config.backends].map(([id, backend]) => [id, { ...backend, probe }])) })
  const ask = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await fetchHost({ port: plane.ports[0] ?? 0, host: 'a.example' })
  }
  await ask(20)
  expect(state.served).toBe(10)
  state.status = 503
  await eventually(async () => (await plane.stats()).endpointHealth, (all) => all.some((each) => each.state === 'ill'))
  const before = state.served
  await ask(40)
  expect(state.served).toBe(before)
  state.status = 200
  await eventually(async () => (await plane.stats()).endpointHealth, (all) => all.length === 0)
  const ofTwenty = async (): Promise<number> => {
    const served = state.served
    await ask(20)
    return state.served - served
  }
  await eventually(ofTwenty, (count) => count === 10)
})
