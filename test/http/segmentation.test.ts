// However the bytes of a message are cut into reads, the result is the same.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { BodyReader } from '../../src/http/http1/body-reader.ts'
import { HeadAccumulator } from '../../src/http/http1/head-accumulator.ts'
import { scanHead, type HeadScan } from '../../src/http/http1/head-scan.ts'
import { parseRequestHead, RequestHead } from '../../src/http/http1/request-head.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'

interface Decoded {
  readonly data: string
  readonly trailers: string
  readonly done: boolean
  readonly fault: string | undefined
  readonly rest: string
}

function decode(bytes: Buffer, cuts: readonly number[]): Decoded {
  const reader = new BodyReader()
  let data = ''
  let consumed = 0
  const sink = { bodyData: (buffer: Buffer, start: number, end: number) => (data += buffer.toString('latin1', start, end)) }
  reader.startChunked(1000)
  const shared = Buffer.alloc(bytes.length + 8, 'Z')
  for (const [start, end] of pieces(bytes.length, cuts)) {
    // At an offset of a buffer that holds other bytes around, as the shared one does.
    bytes.copy(shared, 3, start, end)
    consumed += reader.read(shared, 3, 3 + end - start, sink) - 3
    if (reader.done || reader.fault !== undefined) break
  }
  const { done, trailers, fault } = reader
  return { data, trailers, done, fault, rest: done ? bytes.toString('latin1', consumed) : '' }
}

function pieces(length: number, cuts: readonly number[]): (readonly [number, number])[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (length + 1)), length])].sort((a, b) => a - b)
  return at.slice(1).map((end, i) => [at[i] ?? 0, end])
}

const chunk = fc.tuple(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }), fc.constantFrom('', ';a', ';a=b', ';a="c;d"'))
const body = fc
  .tuple(fc.array(chunk, { maxLength: 5 }), fc.constantFrom('', 'X-A: b\r\n', 'X-A:b\r\nCookie: c\r\n'), fc.constantFrom('', 'GET / HTTP/1.1\r\n'))
  .map(([chunks, trailers, next]) => `${chunks.map(([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`).join('')}0\r\n${trailers}\r\n${next}`)
/** Mostly broken. */
const mutated = fc.tuple(body, fc.array(fc.tuple(fc.nat(200), fc.constantFrom('\r', '\n', '0', ' ', ';', '', '\r\n', 'f', '-')), { maxLength: 3 })).map(([text, edits]) => {
  let result = text
  for (const [at, insert] of edits) result = result.slice(0, at % (result.length + 1)) + insert + result.slice((at % (result.length + 1)) + (at % 2))
  return result
})
const cuts = fc.array(fc.nat(400), { maxLength: 8 })

it('a chunked body is decoded the same in any segmentation', () => {
  fc.assert(
    fc.property(body, cuts, (text, at) => {
      const bytes = Buffer.from(text, 'latin1')
      const whole = decode(bytes, [])
      expect(whole.done).toBe(true)
      expect(decode(bytes, at)).toEqual(whole)
    }),
    { seed: 4, numRuns: 3000 },
  )
})

it('a broken chunked body is refused, or is not, the same in any segmentation', () => {
  fc.assert(
    fc.property(mutated, cuts, (text, at) => {
      const bytes = Buffer.from(text, 'latin1')
      const whole = decode(bytes, [])
      const cut = decode(bytes, at)
      expect([cut.done, cut.fault, cut.trailers, cut.rest]).toEqual([whole.done, whole.fault, whole.trailers, whole.rest])
      expect(cut.data).toBe(whole.data)
    }),
    { seed: 5, numRuns: 5000 },
  )
})

const line = fc.constantFrom('Host: a', 'X-A: b', 'X-A:b ', 'Content-Length: 5', 'Connection: X-A', 'X_Y: z', 'X: ', 'Bad : x', ' fold', 'X: \x01', 'X: caf\xe9', 'Cookie: a=b; c=d')
const head = fc
  .tuple(fc.constantFrom('GET / HTTP/1.1', 'POST /x?y HTTP/1.1', 'GET  / HTTP/1.1', 'GET /\x80 HTTP/1.0'), fc.array(line, { maxLength: 8 }), fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'))
  .map(([first, lines, end]) => `${first}\r\n${lines.map((each) => `${each}${end}`).join('')}\r\n`)

function scanned(text: string): HeadScan | undefined {
  return scanHead(Buffer.from(text, 'latin1'), 0, text.length)
}

/** As a connection does it: what is refused before the end would have been refused at the end. */
function accumulate(bytes: Buffer, cuts: readonly number[]): { text: string | undefined; refused: boolean } {
  const held = new HeadAccumulator()
  for (const [start, end] of pieces(bytes.length, cuts)) {
    held.append(bytes, start, end)
    const headEnd = held.end()
    if (headEnd > 0) return { text: held.scan(headEnd)?.text, refused: false }
    if (!held.plausible()) return { text: undefined, refused: true }
  }
  return { text: undefined, refused: false }
}

it('a head is the same in any segmentation, and none is refused early that would be taken whole', () => {
  fc.assert(
    fc.property(head, cuts, (text, at) => {
      const request = new RequestHead()
      const scan = scanned(text)
      const verdict = scan === undefined ? 'bad-request' : parseRequestHead(scan, request, DEFAULT_SETTINGS.limits)
      const { text: collected, refused } = accumulate(Buffer.from(text, 'latin1'), at)
      if (refused) expect(verdict).toBeDefined()
      else expect(collected).toBe(scanned(text)?.text)
    }),
    { seed: 6, numRuns: 5000 },
  )
})

it('what is forwarded of a head has one canonical form', () => {
  const again = new RequestHead()
  fc.assert(
    fc.property(head, (text) => {
      const request = new RequestHead()
      const scan = scanned(text)
      if (scan === undefined || parseRequestHead(scan, request, DEFAULT_SETTINGS.limits) !== undefined) return
      expect(request.fields).toMatch(/^(?:[!#$%&'*+\-.^`|~0-9A-Za-z]+:(?: [!-~\x80-\xff][\t -~\x80-\xff]*)?\r\n)*$/)
      const rewritten = scanned(`GET / HTTP/1.1\r\nHost: a\r\n${request.fields}\r\n`)
      expect(rewritten && parseRequestHead(rewritten, again, DEFAULT_SETTINGS.limits)).toBeUndefined()
      expect(again.fields).toBe(request.fields)
    }),
    { seed: 7, numRuns: 3000 },
  )
})
