// One pass over the bytes of a head as they came: finds its end, that it holds no byte which no head may hold, and where its lines and their
// names lie. Byte by byte in a typed array costs a quarter of what looking for the same in its text does.
import { latin1 } from '../latin1.ts'
import { TOKEN, UNDERSCORE } from './characters.ts'

const CR = 13
const LF = 10

/** By byte: 1 where a head may hold it within a line. */
const WITHIN_LINE = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) WITHIN_LINE[byte] = byte === 9 || (byte >= 32 && byte !== 127) ? 1 : 0

/** Of a line: where it begins, where its name ends, the kinds of characters in the name. */
const PER_LINE = 3
/** Lines to begin with. */
const LINES = 128

export class HeadScan {
  /** latin1, the empty line included. */
  text = ''
  /** The head lies here from `offset` on. All indexes below are those of `text`. */
  bytes: Uint8Array = new Uint8Array(0)
  offset = 0
  /** Of the head, the empty line included. */
  length = 0
  /** Lines but for the first and the empty one. */
  fields = 0
  #lines: Int32Array = new Int32Array(PER_LINE * LINES)

  /** Of a field line; of the empty line, with `field` one past the last. */
  start(field: number): number {
    return this.#lines[PER_LINE * field] ?? 0
  }

  /** The first index that is no part of a token: a colon, if the line is well-formed. */
  nameEnd(field: number): number {
    return this.#lines[PER_LINE * field + 1] ?? 0
  }

  hasUnderscore(field: number): boolean {
    return ((this.#lines[PER_LINE * field + 2] ?? 0) & UNDERSCORE) !== 0
  }

  /** False: from `start` to `end` there is no complete head, or a byte that is not legal. */
  read(bytes: Buffer, start: number, end: number): boolean {
    let lines = this.#lines
    let entry = 0
    let i = lineEnd(bytes, start, end)
    if (i < 0) return false
    for (;;) {
      const lineStart = i
      let kinds = 0
      let kind = 0
      while (i < end && (kind = TOKEN[bytes[i] ?? 0] ?? 0) !== 0) {
        kinds |= kind
        i++
      }
      if (entry === lines.length) lines = this.#grow()
      lines[entry] = lineStart - start
      lines[entry + 1] = i - start
      lines[entry + 2] = kinds
      i = lineEnd(bytes, i, end)
      if (i < 0) return false
      if (i === lineStart + 2) break
      entry += PER_LINE
    }
    this.text = latin1(bytes, start, i)
    this.bytes = bytes
    this.offset = start
    this.length = i - start
    this.fields = entry / PER_LINE
    return true
  }

  /** There are as many lines as a read has room for, at most. */
  #grow(): Int32Array {
    const larger = new Int32Array(2 * this.#lines.length)
    larger.set(this.#lines)
    this.#lines = larger
    return larger
  }
}

/** Index after the CRLF of the line that `start` lies in; -1: there is none, or something else comes first. */
function lineEnd(bytes: Buffer, start: number, end: number): number {
  let i = start
  while (i < end && WITHIN_LINE[bytes[i] ?? 0] === 1) i++
  return i + 1 < end && bytes[i] === CR && bytes[i + 1] === LF ? i + 2 : -1
}

const shared = new HeadScan()

/** The head that begins at `start`, valid until the next is asked for; undefined: it is not complete, or not legal: see HeadAccumulator for which. */
export function scanHead(bytes: Buffer, start: number, end: number): HeadScan | undefined {
  return shared.read(bytes, start, end) ? shared : undefined
}
