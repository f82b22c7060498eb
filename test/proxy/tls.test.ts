// HTTPS: the certificate by name, the same exchange behind it, what the backend is told.
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { createContexts } from '../../src/http/tls/contexts.ts'
import { ticketKeysAt } from '../../src/http/tls/ticket-keys.ts'
import { certificateLookup } from '../../src/runtime/certificate-lookup.ts'
import { EMPTY_TABLE } from '../../src/table/table.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { testContexts } from '../support/secure.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

let upstream: ScriptedUpstream
let proxy: TestProxy
let pair: { certificate: string; privateKey: string }

const READ_TO_END = `
import socket, ssl, sys
context = ssl._create_unverified_context()
# With OpenSSL 3, Python takes an end without close_notify for a good one unless told otherwise.
context.options &= ~getattr(ssl, 'OP_IGNORE_UNEXPECTED_EOF', 0)
client = context.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1]))), suppress_ragged_eofs=False)
client.sendall(b'GET / HTTP/1.0\\r\\nHost: a\\r\\n\\r\\n')
received, end = b'', 'close_notify'
try:
    while part := client.recv(4096):
        received += part
except ssl.SSLError as error:
    end = 'cut' if 'eof' in str(error).lower() else str(error)
print(received.split(b'\\r\\n\\r\\n')[1].decode(), end)
`

const END_FIRST = `
import socket, ssl, sys
context = ssl._create_unverified_context()
context.maximum_version = ssl.TLSVersion[sys.argv[2]]
client = context.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1]))))
version = client.version()
# Says close_notify, and takes nothing but the other one for an answer.
rest = client.unwrap()
rest.settimeout(5)
print(version, rest.recv(1))
`

/** By openssl, so that nothing of ours judges itself. */
function makePair(name: string): { certificate: string; privateKey: string } {
  const made = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '-', '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`,
  ])
  const text = String(made.stdout)
  const at = text.indexOf('-----BEGIN CERTIFICATE-----')
  return { certificate: text.slice(at), privateKey: text.slice(0, at) }
}

beforeAll(async () => {
  pair = makePair('a')
  upstream = await ScriptedUpstream.start()
  const contexts = createContexts({
    lookup: certificateLookup(() => EMPTY_TABLE),
    defaultCertificate: pair,
    ticketKeys: ticketKeysAt(Buffer.alloc(32, 7), 0),
    log: silentLog,
  })
  proxy = await startProxy(toUpstream(upstream.port), { contexts, timeouts: { tlsHandshake: 300 } })
})

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

async function secureClient(): Promise<{ client: RawClient; socket: TLSSocket }> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', servername: 'a', ca: pair.certificate, ALPNProtocols: ['http/1.1'] })
  await once(socket, 'secureConnect')
  return { client: new RawClient(socket), socket }
}

it('serves requests on one verified connection, ALPN http/1.1', async () => {
  const { client, socket } = await secureClient()
  expect(socket.alpnProtocol).toBe('http/1.1')
  for (let i = 0; i < 3; i++) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.response()).body).toBe('ok')
  }
  const request = upstream.requests.at(-1)
  expect(['x-forwarded-proto', 'x-forwarded-port', 'x-scheme'].map((name) => request?.field(name))).toEqual(['https', '443', 'https'])
  expect((await proxy.recorded(() => true)).tls).toBe(true)
  client.close()
})

it('X-Forwarded-Port is where clients come in', async () => {
  const other = await startProxy(toUpstream(upstream.port), { contexts: testContexts(pair), publicHttpsPort: 30_443 })
  await promisify(execFile)('curl', ['-sk', '--resolve', `a:${other.port}:127.0.0.1`, `https://a:${other.port}/`])
  expect(upstream.requests.at(-1)?.field('x-forwarded-port')).toBe('30443')
  other.proxy.close()
})

it('carries large bodies both ways', async () => {
  const body = Buffer.alloc(900_000, 'abcdefg')
  upstream.script = {
    onRequest({ connection, body: got }) {
      connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${got.length}\r\n\r\n`)
      connection.socket.write(Buffer.from(got, 'latin1'))
    },
  }
  const { client } = await secureClient()
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
  client.send(body)
  expect((await client.response()).body).toBe(body.toString('latin1'))
  upstream.script = {}
  client.close()
})

it('uses a backend connection again whose last read alone filled the client', async () => {
  // Two reads of the buffer's size; TLS takes none of it at once.
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 131029\r\n\r\n'
  const response = Buffer.concat([Buffer.from(head), Buffer.alloc(2 * 65_536 - head.length)])
  upstream.script = { onRequest: ({ connection }) => connection.socket.write(response) }
  const { client } = await secureClient()
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect((await client.response()).body.length).toBe(131_029)
  const connections = upstream.connections.length
  upstream.script = {}
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect((await client.response()).body).toBe('ok')
  expect(upstream.connections.length).toBe(connections)
  client.close()
})

it('shows an HTTP/1.0 client that a body without length was cut', async () => {
  const before = upstream.requests.length
  upstream.script = {
    onRequest({ connection }) {
      connection.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    },
  }
  // By Python, since Node's client and curl take the lack of close_notify for an end.
  const judged = promisify(execFile)('python3', ['-c', READ_TO_END, String(proxy.port)], { timeout: 10_000 })
  await upstream.until(() => upstream.requests.length > before)
  upstream.requests.at(-1)?.connection.socket.end()
  upstream.script = {}
  expect((await judged).stdout.trim()).toBe('hello cut')
})

it('ends with close_notify after Connection: close', async () => {
  const { client } = await secureClient()
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect((await client.response()).body).toBe('ok')
  await client.finished()
  expect(client.ended).toBe(true)
  client.close()
})

it.each(['TLSv1_2', 'TLSv1_3'])('a client that ends the connection first is told the same, and sees it closed: %s', async (version) => {
  const { stdout } = await promisify(execFile)('python3', ['-c', END_FIRST, String(proxy.port), version], { timeout: 10_000 })
  expect(stdout).toBe(`${version.replace('_', '.')} b''\n`)
})

it('drops a connection that does not shake hands, and goes on serving', async () => {
  const silent = connectTcp(proxy.port, '127.0.0.1')
  silent.on('error', () => undefined)
  const plain = await RawClient.connect(proxy.port)
  plain.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(silent, 'close')
  while (!plain.closed && !plain.ended) await new Promise((resolve) => setImmediate(resolve))
  plain.close()
  const { client } = await secureClient()
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  client.close()
})

it('refuses more handshakes at once than it may have, and takes others as soon as some are over', async () => {
  const contexts = createContexts({ lookup: certificateLookup(() => EMPTY_TABLE), defaultCertificate: pair, ticketKeys: ticketKeysAt(Buffer.alloc(32, 7), 0), log: silentLog })
  const bounded = await startProxy(toUpstream(upstream.port), { contexts, limits: { handshakes: 2 } })
  const handshake = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ port: bounded.port, host: '127.0.0.1', servername: 'a', ca: pair.certificate }, () => resolve(true))
      socket.on('error', () => resolve(false))
      kept.push(socket)
    })
  const kept: { destroy(): unknown }[] = []
  // Those whose handshake is over count no more.
  expect([await handshake(), await handshake(), await handshake()]).toEqual([true, true, true])
  const silent = [0, 1].map(() => connectTcp({ port: bounded.port, host: '127.0.0.1' }))
  kept.push(...silent)
  await Promise.all(silent.map((socket) => once(socket, 'connect')))
  expect(await handshake()).toBe(false)
  expect(bounded.refused()).toBeGreaterThan(0)
  silent[0]?.destroy()
  while (!(await handshake())) await new Promise((resolve) => setImmediate(resolve))
  for (const socket of kept) socket.destroy()
  bounded.proxy.close()
})
