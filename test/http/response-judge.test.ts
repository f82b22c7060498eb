// llhttp, in Node's own client, as the judge of the responses that we forward: every mutated response that we took from a backend, one after
// the other on one connection. A client that finds its end elsewhere than we did gets something else for the next.
import { once } from 'node:events'
import { Agent, request, STATUS_CODES, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { BodyReader } from '../../src/http/http1/body-reader.ts'
import { scanHead } from '../../src/http/http1/head-scan.ts'
import { parseResponseHead, ResponseHead } from '../../src/http/http1/response-head.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { responseText } from '../../src/proxy/response-text.ts'
import { CORPUS } from '../proxy/malformed-request-corpus.ts'
import { mutated, randomFrom } from '../support/mutation.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 100_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 3)

const S = 'HTTP/1.1 200 OK\r\n'
const WELL_FORMED = [
  `${S}Content-Length: 5\r\n\r\nhello`,
  `${S}Content-Length: 005\r\nX-A: b\r\n\r\nhello`,
  `${S}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `${S}Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n`,
  `${S}Content-Type: text/plain\r\n\r\nuntil the end`,
  'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 77\r\n\r\n',
  'HTTP/1.0 404 Not Found\r\nConnection: keep-alive, X-A\r\nX-A: b\r\nContent-Length: 2\r\n\r\nno',
]
/** Fields and chunks of the corpus behind a status line. */
const TEMPLATES = [...WELL_FORMED, ...WELL_FORMED, ...CORPUS.map(([, , bytes]) => bytes.replace(/^\S+ \S+ (HTTP\/1\.[01])/, '$1 200 OK')).filter((bytes) => bytes.startsWith('HTTP') && bytes.length < 400)]
const PIECES = [
  '\r\n', '\n', '\r', ' ', '\t', ':', ',', ';', '"', '0', '5', 'f', '\0', '\x7f', '\xff', '_', '-', 'chunked', 'Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n', 'Connection: keep-alive\r\n', 'Keep-Alive: timeout=5\r\n', 'Upgrade: h2c\r\n', 'Set-Cookie: a=b\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n',
]

interface Forwarded {
  readonly method: 'GET' | 'HEAD'
  readonly status: number
  readonly body: string
  readonly text: string
}

const head = new ResponseHead()
const reader = new BodyReader()

/** What a client gets of the response in `bytes`; undefined: 502, or it is cut. The connection ends with `bytes`. */
function forwarded(bytes: Buffer, method: 'GET' | 'HEAD'): Forwarded | undefined {
  const scan = scanHead(bytes, 0, bytes.length)
  if (scan === undefined || !parseResponseHead(scan, method === 'HEAD', head, DEFAULT_SETTINGS.limits.headFields) || head.status < 200) return undefined
  const chunked = head.framing === 'chunked' || head.framing === 'close'
  let data = ''
  let text = responseText(head, chunked ? 'chunked' : 'as-is', { serverField: 'Server: narthex\r\n', dateField: '', connectionField: '', hstsField: '' })
  const sink = {
    bodyData(buffer: Buffer, start: number, stop: number) {
      const part = buffer.toString('latin1', start, stop)
      if (part === '') return
      data += part
      text += chunked ? `${part.length.toString(16)}\r\n${part}\r\n` : part
    },
  }
  if (head.framing === 'chunked') reader.startChunked()
  else if (head.framing === 'close') reader.startUntilClose()
  else if (head.framing === 'length') reader.startLength(head.contentLength)
  else reader.startEmpty()
  if (!reader.done) reader.read(bytes, scan.length, bytes.length, sink)
  if (reader.fault !== undefined || (!reader.done && !reader.endsWithConnection)) return undefined
  if (chunked) text += `0\r\n${reader.trailers}\r\n`
  return { method, status: head.status, body: data, text }
}

/** A client with one connection, and the server at its other end, which answers with what it is told. */
async function startClient(): Promise<{ readonly ask: (response: Forwarded) => Promise<{ readonly status: number; readonly body: string }>; readonly connections: () => number; readonly close: () => void }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let next = ''
  let connections = 0
  const server = createServer({ noDelay: true }, (socket) => {
    connections++
    socket.on('error', () => undefined).on('data', () => socket.write(Buffer.from(next, 'latin1')))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ask({ method, text }) {
      next = text
      return new Promise((resolve, reject) => {
        const outgoing = request({ agent, method, host: '127.0.0.1', port })
        outgoing.on('error', reject).on('response', (incoming: IncomingMessage) => {
          let body = ''
          incoming.setEncoding('latin1').on('data', (part: string) => (body += part))
          // The connection is free for the next request only after this.
          incoming.on('end', () => setImmediate(resolve, { status: incoming.statusCode ?? 0, body }))
          incoming.on('error', reject)
        })
        outgoing.end()
      })
    },
    connections: () => connections,
    close() {
      agent.destroy()
      server.close()
    },
  }
}

it(`llhttp reads the responses that we forward as we framed them (${RUNS} mutated responses)`, { timeout: 30_000 + RUNS }, async () => {
  const random = randomFrom(SEED)
  const client = await startClient()
  const statuses = new Set<number>()
  let taken = 0
  let unframed = 0
  for (let run = 0; run < RUNS; run++) {
    const response = forwarded(Buffer.from(mutated(random, TEMPLATES, PIECES), 'latin1'), random(8) === 0 ? 'HEAD' : 'GET')
    if (response === undefined) continue
    taken++
    statuses.add(response.status)
    if (response.method === 'HEAD' && !/\n(?:content-length|transfer-encoding):/i.test(response.text)) unframed++
    expect([response.text, await client.ask(response)]).toEqual([response.text, { status: response.status, body: response.body }])
  }
  client.close()
  // Node's client does not use a connection again after HEAD without a length.
  expect(client.connections()).toBeLessThanOrEqual(1 + unframed)
  expect(taken).toBeGreaterThan(RUNS / 20)
  expect([...statuses].filter((status) => STATUS_CODES[status] !== undefined)).toEqual(expect.arrayContaining([200, 204, 304, 404]))
})
