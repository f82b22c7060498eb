// TCP and UDP services over two real threads: one port for both, exact round robin, figures, troubles, drain.
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate, type KeyPair } from '../../src/http/tls/default-certificate.ts'
import { EMPTY_ROUTING, type RoutingConfig } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { startDataPlane, type DataPlane, type DataPlaneOptions } from '../../src/runtime/data-plane.ts'
import { streamConfig, type StreamSpec } from '../stream/support.ts'
import { eventually, fetchHost } from '../support/fetch-host.ts'
import { freePort } from '../support/free-port.ts'
import { dial, tcpBackend, udpPeer, type TcpBackend } from '../support/stream-peers.ts'
import { hostOf } from './configs.ts'

let defaultCertificate: KeyPair
const closers: (() => Promise<void> | void)[] = []

beforeAll(async () => {
  defaultCertificate = await createDefaultCertificate()
})
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const routing = (specs: Readonly<Record<string, StreamSpec>>): RoutingConfig => ({ ...EMPTY_ROUTING, ...streamConfig(specs) })

async function start(config: RoutingConfig, options: Partial<DataPlaneOptions> = {}): Promise<DataPlane> {
  const plane = await startDataPlane({ settings: () => DEFAULT_SETTINGS, listeners: [{ port: 0, address: '127.0.0.1', tls: false }], threads: 2, defaultCertificate, log: () => undefined, ...options })
  closers.push(() => plane.close())
  await plane.apply(config)
  return plane
}

async function backend(name: string): Promise<TcpBackend> {
  const made = await tcpBackend((socket) => {
    socket.write(name)
    socket.pipe(socket)
  })
  closers.push(() => made.close())
  return made
}

test('both threads listen once apply resolves, take turns over the endpoints together, and are counted together', async () => {
  const backends = await Promise.all(['a', 'b', 'c', 'd'].map(backend))
  const port = await freePort()
  const plane = await start(routing({ tcp: { port, endpoints: backends.map((each) => each.port) } }))
  const names: string[] = []
  for (let i = 0; i < 40; i++) {
    const client = await dial(port)
    client.socket.end('x')
    names.push((await client.ended)[0] ?? '')
  }
  expect(['a', 'b', 'c', 'd'].map((name) => names.filter((each) => each === name).length)).toEqual([10, 10, 10, 10])
  const figures = await eventually(async () => new Map((await plane.stats()).streams).get('tcp'), (each) => each?.open === 0)
  expect(figures).toEqual({ open: 0, accepted: 40, refused: 0, failed: 0, bytesIn: 40, bytesOut: 80 })
})

test('a connection of a TCP service counts for the requests of HTTP routes to the same Service port, in every thread', async () => {
  const serve = (name: string): Promise<TcpBackend> => tcpBackend((socket) => void socket.on('data', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n${name}`)))
  const servers = [await serve('a'), await serve('b')]
  closers.push(() => servers.forEach((server) => server.close()))
  const port = await freePort()
  const { streams, backends } = streamConfig({ tcp: { port, scheduler: 'lc', endpoints: servers.map((server) => server.port) } })
  const [backend] = backends.values()
  if (backend === undefined) throw new Error('no backend')
  const plane = await start({ ...EMPTY_ROUTING, streams, backends, hosts: new Map([['a.example', hostOf('a.example', backend)]]) })
  const held = await dial(port)
  await eventually(async () => servers.map(({ connections }) => connections.length).join(''), (counts) => counts !== '00')
  const holder = servers[0]?.connections.length === 1 ? 'a' : 'b'
  for (let i = 0; i < 12; i++) expect((await fetchHost({ port: plane.ports[0] ?? 0, host: 'a.example', agent: new Agent() })).body).toBe(holder === 'a' ? 'b' : 'a')
  held.socket.resetAndDestroy()
  await eventually(async () => new Map((await plane.stats()).streams).get('tcp')?.open, (open) => open === 0)
  const names = new Set<string>()
  for (let i = 0; i < 8; i++) names.add((await fetchHost({ port: plane.ports[0] ?? 0, host: 'a.example', agent: new Agent() })).body)
  expect(names.size).toBe(2)
})

test('a change of endpoints and of another port leaves connections alone; a port that goes is closed in both threads', async () => {
  const [a, b] = [await backend('a'), await backend('b')]
  const [first, second] = [await freePort(), await freePort()]
  const before = routing({ one: { port: first, endpoints: [a.port] }, two: { port: second, endpoints: [a.port] } })
  const plane = await start(before)
  const held = await Promise.all(Array.from({ length: 8 }, () => dial(first)))
  for (const client of held) await client.received(1)
  const after = routing({ two: { port: second, endpoints: [b.port] } })
  // The stream itself is the same object, its backend another one: what translation makes of a change of endpoints.
  await plane.apply({ ...after, streams: new Map([...before.streams].filter(([id]) => id === 'two')) })
  for (let i = 0; i < 8; i++) expect(await (await dial(second)).received(1)).toBe('b')
  for (let i = 0; i < 8; i++) {
    const socket = connect(first, '127.0.0.1')
    expect(await new Promise((resolve) => socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)).once('connect', () => resolve('connected')))).toBe('ECONNREFUSED')
  }
  for (const client of held) {
    client.socket.end('!')
    expect(await client.ended).toBe('a!')
  }
})

test('UDP clients keep their endpoint whichever thread hears them', async () => {
  const peers = await Promise.all(['a', 'b'].map((name) => udpPeer((text) => `${name}${text}`)))
  const port = await freePort()
  await start(routing({ udp: { protocol: 'UDP', port, endpoints: peers.map((each) => each.port) } }))
  const clients = await Promise.all(Array.from({ length: 8 }, () => udpPeer()))
  closers.push(() => [...peers, ...clients].forEach(({ socket }) => socket.close()))
  const seen: string[] = []
  for (const client of clients) {
    for (let i = 0; i < 3; i++) client.send(port, String(i))
    const answers = [await client.next(), await client.next(), await client.next()]
    expect(new Set(answers.map((each) => each[0])).size).toBe(1)
    seen.push(answers[0]?.[0] ?? '')
  }
  expect([seen.filter((each) => each === 'a').length, seen.filter((each) => each === 'b').length]).toEqual([4, 4])
})

test('a port that another program has holds nothing up, is told, and told again when it could be had', async () => {
  const other = await backend('other')
  const mine = await backend('mine')
  let told = 0
  const plane = await start(routing({ tcp: { port: other.port, endpoints: [mine.port] } }), { onStreamTrouble: () => told++ })
  expect([...plane.streamTroubles()]).toEqual([['tcp', 'EADDRINUSE']])
  expect(told).toBe(1)
  other.close()
  await eventually(async () => plane.streamTroubles().size, (size) => size === 0)
  expect(told).toBe(2)
  expect(await (await dial(other.port)).received(4)).toBe('mine')
})

test('a drain waits for connections in every thread, then cuts', async () => {
  const { port: at } = await backend('a')
  const port = await freePort()
  const plane = await start(routing({ tcp: { port, endpoints: [at] } }))
  const clients = await Promise.all(Array.from({ length: 6 }, () => dial(port)))
  for (const client of clients) await client.received(1)
  const drained = plane.drain(1500)
  for (const client of clients.slice(0, 4)) {
    client.socket.end('x')
    expect(await client.ended).toBe('ax')
  }
  expect(await drained).toBe(2)
})
