// Client certificates with curl and openssl as clients: who is let in, what the others are told, and what the backend learns.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect, type ConnectionOptions } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { createContexts } from '../../src/http/tls/contexts.ts'
import { ticketKeysAt } from '../../src/http/tls/ticket-keys.ts'
import type { ClientCertificateRules, HandshakeTerms } from '../../src/model/policy.ts'
import type { Host, RoutingConfig } from '../../src/model/routing.ts'
import { certificateLookup } from '../../src/runtime/certificate-lookup.ts'
import { EMPTY_TABLE } from '../../src/table/table.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { routing, startProxy, type TestProxy } from '../support/test-proxy.ts'
import { Authority } from '../tls/authority.ts'
import { certificateFor } from '../tls/certificates.ts'

const run = promisify(execFile)

let authority: Authority
let stranger: Authority
let upstream: ScriptedUpstream
let proxy: TestProxy
let plain: TestProxy
let config: RoutingConfig
const files = new Map<string, string>()

type Rules = Partial<ClientCertificateRules>

function terms(id: string, certificates: string, more: Partial<HandshakeTerms> & { readonly revoked?: string } = {}): HandshakeTerms {
  const { revoked, ...rest } = more
  return { id: id.padEnd(64, '0'), clientCa: { certificates, ...(revoked !== undefined && { revoked }) }, ...rest }
}

beforeAll(async () => {
  ;[authority, stranger] = await Promise.all([Authority.create(), Authority.create('/CN=stranger root')])
  const bundle = async (name: string, from: Authority, ...chain: readonly string[]): Promise<void> => {
    const parts = await Promise.all([name, ...chain].map((each) => from.read(each)))
    const path = join(from.folder, `${name}.bundle`)
    await writeFile(path, parts.map(({ certificate }) => certificate).join('') + (parts[0]?.key ?? ''))
    files.set(name, path)
  }
  await authority.issue('int1', '/CN=int1', { isAuthority: true })
  await authority.issue('int2', '/CN=int2', { issuer: 'int1', isAuthority: true })
  await authority.issue('alice', '/C=DE/O=Ex, Ample+OU=a/CN=al"ice zo\u00eb #1')
  await authority.issue('bob', '/CN=bob', { issuer: 'int1' })
  await authority.issue('carol', '/CN=carol', { issuer: 'int2' })
  await authority.issue('old', '/CN=old', { days: -1 })
  await authority.issue('revoked', '/CN=revoked')
  await stranger.issue('mallory', '/CN=alice')
  for (const name of ['alice', 'old', 'revoked']) await bundle(name, authority)
  await bundle('bob', authority, 'int1')
  await bundle('carol', authority, 'int1', 'int2')
  await bundle('mallory', stranger)
  const [server, defaultCertificate] = await Promise.all([certificateFor('dev/server', '*.example'), certificateFor('dev/default', 'default.example')])
  upstream = await ScriptedUpstream.start()
  const ca = (await authority.read('root')).certificate
  const revoked = await authority.revoke('revoked')
  const host = (name: string, rules: Rules, handshake = terms('a', ca)): Partial<Host> & { readonly name: string } => ({
    name,
    handshake,
    clientCertificates: { verify: 'on', depth: 1, passCertificate: false, ...rules },
  })
  const special: readonly (Partial<Host> & { readonly name: string })[] = [
    host('on.example', {}),
    host('twin.example', {}),
    host('deep.example', { depth: 2 }),
    host('pass.example', { passCertificate: true }),
    host('optional.example', { verify: 'optional' }),
    host('any.example', { verify: 'optional_no_ca' }),
    host('page.example', { errorPage: 'https://errors.example/cert?x=1' }),
    host('match.example', { matchSubject: 'CN=(bob|carol)' }),
    host('crl.example', {}, terms('c', ca, { revoked })),
    { name: 'off.example', clientCertificates: { verify: 'off', depth: 1, passCertificate: false } },
    { name: 'denied.example', clientCertificates: 'denied' },
    { name: 'ciphers.example', handshake: { id: 'd'.repeat(64), ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', preferServerCiphers: true } },
    { name: 'free.example' },
  ]
  const base = routing(special.map(({ name }) => ({ host: name, path: '/app', backend: 'web' })), { web: [`127.0.0.1:${upstream.port}`] })
  config = {
    ...base,
    hosts: new Map(special.map((each) => [each.name, { ...(base.hosts.get(each.name) ?? { name: each.name, routes: [] }), ...each }])),
    certificates: new Map([[server.id, server]]),
    serverNames: new Map([['*.example', { certificates: [server.id] }]]),
  }
  const contexts = createContexts({
    lookup: certificateLookup(() => (proxy as TestProxy | undefined)?.proxy.table() ?? EMPTY_TABLE),
    defaultCertificate,
    ticketKeys: ticketKeysAt(Buffer.alloc(32), 0),
    log: silentLog,
  })
  proxy = await startProxy(config, { contexts, timeouts: { clientHello: 300 } })
  plain = await startProxy(config)
})

afterAll(async () => {
  proxy.proxy.close()
  plain.proxy.close()
  await Promise.all([upstream.stop(), authority.remove(), stranger.remove()])
})

interface CurlAnswer {
  readonly status: string
  readonly location: string
  readonly body: string
}

async function curl(host: string, certificate?: string, more: readonly string[] = []): Promise<CurlAnswer> {
  const identity = certificate === undefined ? [] : ['--cert', files.get(certificate) ?? '']
  const target = more.some((each) => each.startsWith('http')) ? [] : [`https://${host}:${proxy.port}/app`]
  const { stdout } = await run('curl', ['-sk', '--max-time', '10', '--resolve', `${host}:${proxy.port}:127.0.0.1`, '-w', '\n%{http_code} %{redirect_url}', ...identity, ...more, ...target])
  const at = stdout.lastIndexOf('\n')
  const [status = '', location = ''] = stdout.slice(at + 1).split(' ')
  return { status, location, body: stdout.slice(0, at) }
}

const NONE = undefined
const NO_CERTIFICATE = 'No required SSL certificate was sent'
const WRONG = 'The SSL certificate error'

test.each([
  ['on.example', NONE, '400', NO_CERTIFICATE],
  ['on.example', 'alice', '200', 'ok'],
  ['on.example', 'bob', '200', 'ok'],
  ['on.example', 'carol', '400', WRONG],
  ['on.example', 'mallory', '400', WRONG],
  ['on.example', 'old', '400', WRONG],
  ['deep.example', 'carol', '200', 'ok'],
  ['optional.example', NONE, '200', 'ok'],
  ['optional.example', 'alice', '200', 'ok'],
  ['optional.example', 'mallory', '400', WRONG],
  ['any.example', NONE, '200', 'ok'],
  ['any.example', 'mallory', '200', 'ok'],
  ['any.example', 'old', '400', WRONG],
  ['match.example', 'bob', '200', 'ok'],
  ['match.example', 'alice', '403', 'client certificate unauthorized'],
  ['match.example', NONE, '400', NO_CERTIFICATE],
  ['crl.example', 'alice', '200', 'ok'],
  ['crl.example', 'revoked', '400', WRONG],
  ['on.example', 'revoked', '200', 'ok'],
  ['off.example', NONE, '200', 'ok'],
  ['denied.example', 'alice', '403', 'client certificates can not be checked'],
  ['free.example', NONE, '200', 'ok'],
] as const)('%s with %s: %s %s', async (host, certificate, status, body) => {
  expect(await curl(host, certificate)).toMatchObject({ status, body })
})

test('an error page is where those without a right certificate are sent', async () => {
  expect(await curl('page.example')).toMatchObject({ status: '302', location: 'https://errors.example/cert?x=1' })
  expect(await curl('page.example', 'mallory')).toMatchObject({ status: '302' })
  expect(await curl('page.example', 'alice')).toMatchObject({ status: '200' })
})

test('paths that no route takes are closed too', async () => {
  const other = [`https://on.example:${proxy.port}/elsewhere`]
  expect(await curl('on.example', NONE, other)).toMatchObject({ status: '400' })
  expect(await curl('on.example', 'alice', other)).toMatchObject({ status: '404' })
})

const FORGED = ['-H', 'ssl-client-verify: SUCCESS', '-H', 'SSL-Client-Subject-DN: CN=admin', '-H', 'ssl-client-issuer-dn: CN=x', '-H', 'ssl-client-cert: x']

async function learned(host: string, certificate?: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const { status } = await curl(host, certificate, FORGED)
  expect(status).toBe('200')
  const fields = upstream.requests.at(-1)?.fields ?? []
  const found: Record<string, string[]> = {}
  for (const [name, value] of fields) if (name.toLowerCase().startsWith('ssl-client')) (found[name.toLowerCase()] ??= []).push(value)
  return found
}

test('the backend learns what openssl says of the certificate, and nothing that the client says', async () => {
  expect(await learned('on.example', 'alice')).toEqual({
    'ssl-client-verify': ['SUCCESS'],
    'ssl-client-subject-dn': [await authority.subjectOf('alice')],
    'ssl-client-issuer-dn': [await authority.subjectOf('root')],
  })
  expect(await learned('optional.example')).toEqual({ 'ssl-client-verify': ['NONE'] })
  expect(await learned('off.example')).toEqual({ 'ssl-client-verify': ['NONE'] })
  expect(await learned('any.example', 'mallory')).toMatchObject({ 'ssl-client-verify': ['FAILED:unable to verify the first certificate'], 'ssl-client-subject-dn': ['CN=alice'] })
})

test('the certificate itself goes to the backend where that is asked for', async () => {
  const { 'ssl-client-cert': sent = [] } = await learned('pass.example', 'alice')
  expect(sent.map(decodeURIComponent)).toEqual([(await authority.read('alice')).certificate])
})

test('plain HTTP: the fields of the client go, and a subject that has to match does not', async () => {
  const ask = async (host: string): Promise<number> => {
    const client = await RawClient.connect(plain.port)
    client.send(`GET /app HTTP/1.1\r\nHost: ${host}\r\nssl-client-verify: SUCCESS\r\n\r\n`)
    const { status } = await client.response()
    client.close()
    return status
  }
  expect(await ask('on.example')).toBe(200)
  expect(upstream.requests.at(-1)?.field('ssl-client-verify')).toBeUndefined()
  expect([await ask('match.example'), await ask('denied.example')]).toEqual([403, 403])
})

async function secure(options: ConnectionOptions): Promise<RawClient> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return new RawClient(socket)
}

test('a handshake for another host opens nothing: 421, and no reuse of the connection; one on the same terms does', async () => {
  const { certificate: cert, key } = await authority.read('alice')
  const ask = async (options: ConnectionOptions, host: string): Promise<number> => {
    const client = await secure(options)
    client.send(`GET /app HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const { status } = await client.response()
    client.close()
    return status
  }
  expect(await ask({ servername: 'free.example' }, 'on.example')).toBe(421)
  expect(await ask({ servername: 'free.example' }, 'optional.example')).toBe(421)
  expect(await ask({ servername: 'crl.example', cert, key }, 'on.example')).toBe(421)
  expect(await ask({ servername: 'twin.example', cert, key }, 'on.example')).toBe(200)
  // Without a name the handshake had the defaults: as if there were no certificate.
  expect(await ask({ cert, key, servername: '' }, 'on.example')).toBe(400)
  expect(await ask({ servername: 'on.example', cert, key }, 'free.example')).toBe(200)
})

test('terms that come into force hold for open connections too', async () => {
  const open = await secure({ servername: 'free.example' })
  open.send('GET /app HTTP/1.1\r\nHost: free.example\r\n\r\n')
  expect((await open.response()).status).toBe(200)
  const [free, on] = [config.hosts.get('free.example'), config.hosts.get('on.example')]
  if (free === undefined || on?.handshake === undefined || on.clientCertificates === undefined) throw new Error('no hosts')
  const closed: Host = { ...free, handshake: on.handshake, clientCertificates: on.clientCertificates }
  proxy.route({ ...config, hosts: new Map(config.hosts).set('free.example', closed) })
  open.send('GET /app HTTP/1.1\r\nHost: free.example\r\n\r\n')
  expect((await open.response()).status).toBe(421)
  open.close()
  expect((await curl('free.example')).status).toBe('400')
  expect((await curl('free.example', 'alice')).status).toBe('200')
  proxy.route(config)
  expect((await curl('free.example')).status).toBe('200')
})

test('no session resumes into a host that wants certificates', async () => {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'free.example' })
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  const client = connect({ port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'on.example', session })
  await once(client, 'secureConnect')
  expect(client.isSessionReused()).toBe(false)
  const raw = new RawClient(client)
  raw.send('GET /app HTTP/1.1\r\nHost: on.example\r\n\r\n')
  expect((await raw.response()).status).toBe(400)
  raw.close()
})

test('ciphers of one host are those of its handshakes alone', async () => {
  const ask = async (host: string): Promise<string> => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false, servername: host, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384' })
    await once(socket, 'secureConnect')
    const { name } = socket.getCipher()
    socket.destroy()
    return name
  }
  expect([await ask('free.example'), await ask('ciphers.example')]).toEqual(['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'])
})

test('a hello in single bytes is as good', async () => {
  const slow = createServer((near) => {
    const far = connectTcp({ port: proxy.port, host: '127.0.0.1', noDelay: true })
    far.pipe(near)
    near.on('error', () => undefined).on('close', () => far.destroy())
    near.on('data', (data: Buffer) => {
      for (const byte of data) far.write(Buffer.from([byte]))
    })
  })
  slow.listen(0, '127.0.0.1')
  await once(slow, 'listening')
  const { port } = slow.address() as AddressInfo
  const { certificate: cert, key } = await authority.read('alice')
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'on.example', cert, key })
  await once(socket, 'secureConnect')
  const client = new RawClient(socket)
  client.send('GET /app HTTP/1.1\r\nHost: on.example\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  client.close()
  slow.close()
})

test('garbage gets an alert; an end and silence close the connection', async () => {
  const closed = async (bytes: Buffer, ends: boolean): Promise<string> => {
    const socket = connectTcp({ port: proxy.port, host: '127.0.0.1' })
    let got = ''
    socket.on('data', (data: Buffer) => (got += data.toString('hex'))).on('error', () => undefined)
    socket.write(bytes)
    if (ends) socket.end()
    await once(socket, 'close')
    return got
  }
  expect(await closed(Buffer.from('GET / HTTP/1.1\r\n\r\n'), false)).toBe('15030300020232')
  expect(await closed(Buffer.from([22, 3, 1]), true)).toBe('')
  expect(await closed(Buffer.from([22, 3, 1]), false)).toBe('')
})
