// PROXY protocol on the ports for HTTP and HTTPS: curl and Python send the headers, so that nothing of ours judges itself.
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { createContexts, type Contexts } from '../../src/http/tls/contexts.ts'
import { ticketKeysAt } from '../../src/http/tls/ticket-keys.ts'
import { certificateLookup } from '../../src/runtime/certificate-lookup.ts'
import { EMPTY_TABLE } from '../../src/table/table.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { startProxy, toUpstream, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

const run = promisify(execFile)

/** Version 2 as the specification has it, written without our code: 198.51.100.7:4711 to 192.0.2.1:8443, or LOCAL. */
const PYTHON = `
import socket, ssl, struct, sys
port, command, secure = int(sys.argv[1]), sys.argv[2], sys.argv[3] == 'tls'
addresses = socket.inet_aton('198.51.100.7') + socket.inet_aton('192.0.2.1') + struct.pack('!HH', 4711, 8443)
if command == 'tcp6':
    addresses = socket.inet_pton(socket.AF_INET6, '2001:db8::7') + socket.inet_pton(socket.AF_INET6, '2001:db8::1') + struct.pack('!HH', 4711, 8443)
tlv = b'\\x02\\x00\\x01a'
kind = {'tcp4': b'\\x21\\x11', 'tcp6': b'\\x21\\x21', 'local': b'\\x20\\x00'}[command]
header = b'\\r\\n\\r\\n\\0\\r\\nQUIT\\n' + kind + struct.pack('!H', len(addresses + tlv)) + addresses + tlv
client = socket.create_connection(('127.0.0.1', port))
client.sendall(header)
if secure:
    client = ssl._create_unverified_context().wrap_socket(client, server_hostname='a')
client.sendall(b'GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n')
received = b''
while part := client.recv(4096):
    received += part
print(received.decode())
`

const SENDERS = { trustedProxies: [], forwardedForField: 'x-forwarded-for', fullForwardedFor: false, proxyProtocol: { senders: ['127.0.0.0/8'], headerTimeout: 5000 } }
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const V1 = 'PROXY TCP4 198.51.100.7 192.0.2.1 4711 8080\r\n'

let contexts: Contexts
let upstream: ScriptedUpstream
let proxy: TestProxy
const clients: RawClient[] = []

beforeAll(() => {
  const text = String(
    spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '-', '-days', '2', '-subj', '/CN=a']).stdout,
  )
  const at = text.indexOf('-----BEGIN CERTIFICATE-----')
  contexts = createContexts({
    lookup: certificateLookup(() => EMPTY_TABLE),
    defaultCertificate: { certificate: text.slice(at), privateKey: text.slice(0, at) },
    ticketKeys: ticketKeysAt(Buffer.alloc(32, 7), 0),
    log: silentLog,
  })
})

async function start(tls: boolean, settings: SettingsOverrides = { client: SENDERS }): Promise<void> {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(toUpstream(upstream.port), { ...settings, ...(tls ? { contexts } : {}) })
}

async function connect(): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port)
  clients.push(client)
  return client
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  proxy.proxy.close()
  await upstream.stop()
})

const told = () => ['x-real-ip', 'x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto'].map((name) => upstream.requests.at(-1)?.field(name))

describe.each([['http', false], ['https', true]] as const)('over %s', (scheme, tls) => {
  it('curl: the header of version 1 names the client and the port', async () => {
    await start(tls)
    const { stdout } = await run('curl', ['-sSk', '--haproxy-protocol', '--max-time', '10', '-w', ' %{http_code}', '-H', 'Host: a', `${scheme}://127.0.0.1:${proxy.port}/1`, `${scheme}://127.0.0.1:${proxy.port}/2`])
    expect(stdout).toBe('ok 200ok 200')
    expect(told()).toEqual(['127.0.0.1', '127.0.0.1', String(proxy.port), scheme])
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/1', '/2'])
  })

  it.each([
    ['tcp4', ['198.51.100.7', '198.51.100.7', '8443', scheme]],
    ['tcp6', ['2001:db8::7', '2001:db8::7', '8443', scheme]],
    ['local', ['127.0.0.1', '127.0.0.1', undefined, scheme]],
  ])('Python: a header of version 2 with extensions, %s', async (command, expected) => {
    await start(tls)
    const { stdout } = await run('python3', ['-c', PYTHON, String(proxy.port), command, tls ? 'tls' : 'plain'])
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    const port = expected[2] ?? (tls ? '443' : String(proxy.port))
    expect(told()).toEqual([expected[0], expected[1], port, scheme])
    expect((await proxy.recorded(() => true)).clientAddress).toBe(expected[0])
  })

  it('closes a connection without a header, unanswered', async () => {
    await start(tls)
    const client = await connect()
    client.send(tls ? Buffer.from('16030100', 'hex') : GET)
    await client.finished()
    expect([client.text(), upstream.connections.length]).toEqual(['', 0])
  })

  it('closes a connection whose header does not come in time', async () => {
    await start(tls, { client: { ...SENDERS, proxyProtocol: { ...SENDERS.proxyProtocol, headerTimeout: 200 } } })
    const client = await connect()
    client.send(V1.slice(0, 20))
    await client.finished()
    expect(client.text()).toBe('')
  })

  it('closes connections from anybody but its senders, whatever their header', async () => {
    await start(tls, { client: { ...SENDERS, proxyProtocol: { ...SENDERS.proxyProtocol, senders: ['198.51.100.0/24', '::/0'] } } })
    const client = await connect()
    client.send(V1)
    await client.finished()
    expect([client.text(), proxy.refused()]).toEqual(['', 1])
  })

  it('serves on after senders left within their header', async () => {
    await start(tls)
    for (const part of ['', 'P', V1.slice(0, -1), '\r\n\r\n\0\r\nQUIT\n\x21']) {
      const client = await connect()
      client.send(part)
      client.socket.end()
      await client.finished()
    }
    expect(proxy.proxy.connections().clients).toBe(0)
    await run('curl', ['-sSkf', '--haproxy-protocol', '--max-time', '10', '-H', 'Host: a', `${scheme}://127.0.0.1:${proxy.port}/`])
  })

  it('closes at once when it is told to, headers or not', async () => {
    await start(tls)
    const client = await connect()
    client.send('PROXY ')
    proxy.proxy.close()
    await client.finished()
  })
})

it('takes header and request in any pieces', async () => {
  await start(false)
  const bytes = V1 + GET
  for (const cut of [1, 6, V1.length - 1, V1.length, V1.length + 1, bytes.length - 1]) {
    const client = await connect()
    client.send(bytes.slice(0, cut))
    await new Promise((resolve) => setImmediate(resolve))
    client.send(bytes.slice(cut))
    expect((await client.response()).status).toBe(200)
    expect(told()).toEqual(['198.51.100.7', '198.51.100.7', '8080', 'http'])
  }
})

it('a header counts once: in place of a request it is malformed', async () => {
  await start(false)
  const client = await connect()
  client.send(V1 + V1 + GET)
  expect((await client.response()).status).toBe(400)
})

it('takes a ClientHello that came together with the header', async () => {
  await start(true)
  const raw = await connect()
  raw.socket.cork()
  raw.send(V1)
  raw.socket.removeAllListeners('data')
  const socket = connectTls({ socket: raw.socket, servername: 'a', rejectUnauthorized: false })
  raw.socket.uncork()
  await once(socket, 'secureConnect')
  const client = new RawClient(socket)
  client.send(GET)
  expect((await client.response()).status).toBe(200)
  expect(told()).toEqual(['198.51.100.7', '198.51.100.7', '8080', 'https'])
})

it('a proxy behind the sender is believed where it is trusted too', async () => {
  await start(false, { client: { ...SENDERS, trustedProxies: ['198.51.100.0/24'] } })
  const client = await connect()
  client.send(`${V1}GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n`)
  expect((await client.response()).status).toBe(200)
  expect(told()).toEqual(['203.0.113.9', '203.0.113.9', '443', 'https'])
  const other = await connect()
  other.send(`PROXY TCP4 203.0.113.1 192.0.2.1 4711 8080\r\nGET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n`)
  expect((await other.response()).status).toBe(200)
  expect(told()[0]).toBe('203.0.113.1')
})

it('without the option a header is a malformed request', async () => {
  await start(false, {})
  const client = await connect()
  client.send(V1 + GET)
  expect((await client.response()).status).toBe(400)
  expect(upstream.connections.length).toBe(0)
})
