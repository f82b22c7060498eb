// Puts a header block together from HEADERS and CONTINUATION frames (RFC 9113 section 4.3, 6.2, 6.10). Bounded in bytes and in frames.
import { ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, NO_ERROR, PROTOCOL_ERROR, type ErrorCode } from './error-code.ts'
import { END_HEADERS, PADDED, WITH_PRIORITY } from './frame-text.ts'

const NOTHING = Buffer.alloc(0)

export class HeaderBlock {
  /** Of the stream whose block has begun and not ended; 0: none. */
  id = 0
  /** Of the HEADERS frame. */
  flags = 0
  /** CONTINUATION frames so far. */
  continuations = 0
  /** The stream depends on itself. */
  selfDependent = false
  /** Where the block lies, once it is whole. */
  buffer: Buffer = NOTHING
  start = 0
  end = 0
  readonly #mostBytes: number

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** A HEADERS frame. The block is whole if `id` is 0 afterwards. */
  begin(flags: number, id: number, buffer: Buffer, frameStart: number, frameEnd: number): ErrorCode {
    let start = frameStart
    let end = frameEnd
    this.flags = flags
    this.selfDependent = false
    if ((flags & PADDED) !== 0) {
      if (end === start) return FRAME_SIZE_ERROR
      end -= buffer[start++] ?? 0
      if (end < start) return PROTOCOL_ERROR
    }
    if ((flags & WITH_PRIORITY) !== 0) {
      if (end - start < 5) return FRAME_SIZE_ERROR
      this.selfDependent = (buffer.readUInt32BE(start) & 0x7fffffff) === id
      start += 5
    }
    this.buffer = buffer
    this.start = start
    this.end = end
    if ((flags & END_HEADERS) !== 0) return NO_ERROR
    this.id = id
    this.continuations = 0
    this.buffer = Buffer.from(buffer.subarray(start, end))
    this.start = 0
    this.end = end - start
    return this.end > this.#mostBytes ? ENHANCE_YOUR_CALM : NO_ERROR
  }

  /** A CONTINUATION frame of the same stream. */
  goOn(flags: number, buffer: Buffer, start: number, end: number): ErrorCode {
    this.continuations++
    const size = end - start
    if (this.end + size > this.#mostBytes) return ENHANCE_YOUR_CALM
    if (this.end + size > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#mostBytes, 2 * (this.end + size)))
      this.buffer.copy(larger, 0, 0, this.end)
      this.buffer = larger
    }
    buffer.copy(this.buffer, this.end, start, end)
    this.end += size
    if ((flags & END_HEADERS) !== 0) this.id = 0
    return NO_ERROR
  }

  clear(): void {
    this.buffer = NOTHING
  }
}
