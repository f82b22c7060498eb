// What a simulated pod answers, byte by byte where it matters.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createPodLog, type PodLog } from '../../../src/sandbox/pods/pod-log.ts'
import { startPodServer, type PodServer } from '../../../src/sandbox/pods/pod-server.ts'

const ADDRESS = '127.10.250.1'
let server: PodServer
let log: PodLog
beforeEach(async () => {
  log = createPodLog()
  server = await startPodServer({ plate: { pod: 'web-1', namespace: 'dev', node: 'sandbox', address: ADDRESS, image: 'nginx:1' }, address: ADDRESS, port: 0, log })
})
afterEach(() => server.stop(0))

const url = (path: string): string => `http://${ADDRESS}:${server.port}${path}`

/** Writes the bytes, answers all that comes back until the server closes. */
async function raw(request: string): Promise<string> {
  const socket = connect({ host: ADDRESS, port: server.port })
  socket.write(request)
  let text = ''
  socket.setEncoding('latin1').on('data', (data: string) => (text += data))
  await once(socket, 'close')
  return text
}

describe('a pod', () => {
  it('answers the request as it arrived: case, order and repetition of fields', async () => {
    const answer = await raw('POST /a%20b?x=1 HTTP/1.1\r\nHost: shop.example.com\r\nX-One: 1\r\nx-one: 2\r\nAccept: application/json\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello')
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: application\/json\r\n/)
    expect(head).not.toMatch(/^server:/im)
    expect(JSON.parse(body)).toEqual({
      pod: 'web-1', namespace: 'dev', node: 'sandbox', address: ADDRESS, image: 'nginx:1', port: server.port,
      method: 'POST', path: '/a%20b?x=1', httpVersion: '1.1', client: '127.0.0.1',
      headers: [['Host', 'shop.example.com'], ['X-One', '1'], ['x-one', '2'], ['Accept', 'application/json'], ['Content-Length', '5'], ['Connection', 'close']],
      body: { bytes: 5, start: 'hello', cut: false },
    })
  })

  it('answers text by default, its name first, and keeps the connection', async () => {
    const answer = await fetch(url('/x'), { headers: { 'X-Two': '2' } })
    const text = await answer.text()
    expect(text).toMatch(new RegExp(`^web-1 \\(${ADDRESS}:${server.port}\\) in namespace dev on node sandbox, image nginx:1\\n\\nGET /x HTTP/1\\.1\\n`))
    expect(text).toContain('X-Two: 2\n')
    expect(answer.headers.get('connection')).toBe('keep-alive')
    expect(await (await fetch(url('/x?format=json'))).json()).toMatchObject({ method: 'GET', path: '/x?format=json' })
  })

  it('counts a large body and shows its beginning', async () => {
    const answer = await fetch(url('/'), { method: 'POST', body: 'y'.repeat(100_000), headers: { Accept: 'application/json' } })
    expect(await answer.json()).toMatchObject({ body: { bytes: 100_000, start: 'y'.repeat(4096), cut: true } })
  })

  it('answers HEAD without a body and tells the length', async () => {
    const answer = await raw('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/\r\nContent-Length: \d+\r\n[^]*\r\n\r\n$/)
  })

  it.each([200, 204, 304, 404, 418, 503])('answers /status/%i, below any path', async (code) => {
    const answer = await fetch(url(`/app/status/${code}`))
    expect(answer.status).toBe(code)
    if (code >= 400) expect(await answer.text()).toContain(`answers ${code}`)
  })

  it('refuses a status that is no final one', async () => {
    expect((await fetch(url('/status/101'))).status).toBe(400)
    expect((await fetch(url('/status/1000'))).status).toBe(400)
  })

  it('waits as long as /delay says', async () => {
    const start = performance.now()
    expect((await fetch(url('/delay/60'))).status).toBe(200)
    expect(performance.now() - start).toBeGreaterThan(50)
  })

  it('streams /bytes with and without a length', async () => {
    const fixed = await fetch(url('/bytes/1000000'))
    expect(fixed.headers.get('content-length')).toBe('1000000')
    expect((await fixed.arrayBuffer()).byteLength).toBe(1_000_000)
    const chunked = await fetch(url('/bytes/70000?chunked'))
    expect(chunked.headers.get('transfer-encoding')).toBe('chunked')
    expect((await chunked.text()).slice(0, 16)).toBe('narthex-narthex-')
  })

  it('counts what /upload is sent', async () => {
    const body = Buffer.alloc(300_000, 'ab')
    const answer = await fetch(url('/upload'), { method: 'PUT', body })
    expect(await answer.json()).toEqual({ pod: 'web-1', bytes: 300_000, sha256: createHash('sha256').update(body).digest('hex') })
  })

  it('lists the fields at /headers', async () => {
    expect(await (await fetch(url('/headers'), { headers: { 'X-Three': '3' } })).json()).toContainEqual(['X-Three', '3'])
  })

  it('ticks at /stream', async () => {
    const answer = await fetch(url('/stream?interval=1&count=3'))
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(await answer.text()).toBe([1, 2, 3].map((tick) => `id: ${tick}\ndata: web-1 tick ${tick}\n\n`).join(''))
  })

  it('echoes WebSocket messages at /ws, text and binary', async () => {
    const socket = new WebSocket(`ws://${ADDRESS}:${server.port}/chat/ws`)
    await once(socket, 'open')
    const echoed: (string | Buffer)[] = []
    const both = new Promise<void>((resolve) => socket.on('message', (data, isBinary) => {
      if (!Buffer.isBuffer(data)) return
      echoed.push(isBinary ? data : data.toString())
      if (echoed.length === 2) resolve()
    }))
    socket.send('hello')
    socket.send(Buffer.from([1, 2, 3]))
    await both
    expect(echoed).toEqual(['hello', Buffer.from([1, 2, 3])])
    socket.close()
    await once(socket, 'close')
  })

  it('answers an offer of h2c as the HTTP/1.1 request that it also is', async () => {
    const answer = await raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  it('ends streams and sockets when it stops, and lets an answer in flight finish', async () => {
    const socket = new WebSocket(`ws://${ADDRESS}:${server.port}/ws`)
    await once(socket, 'open')
    const stream = await fetch(url('/stream'))
    const slow = fetch(url('/delay/100'))
    await fetch(url('/'))
    const closed = once(socket, 'close')
    const stopped = server.stop(10_000)
    expect((await closed)[0]).toBe(1001)
    expect(await stream.text()).toBe('')
    expect((await slow).status).toBe(200)
    await stopped
  })

  it('writes its access log in the combined format, hostile bytes escaped', async () => {
    await raw('GET /a"b HTTP/1.1\r\nHost: a\r\nUser-Agent: x\\"\tÿ\r\nConnection: close\r\n\r\n')
    const [line] = log.lines()
    expect(line?.text).toMatch(/^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/a\\x22b HTTP\/1\.1" 200 [1-9]\d+ "-" "x\\x5C\\x22\\x09\\xC3\\xBF"$/)
  })
})

describe('a pod log', () => {
  it('keeps the last lines only, each of bounded length', () => {
    const bounded = createPodLog()
    for (let i = 0; i < 5000; i++) bounded.append(i, i === 4999 ? 'x'.repeat(10_000) : String(i))
    expect(bounded.lines()).toHaveLength(500)
    expect(bounded.lines()[0]?.text).toBe('4500')
    expect(bounded.lines().at(-1)?.text.length).toBeLessThan(2100)
  })
})

describe('a pod that keeps no connections', () => {
  it.each([['announced', true], ['silent', false]] as const)('%s: ends each after one answer', async (closing, says) => {
    const other = await startPodServer({ plate: { pod: 'web-2', namespace: 'dev', node: 'sandbox', address: ADDRESS, image: 'nginx:1' }, address: ADDRESS, port: 0, log, closing })
    const socket = connect({ host: ADDRESS, port: other.port })
    let text = ''
    socket.setEncoding('latin1').on('data', (data: string) => (text += data))
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(socket, 'end')
    socket.destroy()
    await other.stop(0)
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(/^connection: close/im.test(text)).toBe(says)
  })
})
