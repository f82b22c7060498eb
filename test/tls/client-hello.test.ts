import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { array, assert, constantFrom, integer, nat, property, tuple, uint8Array } from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { ClientHello } from '../../src/http/tls/client-hello.ts'
import { HelloReader, type HelloResult } from '../../src/http/tls/hello-reader.ts'

const SEED = 20_260_501

function read(...chunks: readonly Buffer[]): HelloResult {
  const reader = new HelloReader()
  let result: HelloResult = { kind: 'more' }
  for (const chunk of chunks) {
    result = reader.received(chunk)
    if (result.kind !== 'more') return result
  }
  return result
}

function verdict(...chunks: readonly Buffer[]): string {
  const result = read(...chunks)
  return result.kind === 'invalid' ? result.problem : result.kind
}

/** What it says, made of its lists. */
function factsOf({ serverName, alpn, versions, cipherSuites, signatureAlgorithms, groups }: ClientHello): object {
  return { serverName, alpn, versions, cipherSuites, signatureAlgorithms, groups }
}

function helloOf(bytes: Buffer): ClientHello {
  const result = read(bytes)
  if (result.kind !== 'hello') throw new Error(`no hello: ${verdict(bytes)}`)
  return result.hello
}

// === hellos made here, field by field

const u8 = (value: number): Buffer => Buffer.from([value])
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])
const v8 = (...parts: readonly Buffer[]): Buffer => Buffer.concat([u8(Buffer.concat(parts).length), ...parts])
const v16 = (...parts: readonly Buffer[]): Buffer => Buffer.concat([u16(Buffer.concat(parts).length), ...parts])
const extension = (type: number, ...parts: readonly Buffer[]): Buffer => Buffer.concat([u16(type), v16(...parts)])
const hostName = (name: string): Buffer => extension(0, v16(u8(0), v16(Buffer.from(name, 'latin1'))))

interface Parts {
  readonly version?: number
  readonly sessionId?: Buffer
  readonly suites?: Buffer
  readonly compression?: Buffer
  readonly extensions?: readonly Buffer[] | undefined
  readonly after?: Buffer
}

function message({ version = 0x0303, sessionId = Buffer.alloc(32), suites = u16(0x1301), compression = u8(0), extensions = [], after = Buffer.alloc(0) }: Parts): Buffer {
  const tail = extensions.length === 0 ? Buffer.alloc(0) : v16(...extensions)
  const body = Buffer.concat([u16(version), Buffer.alloc(32, 7), v8(sessionId), v16(suites), v8(compression), tail, after])
  return Buffer.concat([Buffer.from([1, 0]), u16(body.length), body])
}

function records(bytes: Buffer, size: number): Buffer {
  const made: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) made.push(Buffer.concat([Buffer.from([22, 3, 1]), v16(bytes.subarray(at, at + size))]))
  return Buffer.concat(made)
}

const record = (parts: Parts): Buffer => records(message(parts), 16_384)

test('reads what a server decides by, and leaves GREASE out', () => {
  const hello = helloOf(
    record({
      suites: Buffer.concat([u16(0x5a5a), u16(0x1301), u16(0xc02b)]),
      extensions: [
        extension(0x8a8a),
        hostName('App.Example.COM.'),
        extension(16, v16(v8(u16(0x1a1a)), v8(Buffer.from('h2')), v8(Buffer.from('http/1.1')))),
        extension(43, v8(u16(0xdada), u16(0x0304), u16(0x0303))),
        extension(13, v16(u16(0x0403), u16(0x0804))),
        extension(0xcaca, u8(0)),
      ],
    }),
  )
  expect(factsOf(hello)).toEqual({ serverName: 'app.example.com', alpn: ['h2', 'http/1.1'], versions: [0x0304, 0x0303], cipherSuites: [0x1301, 0xc02b], signatureAlgorithms: [0x0403, 0x0804], groups: [] })
})

test('a hello without extensions has the version of its field and names nobody', () => {
  expect(factsOf(helloOf(record({ version: 0x0301 })))).toEqual({ serverName: undefined, alpn: [], versions: [0x0301], cipherSuites: [0x1301], signatureAlgorithms: [], groups: [] })
})

test.each(['127.0.0.1', '::1'])('the address %s as a name names nobody (RFC 6066 section 3)', (name) => {
  expect(helloOf(record({ extensions: [hostName(name)] })).serverName).toBeUndefined()
})

test.each<readonly [string, string, Buffer]>([
  ['plain HTTP', 'not-tls', Buffer.from('GET / HTTP/1.1\r\n')],
  ['one byte of plain HTTP', 'not-tls', Buffer.from('G')],
  ['SSLv2', 'sslv2', Buffer.from([0x80, 0x2e, 1, 0, 2, 0, 0x15])],
  ['an alert', 'not-tls', Buffer.from([21, 3, 1, 0, 2, 2, 40])],
  ['a version of no TLS', 'not-tls', Buffer.from([22, 2, 0, 0, 9])],
  ['an empty record', 'malformed', Buffer.from([22, 3, 1, 0, 0])],
  ['a record too long', 'malformed', Buffer.from([22, 3, 1, 0x40, 1])],
  ['another handshake message', 'malformed', records(Buffer.from([2, 0, 0, 4, 0, 0, 0, 0]), 100)],
  ['a message too long', 'too-large', records(Buffer.from([1, 0, 0x40, 0]), 100)],
  ['a message of 16 MB', 'too-large', records(Buffer.from([1, 0xff, 0xff, 0xff]), 100)],
  ['another record in between', 'malformed', Buffer.concat([records(message({}).subarray(0, 20), 20), Buffer.from([21, 3, 1])])],
  ['bytes behind the message in its record', 'malformed', records(Buffer.concat([message({}), u8(1)]), 200)],
  ['a version before SSLv3', 'malformed', record({ version: 0x0200 })],
  ['a session id too long', 'malformed', record({ sessionId: Buffer.alloc(33) })],
  ['half a cipher suite', 'malformed', record({ suites: Buffer.from([0x13, 1, 2]) })],
  ['no cipher suite', 'malformed', record({ suites: Buffer.alloc(0) })],
  ['no null compression', 'malformed', record({ compression: u8(1) })],
  ['bytes behind the extensions', 'malformed', record({ extensions: [hostName('a')], after: u8(0) })],
  ['an extension twice', 'malformed', record({ extensions: [hostName('a.example'), hostName('b.example')] })],
  ['two names', 'malformed', record({ extensions: [extension(0, v16(u8(0), v16(Buffer.from('a')), u8(0), v16(Buffer.from('b'))))] })],
  ['a name of another type', 'malformed', record({ extensions: [extension(0, v16(u8(1), v16(Buffer.from('a'))))] })],
  ['no name in the list', 'malformed', record({ extensions: [extension(0, v16())] })],
  ['an empty name', 'malformed', record({ extensions: [hostName('')] })],
  ['a name with a NUL', 'malformed', record({ extensions: [hostName('a.example\0.evil.example')] })],
  ['a name with a space', 'malformed', record({ extensions: [hostName('a b')] })],
  ['a name with an empty label', 'malformed', record({ extensions: [hostName('a..b')] })],
  ['a name with bytes beyond ASCII', 'malformed', record({ extensions: [hostName('b\u00fccher.example')] })],
  ['a name of 254 characters', 'malformed', record({ extensions: [hostName(`${'a.'.repeat(126)}ab`)] })],
  ['an empty protocol name', 'malformed', record({ extensions: [extension(16, v16(v8()))] })],
  ['an extension behind pre_shared_key', 'malformed', record({ extensions: [extension(41, u8(0)), hostName('a')] })],
  ['versions of an odd length', 'malformed', record({ extensions: [extension(43, v8(u8(3)))] })],
  ['no signature algorithm', 'malformed', record({ extensions: [extension(13, v16())] })],
])('%s is refused as %s', (_, problem, bytes) => {
  expect(verdict(bytes)).toBe(problem)
})

test('many tiny records are refused when they have become too many bytes', () => {
  const endless = Buffer.concat([Buffer.from([1, 0, 0x3f, 0xf0]), Buffer.alloc(16_300)])
  const reader = new HelloReader()
  const chunk = records(endless, 1)
  let result: HelloResult = { kind: 'more' }
  for (let at = 0; at < chunk.length && result.kind === 'more'; at += 1000) result = reader.received(chunk.subarray(at, at + 1000))
  expect(result).toEqual({ kind: 'invalid', problem: 'too-large' })
})

// === hellos of clients that others wrote

async function recorded(start: (port: number) => void): Promise<Buffer> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  start((server.address() as AddressInfo).port)
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [first] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  server.close()
  return first
}

function run(command: string, ...args: readonly string[]): void {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] })
  child.on('error', () => undefined)
}

const real = new Map<string, Buffer>()

beforeAll(async () => {
  const python = 'import socket,ssl,sys\nc=ssl.create_default_context()\nc.set_alpn_protocols(["http/1.1"])\nc.wrap_socket(socket.create_connection(("127.0.0.1",int(sys.argv[1]))),server_hostname="py.example.com")'
  const clients: Readonly<Record<string, (port: number) => void>> = {
    openssl: (port) => run('openssl', 's_client', '-connect', `127.0.0.1:${port}`, '-servername', 'openssl.example.com', '-alpn', 'h2,http/1.1'),
    'openssl, TLS 1.2': (port) => run('openssl', 's_client', '-connect', `127.0.0.1:${port}`, '-servername', 'old.example.com', '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'),
    curl: (port) => run('curl', '-sk', '--resolve', `curl.example.com:${port}:127.0.0.1`, `https://curl.example.com:${port}/`),
    python: (port) => run('python3', '-c', python, String(port)),
    node: (port) => void connect({ port, host: '127.0.0.1', servername: 'node.example.com' }).on('error', () => undefined),
    nameless: (port) => run('openssl', 's_client', '-connect', `127.0.0.1:${port}`, '-noservername'),
  }
  for (const [name, start] of Object.entries(clients)) real.set(name, await recorded(start))
})

test.each([
  ['openssl', 'openssl.example.com', ['h2', 'http/1.1'], 0x0304],
  ['openssl, TLS 1.2', 'old.example.com', [], 0x0303],
  ['curl', 'curl.example.com', ['h2', 'http/1.1'], 0x0304],
  ['python', 'py.example.com', ['http/1.1'], 0x0304],
  ['node', 'node.example.com', [], 0x0304],
  ['nameless', undefined, [], 0x0304],
] as const)('the hello of %s', (client, serverName, alpn, version) => {
  const hello = helloOf(real.get(client) ?? Buffer.alloc(0))
  expect(hello).toMatchObject({ serverName, alpn })
  expect(Math.max(...hello.versions)).toBe(version)
  expect(hello.cipherSuites.length).toBeGreaterThan(0)
  expect(hello.signatureAlgorithms).toContain(0x0403)
  expect(hello.groups).toContain(23)
})

// === properties

const anyHello = constantFrom(0, 1, 2, 3, 4, 5).map((index) => [...real.values()][index] ?? Buffer.alloc(0))

function cut(bytes: Buffer, points: readonly number[]): readonly Buffer[] {
  const at = [...new Set([0, ...points.map((point) => point % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

test('any segmentation and any fragmentation into records reads the same, and gives every byte back', () => {
  assert(
    property(anyHello, array(nat(), { maxLength: 40 }), integer({ min: 1, max: 600 }), (bytes, points, size) => {
      const fragmented = records(bytes.subarray(5), size)
      for (const wire of [bytes, fragmented]) {
        const result = read(...cut(wire, points))
        if (result.kind !== 'hello') throw new Error('no hello')
        expect(factsOf(result.hello)).toEqual(factsOf(helloOf(bytes)))
        expect(result.bytes).toEqual(wire)
      }
    }),
    { seed: SEED, numRuns: 300 },
  )
})

test('a byte at a time, and no answer before the last one', () => {
  for (const bytes of real.values()) {
    const reader = new HelloReader()
    const kinds = [...bytes].map((byte) => reader.received(Buffer.from([byte])).kind)
    expect(new Set(kinds.slice(0, -1))).toEqual(new Set(['more']))
    expect(kinds.at(-1)).toBe('hello')
  }
})

test('random bytes, changed bytes and false lengths never throw, and what is still read names a host that is one', () => {
  assert(
    property(anyHello, array(tuple(nat(), integer({ min: 0, max: 255 })), { maxLength: 6 }), uint8Array({ maxLength: 200 }), (bytes, changes, noise) => {
      const bent = Buffer.from(bytes)
      for (const [at, value] of changes) bent[at % bent.length] = value
      const result = read(bent)
      if (result.kind === 'hello' && result.hello.serverName !== undefined) expect(result.hello.serverName).toMatch(/^[a-z0-9_][a-z0-9_.-]*$/)
      expect(['more', 'invalid', 'hello']).toContain(read(Buffer.from(noise)).kind)
      expect(['more', 'invalid', 'hello']).toContain(read(Buffer.concat([Buffer.from([22, 3, 1, 0, noise.length]), noise])).kind)
    }),
    { seed: SEED, numRuns: 2000 },
  )
})
