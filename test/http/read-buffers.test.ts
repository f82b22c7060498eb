// Who reads into which buffer: small reads share one, large bodies have their own, and those are not without number.
import { expect, it } from 'vitest'
import { ReadBuffers, SocketReader } from '../../src/http/read-buffers.ts'

const LARGE = 64 * 1024

/** A reader within a large body, and the buffer that its next read goes into after reads of so many bytes. */
function after(buffers: ReadBuffers, ...reads: readonly number[]): Buffer {
  const { onread } = new SocketReader(buffers, () => true)
  let buffer = onread.buffer()
  for (const count of reads) {
    onread.callback(count)
    buffer = onread.buffer()
  }
  return buffer
}

it('a socket has a buffer of its own while large pieces come, and none when they end', () => {
  const buffers = new ReadBuffers()
  expect(after(buffers)).toBe(buffers.shared)
  expect(after(buffers, LARGE)).not.toBe(buffers.shared)
  expect(after(buffers, LARGE, 100)).toBe(buffers.shared)
  expect(after(buffers, 100, 1000)).toBe(buffers.shared)
})

it('sockets that keep their last large read do not add up', () => {
  const buffers = new ReadBuffers()
  const held = Array.from({ length: 3000 }, () => after(buffers, LARGE))
  const own = new Set(held.filter((buffer) => buffer !== buffers.shared))
  expect(own.size).toBe(1024)
  for (const buffer of own) buffers.leave(buffer)
  expect(after(buffers, LARGE)).not.toBe(buffers.shared)
})

it('a buffer that comes back from a write is not given to others while somebody reads into it', () => {
  const buffers = new ReadBuffers()
  const { onread } = new SocketReader(buffers, () => true)
  onread.buffer()
  onread.callback(LARGE)
  const own = onread.buffer()
  buffers.lend(own)
  buffers.giveBack(own, true)
  expect(after(buffers, LARGE)).not.toBe(own)
  onread.callback(LARGE)
  expect(onread.buffer()).toBe(own)
  buffers.lend(own)
  onread.callback(LARGE)
  expect(onread.buffer()).not.toBe(own)
  buffers.giveBack(own, true)
  expect(after(buffers, LARGE)).toBe(own)
})
