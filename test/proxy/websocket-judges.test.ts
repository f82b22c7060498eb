// WebSocket between implementations that are not ours: ws at the backend; ws, Chromium and a client on Python's sockets before the proxy.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { makePair, testContexts } from '../support/secure.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const PAGE = `<!doctype html><script>
const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/ws', 'chat')
socket.binaryType = 'arraybuffer'
const got = []
const large = new Uint8Array(300000).map((_, index) => index * 7)
socket.onopen = () => { socket.send('hello'); socket.send('\\u00fcn\\u00efc\\u00f6de \\u{1f600}'); socket.send(large) }
socket.onmessage = ({ data }) => {
  got.push(typeof data === 'string' ? data : data.byteLength === large.length && new Uint8Array(data).every((byte, index) => byte === large[index]))
  if (got.length === 3) socket.close(4001, 'done')
}
socket.onclose = ({ code, reason, wasClean }) => fetch('/report', { method: 'POST', body: JSON.stringify({ got, code, reason, wasClean, protocol: socket.protocol }) })
</script>`

/** Frames by hand: fragments, a ping between them, text that is no UTF-8; prints what came. */
const PYTHON = `
import base64, hashlib, os, socket, ssl, struct, sys
port, tls = int(sys.argv[1]), sys.argv[2] == 'tls'
client = socket.create_connection(('127.0.0.1', port))
if tls:
    client = ssl._create_unverified_context().wrap_socket(client, server_hostname='a')
key = base64.b64encode(os.urandom(16)).decode()
client.sendall(f'GET /ws HTTP/1.1\\r\\nHost: a\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Key: {key}\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n'.encode())
stream = client.makefile('rb')
print(stream.readline().decode().split()[1])
accept = None
while (line := stream.readline().strip()):
    name, _, value = line.decode().partition(': ')
    if name.lower() == 'sec-websocket-accept': accept = value
print(accept == base64.b64encode(hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()).decode())
def frame(first, payload):
    mask = os.urandom(4)
    return bytes([first, 0x80 | len(payload)]) + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
def receive():
    first, length = stream.read(2)
    if length == 126: length = struct.unpack('>H', stream.read(2))[0]
    return hex(first), stream.read(length)
whole = frame(0x01, b'Hel') + frame(0x89, b'ping') + frame(0x00, b'') + frame(0x8a, b'unasked') + frame(0x80, b'lo')
for i in range(len(whole)):
    client.sendall(whole[i:i + 1])
print(*receive())
print(*receive())
client.sendall(frame(0x81, b'\\xce\\xba\\xed\\xa0\\x80'))
first, payload = receive()
print(first, struct.unpack('>H', payload[:2])[0])
client.sendall(frame(0x88, payload[:2]))
print(stream.read())
`

let origin: Server
let sockets: WebSocketServer
let reports: unknown[] = []
let reported: () => void = () => undefined
const proxies: Partial<Record<'ws' | 'wss', TestProxy>> = {}
const portOf = (scheme: 'ws' | 'wss'): number => proxies[scheme]?.port ?? 0

beforeAll(async () => {
  origin = createServer((request, response) => {
    if (request.url !== '/report') return void response.setHeader('Content-Type', 'text/html').end(PAGE)
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => {
      reports.push(JSON.parse(body))
      response.end()
      reported()
    })
  })
  sockets = new WebSocketServer({ server: origin, perMessageDeflate: true, handleProtocols: (offered) => [...offered][0] ?? false })
  sockets.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }))
    socket.on('error', () => undefined)
  })
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  const config = toUpstream((origin.address() as AddressInfo).port)
  proxies.ws = await startProxy(config)
  proxies.wss = await startProxy(config, { contexts: testContexts(makePair('a')) })
})

afterAll(() => {
  for (const { proxy } of Object.values(proxies)) proxy.close()
  for (const socket of sockets.clients) socket.terminate()
  sockets.close()
  origin.close()
})

for (const scheme of ['ws', 'wss'] as const) {
  describe(scheme, () => {
    it.each([true, false])('ws talks to ws, compressed: %s', async (perMessageDeflate) => {
      const socket = new WebSocket(`${scheme}://127.0.0.1:${portOf(scheme)}/ws`, ['chat', 'other'], { headers: { host: 'a' }, rejectUnauthorized: false, perMessageDeflate })
      await once(socket, 'open')
      expect([socket.protocol, socket.extensions]).toEqual(['chat', perMessageDeflate ? 'permessage-deflate' : ''])
      const messages = [Buffer.from('hello'), Buffer.alloc(0), randomBytes(125), randomBytes(126), randomBytes(65_536), Buffer.alloc(8 * 1024 * 1024, 'narthex')]
      const echoed: Buffer[] = []
      const all = new Promise<void>((resolve) => socket.on('message', (data: Buffer) => echoed.push(data) === messages.length && resolve()))
      for (const message of messages) socket.send(message)
      await all
      expect(echoed.every((data, index) => messages[index]?.equals(data))).toBe(true)
      socket.ping('are you there')
      expect(String((await once(socket, 'pong'))[0])).toBe('are you there')
      socket.close(4000, 'done')
      expect((await once(socket, 'close')).map(String)).toEqual(['4000', 'done'])
    })

    it('ws hears the close of ws, and that a connection was cut', async () => {
      for (const end of ['close', 'terminate'] as const) {
        const accepted = once(sockets, 'connection')
        const socket = new WebSocket(`${scheme}://127.0.0.1:${portOf(scheme)}/ws`, { headers: { host: 'a' }, rejectUnauthorized: false })
        const closed = once(socket, 'close')
        socket.on('error', () => undefined)
        const [backend] = (await accepted) as [WebSocket]
        await once(socket, 'open')
        if (end === 'close') backend.close(1012, 'restart')
        else backend.terminate()
        expect((await closed).map(String)).toEqual(end === 'close' ? ['1012', 'restart'] : ['1006', ''])
      }
    })

    it("a client on Python's sockets sends frames in single bytes", async () => {
      const { stdout } = await promisify(execFile)('python3', ['-c', PYTHON, String(portOf(scheme)), scheme === 'wss' ? 'tls' : 'plain'], { timeout: 60_000 })
      // Pong before the message that it came within; 1007: what was called text was none; then the end.
      expect(stdout.trim().split('\n')).toEqual(['101', 'True', "0x8a b'ping'", "0x81 b'Hello'", '0x88 1007', "b''"])
    })

    it('Chromium', { timeout: 120_000 }, async () => {
      reports = []
      const before = [...(proxies[scheme]?.records ?? [])]
      const profile = mkdtempSync(join(tmpdir(), 'narthex-chromium-'))
      const report = new Promise<void>((resolve) => (reported = resolve))
      const url = `${scheme === 'wss' ? 'https' : 'http'}://a:${portOf(scheme)}/`
      const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--no-proxy-server', '--ignore-certificate-errors', '--host-resolver-rules=MAP a 127.0.0.1', `--user-data-dir=${profile}`]
      const browser = spawn('chromium', [...flags, url], { stdio: 'ignore', detached: true })
      const exited = once(browser, 'exit')
      try {
        await report
      } finally {
        // With its children, which write into the folder.
        if (browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL')
        await exited
        rmSync(profile, { recursive: true, force: true, maxRetries: 10 })
      }
      expect(reports).toEqual([{ got: ['hello', '\u00fcn\u00efc\u00f6de \u{1f600}', true], code: 4001, reason: 'done', wasClean: true, protocol: 'chat' }])
      // With TLS it has a connection of HTTP/2 by then, and uses that (RFC 8441).
      const record = await proxies[scheme]?.recorded((each) => each.path === '/ws' && !before.includes(each))
      expect([record?.protocol, record?.status]).toEqual(scheme === 'wss' ? ['2', 200] : ['1.1', 101])
    })
  })
}
