// Buffers that are written from and used again never mix what goes to one socket with what goes to another.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { CopyBuffers } from '../../src/http/copy-buffers.ts'
import { socketPair, type SocketPair } from '../support/socket-pair.ts'

const opened: SocketPair[] = []

afterEach(() => {
  for (const each of opened.splice(0)) each.destroy()
})

async function pair(): Promise<SocketPair> {
  const made = await socketPair()
  opened.push(made)
  return made
}

function writeFilled(copies: CopyBuffers, socket: Socket, size: number, byte: number): void {
  const buffer = copies.take(size)
  copies.write(socket, buffer.fill(byte, 0, size), size)
}

async function received(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part)).resume()
  await once(socket, 'end')
  return Buffer.concat(parts)
}

test('a socket that has to wait keeps its bytes while others write', async () => {
  const copies = new CopyBuffers()
  const slow = await pair()
  const quick = await pair()
  const answer = received(quick.reading)
  const sizes = [40_000, 80 * 1024, 64 * 1024, 100_000, 5000]
  const rounds = 200
  for (let round = 0; round < rounds; round++) {
    const size = sizes[round % sizes.length] ?? 0
    writeFilled(copies, slow.writing, size, round)
    writeFilled(copies, quick.writing, size, 255 - round)
    if (round % 20 === 0) await new Promise(setImmediate)
  }
  expect(slow.writing.writableLength).toBeGreaterThan(0)
  slow.writing.end()
  quick.writing.end()
  const expected = (byteOf: (round: number) => number): Buffer => Buffer.concat(Array.from({ length: rounds }, (_, round) => Buffer.alloc(sizes[round % sizes.length] ?? 0, byteOf(round))))
  expect((await answer).equals(expected((round) => 255 - round))).toBe(true)
  expect((await received(slow.reading)).equals(expected((round) => round))).toBe(true)
})

test('a buffer whose write is done is the next one taken; one whose write waits is not', async () => {
  const copies = new CopyBuffers()
  const { writing } = await pair()
  const first = copies.take(64 * 1024)
  copies.write(writing, first, 64 * 1024)
  expect(writing.writableLength).toBe(0)
  expect(copies.take(64 * 1024)).toBe(first)
  while (writing.writableLength === 0) copies.write(writing, copies.take(64 * 1024), 64 * 1024)
  const waiting = copies.take(64 * 1024)
  copies.write(writing, waiting, 64 * 1024)
  expect(copies.take(64 * 1024)).not.toBe(waiting)
})
