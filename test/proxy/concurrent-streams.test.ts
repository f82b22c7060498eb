// Many bodies at once through shared and lent buffers: each arrives as it was sent, whoever is slow.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const SIZE = 6 * 1024 * 1024
const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

let origin: Server
let proxy: TestProxy
/** By number. */
const bodies = Array.from({ length: 6 }, () => randomBytes(SIZE))

beforeAll(async () => {
  origin = createServer((incoming, outgoing) => {
    const [, kind, number] = incoming.url?.split('/') ?? []
    const body = bodies[Number(number)] ?? Buffer.alloc(0)
    if (kind === 'upload') {
      const hash = createHash('sha256')
      incoming.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        incoming.pause()
        setImmediate(() => incoming.resume())
      })
      incoming.on('end', () => outgoing.end(hash.digest('hex')))
    } else if (kind === 'length') outgoing.writeHead(200, { 'Content-Length': body.length }).end(body)
    else {
      outgoing.writeHead(200)
      for (let at = 0; at < body.length; at += 20_000) outgoing.write(body.subarray(at, at + 20_000))
      outgoing.end()
    }
  })
  origin.keepAliveTimeout = 60_000
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  proxy = await startProxy(toUpstream((origin.address() as AddressInfo).port), { limits: { bodyBytes: 0 } })
})

afterAll(() => {
  proxy.proxy.close()
  origin.closeAllConnections()
  origin.close()
})

async function collect(stream: AsyncIterable<Buffer>, slow: boolean): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) {
    chunks.push(chunk)
    if (slow && chunks.length % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return Buffer.concat(chunks)
}

async function download(kind: string, number: number, slow: boolean): Promise<void> {
  const outgoing = request({ port: proxy.port, path: `/${kind}/${number}`, headers: { host: 'a' } }).end()
  const [incoming] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>]
  expect(sha(await collect(incoming, slow))).toBe(sha(bodies[number] ?? Buffer.alloc(0)))
}

/** Chunks become a bare stream: several writes of one read. */
async function downloadOld(number: number): Promise<void> {
  const socket: Socket = connect({ port: proxy.port, host: '127.0.0.1' })
  socket.write(`GET /chunked/${number} HTTP/1.0\r\nHost: a\r\n\r\n`)
  const bytes = await collect(socket, true)
  expect(sha(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4))).toBe(sha(bodies[number] ?? Buffer.alloc(0)))
}

async function upload(number: number, chunked: boolean): Promise<void> {
  const body = bodies[number] ?? Buffer.alloc(0)
  const headers = chunked ? { 'host': 'a', 'transfer-encoding': 'chunked' } : { 'host': 'a', 'content-length': body.length }
  const outgoing = request({ port: proxy.port, path: `/upload/${number}`, method: 'POST', headers })
  const answered = once(outgoing, 'response') as Promise<[AsyncIterable<Buffer>]>
  outgoing.end(body)
  const [incoming] = await answered
  expect(String(await collect(incoming, false))).toBe(sha(body))
}

it('every body is intact', async () => {
  const runs: Promise<void>[] = []
  for (let number = 0; number < bodies.length; number++) {
    runs.push(download('length', number, number % 2 === 0), download('chunked', number, number % 3 === 0))
    runs.push(downloadOld(number), upload(number, number % 2 === 0))
  }
  await Promise.all(runs)
  // Buffers given back are used again.
  await Promise.all(bodies.map((_, number) => Promise.all([download('length', number, true), upload(number, false)])))
})
