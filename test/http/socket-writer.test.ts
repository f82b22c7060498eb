// Whatever is gathered, held and written at once goes out in the order in which it was given, with buffers that are read into again meanwhile.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { array, assert, asyncProperty, boolean, constant, integer, nat, oneof, tuple } from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { ReadBuffers, SocketReader } from '../../src/http/read-buffers.ts'
import { SocketWriter } from '../../src/http/socket-writer.ts'
import { WriteTurn } from '../../src/http/write-turn.ts'
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

/** SHA-256 of all that comes. */
async function digestOf(socket: Socket): Promise<string> {
  const hash = createHash('sha256')
  socket.on('data', (part: Buffer) => hash.update(part)).resume()
  await once(socket, 'end')
  return hash.digest('hex')
}

/** What is written of a read: text (0), bytes as they are, bytes in a chunk (3), a piece put together by the writer's owner (4). Whether the turn ends after it. */
type Step = readonly [size: number, kind: number, turnEnds: boolean]

const steps = array(tuple(oneof(integer({ min: 1, max: 5000 }), constant(64 * 1024), integer({ min: 20_000, max: 65_536 })), nat(4), boolean()), {
  minLength: 1,
  maxLength: 60,
})

function putTogether(writer: SocketWriter, buffer: Buffer, count: number): void {
  const piece = writer.beginPiece(count)
  writer.endPiece(piece, writer.pieceStart + buffer.copy(piece, writer.pieceStart, 0, count))
}

/** Reads and writes as a proxy does, with two connections that share their buffers. */
async function relay(all: readonly Step[], slow: boolean): Promise<void> {
  const buffers = new ReadBuffers()
  const turn = new WriteTurn()
  const sides = await Promise.all([pair(), pair()])
  const relays = sides.map(({ writing }, index) => {
    const writer = new SocketWriter(writing, buffers, turn)
    const sent = createHash('sha256')
    const reader = new SocketReader(buffers, (buffer, count) => {
      const [, kind] = step
      const text = String.fromCharCode(97 + kind).repeat(count % 7)
      if (kind === 0) writer.text(text)
      if (kind === 3) writer.bytes(buffer, 0, count, text, text)
      else if (kind === 4) putTogether(writer, buffer, count)
      else writer.bytes(buffer, 0, count)
      sent.update(kind === 0 ? text : '').update(kind === 3 ? text : '').update(buffer.subarray(0, count)).update(kind === 3 ? text : '')
      writer.flushSoon()
      return true
    })
    let step: Step = [0, 0, false]
    let into = reader.onread.buffer()
    return {
      read(next: Step, byte: number) {
        step = next
        into.fill(byte + 128 * index, 0, next[0])
        reader.onread.callback(next[0])
        into = reader.onread.buffer()
      },
      end() {
        writer.flush()
        writing.end()
        return sent.digest('hex')
      },
    }
  })
  const quick = slow ? [] : sides.map(({ reading }) => digestOf(reading))
  for (const [i, step] of all.entries()) {
    for (const each of relays) each.read(step, i % 128)
    if (step[2]) await new Promise(setImmediate)
  }
  const sent = relays.map((each) => each.end())
  const received = await Promise.all(slow ? sides.map(({ reading }) => digestOf(reading)) : quick)
  expect(received).toEqual(sent)
}

test.each([
  { reader: 'a reader that keeps up', slow: false },
  { reader: 'a reader that takes nothing until all is written', slow: true },
])('parts of all sizes, $reader', async ({ slow }) => {
  await assert(
    asyncProperty(steps, async (all) => {
      await relay(all, slow)
      for (const each of opened.splice(0)) each.destroy()
    }),
    { numRuns: 40, seed: 7 },
  )
})

test('large parts of a turn go out together, as soon as there are 256 KiB of them', async () => {
  const buffers = new ReadBuffers()
  const { writing, reading } = await pair()
  const writer = new SocketWriter(writing, buffers, new WriteTurn())
  const part = Buffer.alloc(64 * 1024)
  const arrived = once(reading, 'readable')
  for (let i = 0; i < 3; i++) writer.bytes(part, 0, part.length)
  expect(writing.bytesWritten).toBe(0)
  writer.bytes(part, 0, part.length)
  expect(writing.bytesWritten + writing.writableLength).toBeGreaterThanOrEqual(4 * part.length)
  await arrived
  writer.bytes(part, 0, part.length)
  writer.text('end')
  await new Promise(setImmediate)
  expect(writing.bytesWritten).toBe(5 * part.length + 3)
})
