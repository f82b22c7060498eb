// Reads one message body off the wire, whatever its framing, in any segmentation. Hands on slices of the buffer it was given,
// which the receiver must copy to keep. Knows no sockets.
import { trailerLine } from './trailers.ts'

export interface BodySink {
  bodyData(buffer: Buffer, start: number, end: number): void
}

export type BodyFault = 'malformed' | 'too-large'

const IDLE = 0
const LENGTH = 1
const UNTIL_CLOSE = 2
const CHUNK_SIZE = 3
const CHUNK_DATA = 4
const CHUNK_CR = 5
const CHUNK_LF = 6
const TRAILERS = 7

const CR = 13
const LF = 10

/** A chunk-size line or a trailer line; also all extensions of a body together, since they are thrown away at our cost. */
const LINE_LIMIT = 4096
const EXTENSIONS_LIMIT = 16 * 1024
const TRAILERS_LIMIT = 16 * 1024

// RFC 9112 section 7.1.1, with the white space that it calls bad refused. 13 hex digits stay below 2^53.
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})((?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t !#-[\]-~\u0080-\u00ff]|\\[\t -~\u0080-\u00ff])*"))?)*)$/

export class BodyReader {
  /** The body, trailers included, was read to its end. */
  done = true
  fault: BodyFault | undefined
  /** After a chunked body: trailer fields that may be forwarded, serialised. */
  trailers = ''
  /** Body bytes without framing. */
  size = 0
  #state = IDLE
  #remaining = 0
  #limit = Infinity
  #line = ''
  #extensions = 0

  startEmpty(): void {
    this.#start(IDLE, 0, Infinity)
    this.done = true
  }

  startLength(length: number): void {
    this.#start(LENGTH, length, Infinity)
    this.done = length === 0
  }

  /** `limit` in body bytes; a chunk that would pass it is a fault before any of it is handed on. */
  startChunked(limit = Infinity): void {
    this.#start(CHUNK_SIZE, 0, limit)
  }

  startUntilClose(): void {
    this.#start(UNTIL_CLOSE, 0, Infinity)
  }

  #start(state: number, remaining: number, limit: number): void {
    this.#state = state
    this.#remaining = remaining
    this.#limit = limit
    this.#line = this.trailers = ''
    this.#extensions = 0
    this.size = 0
    this.done = false
    this.fault = undefined
  }

  /** True when the end of the connection ends the body well. */
  get endsWithConnection(): boolean {
    return this.#state === UNTIL_CLOSE
  }

  /** Reads what belongs to the body and answers the index after it. Stops at the end of the body or at a fault. */
  read(buffer: Buffer, start: number, end: number, sink: BodySink): number {
    let position = start
    while (position < end && !this.done && this.fault === undefined) {
      switch (this.#state) {
        case LENGTH:
        case CHUNK_DATA:
          position = this.#readData(buffer, position, Math.min(end, position + this.#remaining), sink)
          break
        case UNTIL_CLOSE:
          this.size += end - position
          sink.bodyData(buffer, position, end)
          return end
        case CHUNK_CR:
          position = this.#expect(buffer, position, CR, CHUNK_LF)
          break
        case CHUNK_LF:
          position = this.#expect(buffer, position, LF, CHUNK_SIZE)
          break
        default:
          position = this.#readLine(buffer, position, end)
      }
    }
    return position
  }

  #readData(buffer: Buffer, start: number, end: number, sink: BodySink): number {
    const count = end - start
    this.#remaining -= count
    this.size += count
    if (this.#remaining === 0) {
      if (this.#state === LENGTH) this.done = true
      else this.#state = CHUNK_CR
    }
    sink.bodyData(buffer, start, end)
    return end
  }

  #expect(buffer: Buffer, position: number, byte: number, next: number): number {
    if (buffer[position] !== byte) this.fault = 'malformed'
    this.#state = next
    return position + 1
  }

  #readLine(buffer: Buffer, start: number, end: number): number {
    // Not indexOf: the buffer may hold older bytes after `end`.
    let lineFeed = start
    const last = Math.min(end, start + LINE_LIMIT - this.#line.length)
    while (lineFeed < last && buffer[lineFeed] !== LF) lineFeed++
    this.#line += buffer.toString('latin1', start, lineFeed)
    if (lineFeed === last) {
      if (this.#line.length >= LINE_LIMIT) this.fault = this.#state === CHUNK_SIZE ? 'malformed' : 'too-large'
      return last
    }
    const line = this.#line
    this.#line = ''
    if (line.charCodeAt(line.length - 1) !== CR) this.fault = 'malformed'
    else if (this.#state === CHUNK_SIZE) this.#sizeLine(line.slice(0, -1))
    else this.#trailer(line.slice(0, -1))
    return lineFeed + 1
  }

  #sizeLine(line: string): void {
    const match = SIZE_LINE.exec(line)
    if (match === null) {
      this.fault = 'malformed'
      return
    }
    const size = Number.parseInt(match[1] ?? '', 16)
    this.#extensions += match[2]?.length ?? 0
    if (this.#extensions > EXTENSIONS_LIMIT || this.size + size > this.#limit) this.fault = 'too-large'
    this.#remaining = size
    this.#state = size === 0 ? TRAILERS : CHUNK_DATA
  }

  #trailer(line: string): void {
    if (line === '') {
      this.done = true
      return
    }
    const forwarded = trailerLine(line)
    if (forwarded === undefined) this.fault = 'malformed'
    else if (this.trailers.length + line.length > TRAILERS_LIMIT) this.fault = 'too-large'
    else this.trailers += forwarded
    // Dropped lines count too: a body must not end in an endless trailer section.
    this.#extensions += line.length
    if (this.#extensions > EXTENSIONS_LIMIT + TRAILERS_LIMIT) this.fault = 'too-large'
  }
}
