// 1 GiB through a reader that is slow at first: the sender is held up, memory stays flat in both directions, every byte arrives.
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'

const MIB = 1024 * 1024
const SIZE = 1024 * MIB
const PIECE = randomBytes(MIB)
/** What a sender may be ahead of a reader that takes nothing: the kernel's buffers of two connections, up to 36 MiB each, and little else. */
const MOST_AHEAD = SIZE / 8
/**
 * Of the proxy's process, over what the first run left. Garbage counts until it is collected: where Node reads into buffers of its own,
 * V8 begins to collect them at 64 MiB.
 */
const MOST_GROWTH = SIZE / 8
/** Taken in sips, after nothing was taken for a while. */
const SIPPED = 4 * MIB

let origin: Server
let proxy: ChildProcess
let port: number
/** Of the body under way. */
let sent = 0

beforeAll(async () => {
  origin = createServer((incoming, outgoing) => {
    if (incoming.url === '/upload') {
      void takeAll(incoming).then(
        (size) => outgoing.end(String(size)),
        (error: unknown) => outgoing.end(String(error)),
      )
      return
    }
    if (incoming.url === '/length') outgoing.setHeader('Content-Length', SIZE)
    void sendAll(outgoing)
  })
  origin.keepAliveTimeout = 60_000
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  proxy = fork('test/support/proxy-process.ts', [String((origin.address() as AddressInfo).port)])
  port = await once(proxy, 'message').then(([message]) => Number(message))
  await download('/chunked')
})

afterAll(() => {
  proxy.kill()
  origin.closeAllConnections()
  origin.close()
})

async function sendAll(stream: Writable): Promise<void> {
  sent = 0
  while (sent < SIZE) {
    sent += PIECE.length
    if (!stream.write(PIECE)) await once(stream, 'drain')
  }
  stream.end()
}

/** Bytes, of which each is what it should be. */
async function takeAll(stream: AsyncIterable<Buffer>): Promise<number> {
  await senderIsHeldUp()
  expect(sent).toBeLessThan(MOST_AHEAD)
  let size = 0
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; ) {
      const from = (size + at) % PIECE.length
      const length = Math.min(chunk.length - at, PIECE.length - from)
      if (chunk.compare(PIECE, from, from + length, at, at + length) !== 0) throw new Error(`another body after ${size + at} bytes`)
      at += length
    }
    size += chunk.length
    if (size < SIPPED) await sleep(5)
  }
  return size
}

async function senderIsHeldUp(): Promise<void> {
  let before = -1
  for (let unchanged = 0; unchanged < 10; unchanged = sent > 0 && sent === before ? unchanged + 1 : 0) {
    before = sent
    await sleep(20)
  }
}

async function download(path: string): Promise<void> {
  const outgoing = request({ port, path, headers: { host: 'a' } }).end()
  const [incoming] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>]
  expect(await takeAll(incoming)).toBe(SIZE)
}

async function upload(headers: Readonly<Record<string, string | number>>): Promise<void> {
  const outgoing = request({ port, path: '/upload', method: 'POST', headers: { host: 'a', ...headers } })
  const answered = once(outgoing, 'response') as Promise<[AsyncIterable<Buffer>]>
  await sendAll(outgoing)
  const [incoming] = await answered
  let body = ''
  for await (const chunk of incoming) body += String(chunk)
  expect(body).toBe(String(SIZE))
}

async function withFlatMemory(run: () => Promise<void>): Promise<void> {
  const before = residentBytes()
  let most = before
  const watch = setInterval(() => (most = Math.max(most, residentBytes())), 20)
  await run().finally(() => clearInterval(watch))
  expect(most - before).toBeLessThan(MOST_GROWTH)
}

function residentBytes(): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${proxy.pid}/status`, 'latin1'))?.[1]) * 1024
}

for (const path of ['/chunked', '/length']) {
  it(`a download (${path.slice(1)}) through a slow reader`, { timeout: 120_000 }, () => withFlatMemory(() => download(path)))
}

for (const headers of [{ 'transfer-encoding': 'chunked' }, { 'content-length': SIZE }]) {
  it(`an upload (${Object.keys(headers).join('')}) to a slow reader`, { timeout: 120_000 }, () => withFlatMemory(() => upload(headers)))
}
