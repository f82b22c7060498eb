// TLS that goes to its backend as it comes, through two real threads: openssl and curl on both sides, and raw sockets for what they hide.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate, type KeyPair } from '../../src/http/tls/default-certificate.ts'
import { DEFAULT_SETTINGS, type ProxySettings } from '../../src/model/settings.ts'
import type { Passthrough, RoutingConfig } from '../../src/model/routing.ts'
import { startDataPlane, type DataPlane } from '../../src/runtime/data-plane.ts'
import { deadPort, dial, tcpBackend, type TcpBackend } from '../support/stream-peers.ts'
import { eventually } from '../support/fetch-host.ts'
import { Authority, type Issued } from '../tls/authority.ts'
import { configOf } from './configs.ts'

const exec = promisify(execFile)
const HOST = 'shop.example.com'
/** A ClientHello as openssl sends it, of whatever name: recorded when first needed. */
const hellos = new Map<string, Buffer>()

let authority: Authority
let ofBackend: Issued
let ours: KeyPair
const closers: (() => Promise<unknown> | void)[] = []

beforeAll(async () => {
  authority = await Authority.create()
  ofBackend = await authority.issue('backend', `/CN=${HOST}`, { altName: HOST })
  ours = await createDefaultCertificate()
})
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})
afterAll(() => authority.remove())

interface Passed {
  readonly ports: readonly number[]
  readonly proxyOut?: boolean
}

function config(hosts: Readonly<Record<string, Passed>>, plain: Readonly<Record<string, readonly number[]>> = {}): RoutingConfig {
  const made = configOf({ ...Object.fromEntries(Object.entries(hosts).map(([name, { ports }]) => [name, ports])), ...plain })
  const withPassthrough = [...made.hosts].map(([name, host]) => {
    const passed = hosts[name]
    const passthrough: Passthrough | undefined = passed === undefined ? undefined : { backend: host.routes[0]?.backend, proxyOut: passed.proxyOut ?? false }
    return [name, passthrough === undefined ? host : { ...host, passthrough }] as const
  })
  return { ...made, hosts: new Map(withPassthrough) }
}

async function start(routing: RoutingConfig, settings: Partial<ProxySettings> = {}, threads = 2): Promise<DataPlane> {
  const plane = await startDataPlane({
    settings: () => ({ ...DEFAULT_SETTINGS, ...settings }),
    listeners: [{ port: 0, address: '127.0.0.1', tls: true }],
    threads,
    defaultCertificate: ours,
    log: () => undefined,
  })
  closers.push(() => plane.close())
  await plane.apply(routing)
  return plane
}

async function backend(serve?: Parameters<typeof tcpBackend>[0]): Promise<TcpBackend> {
  const made = await tcpBackend(serve)
  closers.push(() => made.close())
  return made
}

/** `openssl s_server -www`: answers any request with a page about its handshake. */
async function opensslServer(): Promise<number> {
  const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', ofBackend.certificateFile, '-key', ofBackend.keyFile, '-www'], { stdio: ['pipe', 'pipe', 'ignore'] })
  closers.push(() => void child.kill())
  let text = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += String(chunk)
    const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(text)?.[1]
    if (port !== undefined) {
      child.stdout.on('error', () => undefined)
      return Number(port)
    }
  }
  throw new Error('openssl s_server ended')
}

async function helloFor(name: string): Promise<Buffer> {
  const known = hellos.get(name)
  if (known !== undefined) return known
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', servername: name }).on('error', () => undefined)
  const [peer] = await once(server, 'connection')
  const [hello] = (await once(peer, 'data')) as [Buffer]
  socket.destroy()
  server.close()
  hellos.set(name, hello)
  return hello
}

const portOf = (plane: DataPlane): number => plane.ports[0] ?? 0

async function curl(plane: DataPlane, host: string, ...more: readonly string[]): Promise<string> {
  const port = portOf(plane)
  const { stdout } = await exec('curl', ['-sS', '-m', '10', '--resolve', `${host}:${port}:127.0.0.1`, ...more, `https://${host}:${port}/`])
  return stdout
}

test('curl talks TLS with the backend itself, others with us; a request for the host over a handshake of ours is misdirected', async () => {
  const plane = await start(config({ [HOST]: { ports: [await opensslServer()] } }, { 'other.example.com': [] }))
  const root = ['--cacert', join(authority.folder, 'root.pem')]
  for (let i = 0; i < 6; i++) expect(await curl(plane, HOST, ...root)).toContain('s_server')
  await expect(curl(plane, 'other.example.com', ...root)).rejects.toThrow(/certificate|SSL/)
  expect(await curl(plane, 'other.example.com', '-k', '-o', '/dev/null', '-w', '%{http_code}')).toBe('503')
  expect(await curl(plane, 'other.example.com', '-k', '-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${HOST}`)).toBe('421')
})

test('the very bytes arrive, however the hello was cut, and both directions end on their own', async () => {
  const heard = Promise.withResolvers<Buffer>()
  const { port } = await backend((socket) => {
    const parts: Buffer[] = []
    socket.on('data', (chunk: Buffer) => parts.push(chunk))
    socket.on('end', () => {
      heard.resolve(Buffer.concat(parts))
      socket.end('goodbye')
    })
  })
  const plane = await start(config({ [HOST]: { ports: [port] } }))
  const hello = await helloFor(HOST)
  const client = await dial(portOf(plane))
  client.socket.setNoDelay(true)
  for (const byte of hello.subarray(0, 40)) {
    client.socket.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  client.socket.write(hello.subarray(40))
  client.socket.end('more')
  expect(await client.ended).toBe('goodbye')
  expect(await client.closed).toBe('end')
  expect((await heard.promise).equals(Buffer.concat([hello, Buffer.from('more')]))).toBe(true)
  const figures = await eventually(async () => new Map((await plane.stats()).streams).get(`tls/${HOST}`), (each) => each?.open === 0)
  expect(figures).toEqual({ open: 0, accepted: 1, refused: 0, failed: 0, bytesIn: hello.length + 4, bytesOut: 7 })
})

test('a backend that asks for it is told of the client by a PROXY protocol header before all else', async () => {
  const { port, connections } = await backend()
  const plane = await start(config({ [HOST]: { ports: [port], proxyOut: true } }))
  const client = await dial(portOf(plane))
  const hello = await helloFor(HOST)
  client.socket.write(hello)
  const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${client.socket.localPort} ${portOf(plane)}\r\n`
  expect(await client.received(line.length + hello.length)).toBe(line + hello.toString('latin1'))
  client.socket.destroy()
  await once(connections[0] ?? client.socket, 'close')
})

test('of a PROXY protocol header in front the backend hears, and a dead endpoint costs no connection', async () => {
  const { port } = await backend()
  const plane = await start(config({ [HOST]: { ports: [await deadPort(), port], proxyOut: true } }), {
    client: { ...DEFAULT_SETTINGS.client, proxyProtocol: { senders: ['127.0.0.0/8'], headerTimeout: 5000 } },
  })
  const hello = await helloFor(HOST)
  for (let i = 0; i < 4; i++) {
    const client = await dial(portOf(plane))
    client.socket.write(Buffer.concat([Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n'), hello]))
    expect(await client.received(42)).toContain('PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n')
    client.socket.destroy()
  }
})

test('without an endpoint, without a backend, and beyond the limit connections are cut at once', async () => {
  const { port } = await backend()
  const routing = config({ [HOST]: { ports: [] }, 'full.example.com': { ports: [port] }, 'none.example.com': { ports: [] } })
  const none = routing.hosts.get('none.example.com')
  const hosts = new Map(routing.hosts)
  if (none !== undefined) hosts.set(none.name, { ...none, passthrough: { backend: undefined, proxyOut: false } })
  const plane = await start({ ...routing, hosts }, { streams: { ...DEFAULT_SETTINGS.streams, connectionsPerPort: 1 } }, 1)
  for (const name of [HOST, 'none.example.com']) {
    const client = await dial(portOf(plane))
    client.socket.write(await helloFor(name))
    expect(await client.closed).toBe('ECONNRESET')
  }
  const hello = await helloFor('full.example.com')
  const first = await dial(portOf(plane))
  first.socket.write(hello)
  await first.received(hello.length)
  const second = await dial(portOf(plane))
  second.socket.write(hello)
  expect(await second.closed).toBe('ECONNRESET')
  const figures = new Map((await plane.stats()).streams)
  expect(figures.get('tls/full.example.com')).toMatchObject({ open: 1, accepted: 1, refused: 1 })
  expect(figures.get(`tls/${HOST}`)).toMatchObject({ open: 0, failed: 1 })
  first.socket.destroy()
})

test('connections that are passed on are no handshakes of ours', async () => {
  const { port } = await backend()
  const plane = await start(config({ [HOST]: { ports: [port] } }, { 'other.example.com': [] }), { limits: { ...DEFAULT_SETTINGS.limits, handshakes: 1 } }, 1)
  const hello = await helloFor(HOST)
  const client = await dial(portOf(plane))
  client.socket.write(hello)
  await client.received(hello.length)
  expect(await curl(plane, 'other.example.com', '-k', '-o', '/dev/null', '-w', '%{http_code}')).toBe('503')
  client.socket.destroy()
})

test('a silent connection ends after the idle time; an open one outlives a change of its host and a drain ends it', async () => {
  const { port } = await backend()
  const idle = await start(config({ [HOST]: { ports: [port] } }), { streams: { ...DEFAULT_SETTINGS.streams, idleTimeout: 150 } })
  const hello = await helloFor(HOST)
  const silent = await dial(portOf(idle))
  silent.socket.write(hello)
  await silent.received(hello.length)
  await silent.ended
  silent.socket.end()

  const plane = await start(config({ [HOST]: { ports: [port] } }))
  const client = await dial(portOf(plane))
  client.socket.write(hello)
  await client.received(hello.length)
  await plane.apply(config({}, { [HOST]: [] }))
  client.socket.write('still')
  await client.received(hello.length + 5)
  const drained = plane.drain(200)
  await expect(drained).resolves.toBe(1)
  await client.ended
  client.socket.end()
  const late = connectTcp({ port: portOf(plane), host: '127.0.0.1' })
  await once(late, 'error')
})
