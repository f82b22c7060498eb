// Chromium as a judge: a page with many parts, uploads and a WebSocket, all over one connection of HTTP/2.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { makePair, testContexts } from '../support/secure.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const PARTS = 60

const PAGE = `<!doctype html><script>
async function run() {
  document.cookie = 'a=1'; document.cookie = 'b=2'
  const parts = await Promise.all(Array.from({ length: ${PARTS} }, async (_, i) => (await (await fetch('/part/' + i)).text()).length))
  const upload = await (await fetch('/size', { method: 'POST', body: new Uint8Array(700000) })).text()
  const cookies = await (await fetch('/cookies')).text()
  const missing = (await fetch('/missing')).status
  const echo = await new Promise((resolve, reject) => {
    const socket = new WebSocket('wss://' + location.host + '/ws')
    socket.onopen = () => socket.send('over HTTP/2')
    socket.onmessage = ({ data }) => { socket.close(); resolve(data) }
    socket.onerror = () => reject('socket failed')
  })
  const protocols = [...new Set(performance.getEntries().map((entry) => entry.nextHopProtocol).filter(Boolean))]
  return { parts: [...new Set(parts)], upload, cookies, missing, echo, protocols }
}
run().catch(String).then((found) => fetch('/report', { method: 'POST', body: JSON.stringify(found) }))
</script>`

let origin: Server
let sockets: WebSocketServer
let proxy: TestProxy
let tell: (found: unknown) => void = () => undefined

beforeAll(async () => {
  origin = createServer((request, response) => {
    const { url = '' } = request
    if (url === '/') return void response.setHeader('Content-Type', 'text/html').end(PAGE)
    if (url.startsWith('/part/')) return void response.end(Buffer.alloc(50_000, 'x'))
    if (url === '/cookies') return void response.end(request.headers.cookie)
    if (url === '/missing') return void response.writeHead(404).end()
    let size = 0
    let body = ''
    request.on('data', (part: Buffer) => {
      size += part.length
      if (url === '/report') body += part.toString('utf8')
    })
    request.on('end', () => {
      response.end(String(size))
      if (url === '/report') tell(JSON.parse(body))
    })
  })
  sockets = new WebSocketServer({ server: origin })
  sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  proxy = await startProxy(toUpstream((origin.address() as AddressInfo).port), { contexts: testContexts(makePair('a')) })
})

afterAll(() => {
  proxy.proxy.close()
  sockets.close()
  origin.closeAllConnections()
  origin.close()
})

it('Chromium loads a page and talks over a WebSocket', { timeout: 120_000 }, async () => {
  const profile = mkdtempSync(join(tmpdir(), 'narthex-chromium-'))
  const report = new Promise((resolve) => (tell = resolve))
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--no-proxy-server', '--ignore-certificate-errors', '--host-resolver-rules=MAP a 127.0.0.1', `--user-data-dir=${profile}`]
  const browser = spawn('chromium', [...flags, `https://a:${proxy.port}/`], { stdio: 'ignore', detached: true })
  const exited = once(browser, 'exit')
  try {
    expect(await report).toEqual({ parts: [50_000], upload: '700000', cookies: 'a=1; b=2', missing: 404, echo: 'over HTTP/2', protocols: ['h2'] })
  } finally {
    // With its children, which write into the folder.
    if (browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL')
    await exited
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 })
  }
  expect((await proxy.recorded(({ path }) => path === '/ws')).protocol).toBe('2')
  expect([...new Set(proxy.records.map(({ protocol }) => protocol))]).toEqual(['2'])
})
