// TLS towards backends, held against node:https and openssl s_server with certificates made by openssl: who is believed, what is shown,
// and what clients are told when it fails.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer, type ServerOptions } from 'node:https'
import type { RequestListener } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { BackendProtocol } from '../../src/model/backend-protocol.ts'
import { routing, startProxy, type TestProxy } from '../support/test-proxy.ts'
import { overTls, spoken } from '../support/backend-protocol.ts'
import { Authority, type Issued } from '../tls/authority.ts'

let authority: Authority
let ca: { readonly certificates: string }
let good: Issued
let chained: { readonly cert: string; readonly key: string }
let ours: Issued

const ends: (() => unknown)[] = []

beforeAll(async () => {
  authority = await Authority.create()
  const root = await authority.read('root')
  ca = { certificates: root.certificate }
  good = await authority.issue('good', '/CN=backend', { altName: 'backend.example' })
  ours = await authority.issue('ours', '/CN=narthex')
  await authority.issue('int1', '/CN=int1', { isAuthority: true })
  await authority.issue('int2', '/CN=int2', { isAuthority: true, issuer: 'int1' })
  const deep = await authority.issue('deep', '/CN=deep', { altName: 'backend.example', issuer: 'int2' })
  const chain = await Promise.all(['int2', 'int1'].map((name) => authority.read(name)))
  chained = { cert: [deep, ...chain].map(({ certificate }) => certificate).join(''), key: deep.key }
})

afterAll(() => authority.remove())

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const pair = ({ certificate, key }: Issued) => ({ cert: certificate, key })
const portOf = (server: Server): number => (server.address() as AddressInfo).port

const toPort = (port: number) => routing([{ host: '127.0.0.1', backend: 'web' }], { web: [`127.0.0.1:${port}`] })

interface Backend {
  readonly port: number
  readonly handshakes: TLSSocket[]
  /** Whether each resumed a session. */
  readonly resumed: boolean[]
}

async function backend(options: ServerOptions, answer: RequestListener = (_request, response) => response.end('hello')): Promise<Backend> {
  const handshakes: TLSSocket[] = []
  const resumed: boolean[] = []
  const server = createServer(options, answer)
  server.on('secureConnection', (socket) => {
    handshakes.push(socket)
    resumed.push(socket.isSessionReused())
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: portOf(server), handshakes, resumed }
}

async function front(port: number, protocol: BackendProtocol): Promise<TestProxy> {
  const proxy = await startProxy(spoken(toPort(port), protocol))
  ends.push(() => proxy.proxy.close())
  return proxy
}

const get = (proxy: TestProxy, path = '/', init: RequestInit = {}): Promise<Response> => fetch(`http://127.0.0.1:${proxy.port}${path}`, init)

test('without verification any certificate will do, and neither SNI nor ALPN is sent', async () => {
  const { port, handshakes } = await backend(pair(good))
  const proxy = await front(port, overTls({ name: 'quite.another' }))
  const response = await get(proxy)
  expect([response.status, await response.text()]).toEqual([200, 'hello'])
  expect(handshakes.map((socket) => [Reflect.get(socket, 'servername'), socket.alpnProtocol, socket.getProtocol()])).toEqual([[false, false, 'TLSv1.3']])
})

test('the name is sent where it is asked for, versions and ciphers are as asked', async () => {
  const { port, handshakes } = await backend(pair(good))
  const proxy = await front(port, overTls({ sendName: true, versions: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }))
  expect((await get(proxy)).status).toBe(200)
  expect(handshakes.map((socket) => [Reflect.get(socket, 'servername'), socket.getProtocol(), socket.getCipher().name])).toEqual([['backend.example', 'TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384']])
})

test('a verified backend is served from, and its session resumed by the next connection', async () => {
  const { port, resumed } = await backend(pair(good), (_request, response) => response.setHeader('Connection', 'close').end('hello'))
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const proxy = await front(port, overTls({ verify: { ca, depth: 0 }, versions: { minVersion: version, maxVersion: version } }))
    resumed.length = 0
    for (let i = 0; i < 3; i++) expect(await (await get(proxy)).text()).toBe('hello')
    expect(resumed).toEqual([false, true, true])
  }
})

test.each([
  ['of another authority', async () => [await Authority.create('/CN=stranger'), 'backend.example'] as const],
  ['for another name', async () => [authority, 'else.example'] as const],
])('a certificate %s is refused with 502 before a byte of the request is sent', async (_what, make) => {
  const [issuer, altName] = await make()
  if (issuer !== authority) ends.push(() => issuer.remove())
  let asked = 0
  const { port } = await backend(pair(await issuer.issue('other', '/CN=backend.example', { altName })), (_request, response) => {
    asked++
    response.end()
  })
  const proxy = await front(port, overTls({ verify: { ca, depth: 1 } }))
  const response = await get(proxy)
  expect([response.status, asked]).toEqual([502, 0])
  expect(await response.text()).toContain('The backend has no certificate that is trusted.')
  expect(proxy.records.map(({ failure }) => failure)).toEqual(['certificate-refused'])
})

test('an expired certificate, and a chain longer than asked for, are refused; long enough is taken', async () => {
  const old = await backend(pair(await authority.issue('old', '/CN=old', { altName: 'backend.example', days: -1 })))
  expect((await get(await front(old.port, overTls({ verify: { ca, depth: 1 } })))).status).toBe(502)
  const deep = await backend(chained)
  expect((await get(await front(deep.port, overTls({ verify: { ca, depth: 1 } })))).status).toBe(502)
  expect((await get(await front(deep.port, overTls({ verify: { ca, depth: 2 } })))).status).toBe(200)
})

test('the certificate of ours is shown to a backend that asks for one', async () => {
  const { port } = await backend({ ...pair(good), ca: ca.certificates, requestCert: true, rejectUnauthorized: true }, ({ socket }, response) => {
    response.end('getPeerCertificate' in socket ? String((socket as TLSSocket).getPeerCertificate().subject.CN) : '')
  })
  const certificate = { chain: ours.certificate, key: ours.key }
  expect(await (await get(await front(port, overTls({ certificate })))).text()).toBe('narthex')
  expect((await get(await front(port, overTls()))).status).toBe(502)
})

test('openssl s_server takes our handshake and our certificate', async () => {
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', good.certificateFile, '-key', good.keyFile, '-CAfile', (await authority.read('root')).certificateFile, '-Verify', '2', '-verify_return_error', '-www'])
  ends.push(() => server.kill())
  let said = ''
  server.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  while (!/ACCEPT .*:(\d+)/.test(said)) await once(server.stdout, 'data')
  const proxy = await front(Number(/ACCEPT .*:(\d+)/.exec(said)?.[1]), overTls({ verify: { ca, depth: 0 }, certificate: { chain: ours.certificate, key: ours.key } }))
  const text = await (await get(proxy)).text()
  expect(text).toContain('TLSv1.3')
  expect(text).toMatch(/CN ?= ?narthex/)
})

test('what is no TLS is told from what is not there, and what does not answer times out', async () => {
  const sockets: Socket[] = []
  const tcp = async (onSocket: (socket: Socket) => void): Promise<number> => {
    const server = createTcpServer((socket) => {
      sockets.push(socket.on('error', () => undefined))
      onSocket(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    ends.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return portOf(server)
  }
  const cases = [
    [await tcp((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')), 502, 'handshake-failed'],
    [await tcp((socket) => socket.on('data', () => socket.end())), 502, 'handshake-failed'],
    [await tcp((socket) => socket.on('data', () => socket.resetAndDestroy())), 502, 'handshake-failed'],
    [1, 502, 'connect-failed'],
  ] as const
  for (const [port, status, failure] of cases) {
    const proxy = await front(port, overTls())
    expect((await get(proxy)).status).toBe(status)
    expect(proxy.records[0]?.failure).toBe(failure)
  }
  const silent = await startProxy(spoken(toPort(await tcp((socket) => socket.resume())), overTls()), { timeouts: { connect: 200 } })
  ends.push(() => silent.proxy.close())
  expect((await get(silent)).status).toBe(504)
  expect(silent.records[0]?.failure).toBe('connect-timeout')
})

test('another endpoint is tried when one can not show who it is', async () => {
  const bad = await backend(pair(await authority.issue('bad', '/CN=bad', { altName: 'bad.example' })))
  const fine = await backend(pair(good))
  const config = routing([{ host: '127.0.0.1', backend: 'web' }], { web: [`127.0.0.1:${bad.port}`, `127.0.0.1:${fine.port}`] })
  const proxy = await startProxy(spoken(config, overTls({ verify: { ca, depth: 0 } })))
  ends.push(() => proxy.proxy.close())
  for (let i = 0; i < 4; i++) expect((await get(proxy)).status).toBe(200)
  expect(proxy.records.every(({ failure, endpoint }) => failure === undefined && endpoint.endsWith(String(fine.port)))).toBe(true)
})

test('backends that are spoken to differently share no connection', async () => {
  const { port, handshakes } = await backend(pair(good))
  const endpoint = `127.0.0.1:${port}`
  const config = routing([{ host: '127.0.0.1', path: '/checked', backend: 'checked' }, { host: '127.0.0.1', backend: 'unchecked' }], { checked: [endpoint], unchecked: [endpoint] })
  const proxy = await startProxy(spoken(spoken(config, overTls({ name: 'wrong.example', verify: { ca, depth: 0 } }), 'checked'), overTls(), 'unchecked'))
  ends.push(() => proxy.proxy.close())
  expect((await get(proxy)).status).toBe(200)
  expect((await get(proxy, '/checked')).status).toBe(502)
  expect((await get(proxy)).status).toBe(200)
  expect(proxy.records.map(({ failure }) => failure)).toEqual([undefined, 'certificate-refused', undefined])
  expect(handshakes[0]?.destroyed).toBe(false)
})

test('large bodies go both ways unchanged', async () => {
  const { port } = await backend(pair(good), (request, response) => request.pipe(response))
  const proxy = await front(port, overTls({ verify: { ca, depth: 0 } }))
  const body = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => i % 251))
  const response = await get(proxy, '/', { method: 'POST', body })
  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
})
