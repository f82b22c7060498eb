// Large bodies through slow readers: memory stays flat in both directions, every byte arrives.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

const SIZE = 256 * 1024 * 1024
const PIECE = Buffer.alloc(64 * 1024, 'narthex streams ')
/** Over what the first run left: the process also holds the origin and the client. */
const MOST_GROWTH = SIZE / 8

let origin: Server
let proxy: TestProxy

beforeAll(async () => {
  origin = createServer((incoming, outgoing) => {
    if (incoming.url === '/upload') {
      void digest(incoming, true).then((sum) => outgoing.end(sum))
      return
    }
    if (incoming.url === '/length') outgoing.setHeader('Content-Length', SIZE)
    let sent = 0
    const push = (): void => {
      while (sent < SIZE) {
        sent += PIECE.length
        if (!outgoing.write(PIECE)) {
          outgoing.once('drain', push)
          return
        }
      }
      outgoing.end()
    }
    push()
  })
  origin.keepAliveTimeout = 60_000
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  proxy = await startProxy(toUpstream((origin.address() as AddressInfo).port), { limits: { bodyBytes: 0 } })
  await download('/chunked')
})

afterAll(() => {
  proxy.proxy.close()
  origin.closeAllConnections()
  origin.close()
})

/** A reader that stops for a moment again and again. */
async function digest(stream: AsyncIterable<Buffer>, slow: boolean): Promise<string> {
  const hash = createHash('sha256')
  let sinceRest = 0
  for await (const chunk of stream) {
    hash.update(chunk)
    sinceRest += chunk.length
    if (slow && sinceRest > 4 * 1024 * 1024) {
      sinceRest = 0
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  return hash.digest('hex')
}

function expected(): string {
  const hash = createHash('sha256')
  for (let size = 0; size < SIZE; size += PIECE.length) hash.update(PIECE)
  return hash.digest('hex')
}

async function withFlatMemory(run: () => Promise<void>): Promise<void> {
  const before = process.memoryUsage().rss
  let most = before
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20)
  await run()
  clearInterval(watch)
  expect(most - before).toBeLessThan(MOST_GROWTH)
}

async function download(path: string): Promise<void> {
  const outgoing = request({ port: proxy.port, path, headers: { host: 'a' } }).end()
  const [incoming] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>]
  expect(await digest(incoming, true)).toBe(expected())
}

for (const path of ['/chunked', '/length']) {
  it(`a download (${path.slice(1)}) through a slow reader`, () => withFlatMemory(() => download(path)))
}

for (const framing of ['chunked', 'length']) {
  it(`an upload (${framing}) to a slow reader`, async () => {
    await withFlatMemory(async () => {
      const headers = framing === 'length' ? { 'host': 'a', 'content-length': SIZE } : { 'host': 'a', 'transfer-encoding': 'chunked' }
      const outgoing = request({ port: proxy.port, path: '/upload', method: 'POST', headers })
      const answered = once(outgoing, 'response') as Promise<[AsyncIterable<Buffer>]>
      for (let sent = 0; sent < SIZE; sent += PIECE.length) {
        if (!outgoing.write(PIECE)) await once(outgoing, 'drain')
      }
      outgoing.end()
      const [incoming] = await answered
      let body = ''
      for await (const chunk of incoming) body += String(chunk)
      expect(body).toBe(expected())
    })
  })
}
