// Frames are the same however the bytes that carry them are cut.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { FrameReader, type FrameSink, type Reading } from '../../src/http/http2/frame-reader.ts'
import { frameHead, PREFACE } from '../../src/http/http2/frame-text.ts'

/** What came, DATA parts joined. */
class Recorder implements FrameSink {
  readonly events: string[] = []
  #body = ''

  prefaceFailed(): void {
    this.events.push('preface failed')
  }

  paddingFailed(): void {
    this.events.push('padding failed')
  }

  frameBegins(type: number, flags: number, id: number, length: number): Reading {
    this.events.push(`begins ${type} ${flags} ${id} ${length}`)
    return type > 9 ? (type === 255 ? 'stop' : 'skip') : 'whole'
  }

  frame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    this.events.push(`frame ${type} ${flags} ${id} ${buffer.toString('hex', start, end)}`)
  }

  dataBegins(flags: number, id: number, length: number): void {
    this.events.push(`data ${flags} ${id} ${length}`)
    this.#body = ''
  }

  dataPart(buffer: Buffer, start: number, end: number): void {
    this.#body += buffer.toString('hex', start, end)
  }

  dataEnds(): void {
    this.events.push(`ends ${this.#body}`)
  }
}

function read(bytes: Buffer, cuts: readonly number[], server: boolean): string[] {
  const recorder = new Recorder()
  const reader = new FrameReader(recorder, server)
  let start = 0
  for (const cut of [...cuts.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    // Elsewhere in a larger buffer that is overwritten afterwards, as a shared read buffer is.
    const buffer = Buffer.alloc(cut - start + 20, 0xee)
    bytes.copy(buffer, 7, start, cut)
    reader.received(buffer, 7, 7 + cut - start)
    buffer.fill(0xdd)
    start = cut
  }
  return recorder.events
}

const frame = fc
  .record({ type: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.nat(12), weight: 5 }, { arbitrary: fc.constant(255), weight: 1 }), flags: fc.nat(255), id: fc.nat(2 ** 31 - 1), payload: fc.uint8Array({ maxLength: 60 }) })
  .map(({ type, flags, id, payload }) => Buffer.concat([Buffer.from(frameHead(payload.length, type, flags, id), 'latin1'), payload]))
const stream = fc.array(frame, { maxLength: 12 }).map((frames) => Buffer.concat(frames))
const cuts = fc.array(fc.nat(1000), { maxLength: 30 })

it('reads frames the same however they are cut', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, at) => {
      expect(read(bytes, at, false)).toEqual(read(bytes, [], false))
    }),
    { seed: 9113, numRuns: 5000 },
  )
})

it('reads them byte by byte, behind the preface', () => {
  fc.assert(
    fc.property(stream, (bytes) => {
      const whole = Buffer.concat([Buffer.from(PREFACE), bytes])
      const every = Array.from({ length: whole.length }, (_, i) => i)
      expect(read(whole, every, true)).toEqual(read(bytes, [], false))
    }),
    { seed: 9113, numRuns: 500 },
  )
})

it('bears any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), cuts, (bytes, at) => {
      const buffer = Buffer.from(bytes)
      expect(read(buffer, at, false)).toEqual(read(buffer, [], false))
    }),
    { seed: 9113, numRuns: 5000 },
  )
})
