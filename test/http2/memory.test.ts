// What a peer can make us keep is near what its windows allow, however small the pieces it sends.
import { connect } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { ByteQueue } from '../../src/http/http2/byte-queue.ts'
import { DATA, frameHead, headersText, PREFACE, settingsText } from '../../src/http/http2/frame-text.ts'
import { encodeField } from '../../src/http/http2/hpack/encoder.ts'
import { DEFAULT_HTTP2_SETTINGS } from '../../src/model/http2-settings.ts'
import { startAnswering } from './answering-server.ts'

/** On a busy machine. */
const PATIENT = { timeout: 15_000 }

const server = await startAnswering({ ...DEFAULT_HTTP2_SETTINGS, abuse: { ...DEFAULT_HTTP2_SETTINGS.abuse, controlBurst: Infinity } })
afterAll(() => server.close())

const post = encodeField(':method', 'POST') + encodeField(':scheme', 'http') + encodeField(':authority', 'a.example') + encodeField(':path', '/paused')
const kept = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers

const STREAMS = [1, 3, 5, 7]

function unread(): number {
  let bytes = 0
  for (const connection of server.connections) for (const stream of connection.streamTable.open.values()) bytes += stream.unread
  return bytes
}

describe('memory', () => {
  it('stays near the windows when bodies of one-byte frames wait for a paused reader', async () => {
    const before = kept()
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    socket.write(PREFACE + settingsText([]), 'latin1')
    for (const id of STREAMS) {
      socket.write(headersText(post, 0, id, 16_384), 'latin1')
      const frames = Buffer.from(`${frameHead(1, DATA, 0, id)}x`.repeat(1000), 'latin1')
      for (let i = 0; i < 200; i++) socket.write(frames)
    }
    await expect.poll(unread, PATIENT).toBe(STREAMS.length * 200_000)
    expect(kept() - before).toBeLessThan(24 * 1024 * 1024)
    socket.destroy()
    await expect.poll(() => server.connections.size, PATIENT).toBe(0)
  })

  it('of a queue is at most twice what it holds, from a kilobyte on', () => {
    const queue = new ByteQueue()
    const piece = Buffer.from('abcdefg')
    const out: string[] = []
    for (let i = 0; i < 5000; i++) queue.push(piece, i % 3, 7)
    let size = queue.size
    for (let first = queue.first(); first !== undefined; first = queue.first()) {
      const count = Math.min(first.length, 1000)
      out.push(first.toString('latin1', 0, count))
      queue.take(count)
      size -= count
      expect(queue.size).toBe(size)
    }
    expect(out.join('')).toBe(Array.from({ length: 5000 }, (_, i) => 'abcdefg'.slice(i % 3)).join(''))
  })
})
