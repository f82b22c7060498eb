// The real threads with the real proxy: round robin over all of them, rotation, drain, and the facts that come back up.
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type Server } from 'node:http'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate, type KeyPair } from '../../src/http/tls/default-certificate.ts'
import type { RoutingConfig } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { startDataPlane, type DataPlane, type DataPlaneOptions } from '../../src/runtime/data-plane.ts'
import { eventually, fetchHost } from '../support/fetch-host.ts'
import { certificateFor } from '../tls/certificates.ts'
import { configOf } from './configs.ts'

let defaultCertificate: KeyPair
const closers: (() => Promise<void> | void)[] = []

beforeAll(async () => {
  defaultCertificate = await createDefaultCertificate()
})

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function start(config: RoutingConfig, options: Partial<DataPlaneOptions> = {}): Promise<DataPlane> {
  const plane = await startDataPlane({
    settings: () => DEFAULT_SETTINGS,
    listeners: [
      { port: 0, address: '127.0.0.1', tls: false },
      { port: 0, address: '127.0.0.1', tls: true },
    ],
    threads: 2,
    defaultCertificate,
    log: () => undefined,
    ...options,
  })
  closers.push(() => plane.close())
  await plane.apply(config)
  return plane
}

/** A backend that answers with its own name. */
async function endpoint(name: string, answer?: (request: IncomingMessage) => Promise<void>): Promise<number> {
  const server: Server = createServer((request, response) => {
    void (answer?.(request) ?? Promise.resolve()).then(() => response.end(name))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const ask = (plane: DataPlane, host: string, agent?: Agent) => fetchHost({ port: plane.ports[0] ?? 0, host, ...(agent === undefined ? {} : { agent }) })

async function handshake(plane: DataPlane, servername: string): Promise<TLSSocket> {
  const socket = connect({ port: plane.ports[1] ?? 0, host: '127.0.0.1', servername, rejectUnauthorized: false })
  closers.push(() => void socket.destroy())
  await once(socket, 'secureConnect')
  // The proxy may go before the socket does.
  socket.on('error', () => undefined)
  return socket
}

test('100 requests over many connections and two threads reach each of 10 endpoints 10 times', async () => {
  const ports = await Promise.all(Array.from({ length: 10 }, (_, i) => endpoint(`pod-${i}`)))
  const plane = await start(configOf({ 'a.example': ports }))
  const counts = new Map<string, number>()
  for (let i = 0; i < 100; i++) {
    const { body } = await ask(plane, 'a.example', new Agent())
    counts.set(body, (counts.get(body) ?? 0) + 1)
  }
  expect([...counts.values()]).toEqual(Array.from({ length: 10 }, () => 10))
})

test('a rotated certificate is in the next handshake of every thread; open connections go on', async () => {
  const [old, next] = await Promise.all([certificateFor('dev/a', 'a.example'), certificateFor('dev/a', 'a.example')])
  const base = configOf({ 'a.example': [await endpoint('pod')] })
  const withCertificate = (certificate: typeof old): RoutingConfig => ({
    ...base,
    certificates: new Map([['dev/a', certificate]]),
    serverNames: new Map([['a.example', { certificates: ['dev/a'] }]]),
  })
  const plane = await start(withCertificate(old))
  const fingerprints = async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => handshake(plane, 'a.example')))
    return new Set(sockets.map((socket) => socket.getPeerX509Certificate()?.fingerprint256))
  }
  const open = await handshake(plane, 'a.example')
  expect(await fingerprints()).toEqual(new Set([old.fingerprint]))
  await plane.apply(withCertificate(next))
  expect(await fingerprints()).toEqual(new Set([next.fingerprint]))
  open.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
  expect(String((await once(open, 'data'))[0])).toContain('200 OK')
})

test('a name without a certificate gets the one made at start, from every thread the same', async () => {
  const plane = await start(configOf({}))
  const sockets = await Promise.all(Array.from({ length: 10 }, () => handshake(plane, 'other.example')))
  expect(new Set(sockets.map((socket) => socket.getPeerX509Certificate()?.subject))).toEqual(new Set(['O=Narthex\nCN=Narthex Default Certificate']))
  expect(new Set(sockets.map((socket) => socket.getPeerX509Certificate()?.fingerprint256)).size).toBe(1)
})

test('what the threads counted comes back up, by Ingress and Service', async () => {
  const plane = await start(configOf({ 'a.example': [await endpoint('pod')], 'empty.example': [] }))
  for (let i = 0; i < 10; i++) await ask(plane, 'a.example', new Agent())
  await ask(plane, 'empty.example')
  await ask(plane, 'unknown.example')
  const { series, failures, connectionsAccepted, threads } = await plane.stats()
  expect(Object.fromEntries(series.map(([key, { statuses }]) => [key, statuses]))).toEqual({
    '//': [0, 0, 0, 1, 0],
    'dev/a.example/a.example': [0, 10, 0, 0, 0],
    'dev/empty.example/empty.example': [0, 0, 0, 0, 1],
  })
  expect(Object.fromEntries(failures)).toEqual({ 'no-route': 1, 'no-endpoints': 1 })
  expect(connectionsAccepted.http).toBeGreaterThanOrEqual(10)
  expect(threads).toBe(2)
})

test('the access log has a line per request from all threads', async () => {
  let lines = ''
  const plane = await start(configOf({ 'a.example': [await endpoint('pod')] }), { accessLog: (text) => (lines += text) })
  for (let i = 0; i < 20; i++) await ask(plane, 'a.example', new Agent())
  await plane.drain(1000)
  const parsed = lines.trimEnd().split('\n').map((line): unknown => JSON.parse(line))
  expect(parsed).toHaveLength(20)
  expect(parsed[0]).toMatchObject({ host: 'a.example', status: 200, namespace: 'dev', ingress: 'a.example', backend: 'dev/a.example:80' })
})

test('drain lets a request in flight end, and refuses new ones', async () => {
  let release = () => {}
  let arrived = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const there = new Promise<void>((resolve) => (arrived = resolve))
  const port = await endpoint('slow', async () => {
    arrived()
    await held
  })
  const plane = await start(configOf({ 'a.example': [port] }))
  const answer = ask(plane, 'a.example')
  await there
  const drained = plane.drain(10_000)
  // A host without a route, so that one which still gets in is answered at once.
  const knock = () => ask(plane, 'unknown.example', new Agent()).then(() => 'answered', () => 'refused')
  await eventually(knock, (result) => result === 'refused')
  release()
  expect((await answer).body).toBe('slow')
  expect(await drained).toBe(0)
})

test('what is not done when the time is over is cut and counted', async () => {
  let arrived = () => {}
  const there = new Promise<void>((resolve) => (arrived = resolve))
  const port = await endpoint('never', () => {
    arrived()
    return new Promise(() => undefined)
  })
  const plane = await start(configOf({ 'a.example': [port] }))
  const answer = expect(ask(plane, 'a.example')).rejects.toThrow()
  await there
  expect(await plane.drain(50)).toBe(1)
  await answer
})

test('an endpoint that leaves gets no request once apply has resolved', async () => {
  const [one, two] = await Promise.all([endpoint('one'), endpoint('two')])
  const plane = await start(configOf({ 'a.example': [one, two] }))
  const agent = new Agent({ keepAlive: true })
  closers.push(() => agent.destroy())
  for (let i = 0; i < 4; i++) await ask(plane, 'a.example', agent)
  await plane.apply(configOf({ 'a.example': [two] }))
  const bodies = await Promise.all(Array.from({ length: 30 }, async (_, i) => (await ask(plane, 'a.example', i % 2 === 0 ? agent : new Agent())).body))
  expect(new Set(bodies)).toEqual(new Set(['two']))
})

test('threads take no more connections together than they may', async () => {
  const plane = await start(configOf({ 'a.example': [await endpoint('pod')] }), {
    threads: 3,
    settings: () => ({ ...DEFAULT_SETTINGS, limits: { ...DEFAULT_SETTINGS.limits, connections: 5 } }),
  })
  const ask = async (): Promise<{ readonly served: boolean; readonly socket: Socket }> => {
    const socket = connectTcp({ port: plane.ports[0] ?? 0, host: '127.0.0.1' })
    closers.push(() => void socket.destroy())
    socket.on('error', () => undefined)
    socket.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
    const served = await new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true))
      socket.once('close', () => resolve(false))
    })
    return { served, socket }
  }
  const all = []
  for (let i = 0; i < 12; i++) all.push(await ask())
  expect(all.map(({ served }) => served)).toEqual([...Array.from({ length: 5 }, () => true), ...Array.from({ length: 7 }, () => false)])
  all[0]?.socket.destroy()
  await eventually(ask, ({ served }) => served)
  expect((await ask()).served).toBe(false)
})
