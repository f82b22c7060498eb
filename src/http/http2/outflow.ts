// Flow control for what we send: the peer's windows, and the streams that wait for them or for the socket.
import type { SocketWriter } from '../socket-writer.ts'
import { DATA, END_STREAM, frameHead, HEAD_BYTES, INITIAL_WINDOW, LARGEST_WINDOW, SMALLEST_FRAME_LIMIT } from './frame-text.ts'
import type { Http2Stream } from './stream.ts'

/** Up to here a body goes out with the turn's text: see SocketWriter. */
const SMALL = 4096

export class Outflow {
  /** Of the connection. */
  window = INITIAL_WINDOW
  /** What a stream begins with. */
  initialWindow = INITIAL_WINDOW
  /** Largest payload that the peer takes. */
  frameBytes = SMALLEST_FRAME_LIMIT
  /** DATA frames so far. */
  frames = 0
  readonly writer: SocketWriter
  readonly #waiting = new Set<Http2Stream>()

  readonly #began: () => void

  /** `began` is called when streams begin to wait. */
  constructor(writer: SocketWriter, began: () => void) {
    this.writer = writer
    this.#began = began
  }

  /** Streams that wait. */
  get waiting(): ReadonlySet<Http2Stream> {
    return this.#waiting
  }

  /** Writes what the windows allow, at most `most` bytes; answers where it stopped. `last`: the stream ends with `end`. */
  send(stream: Http2Stream, buffer: Buffer, start: number, end: number, last: boolean, most = Infinity): number {
    const size = Math.max(0, Math.min(end - start, this.window, stream.sendWindow, most))
    if (size === 0 && end > start) return start
    const ends = last && size === end - start
    if (size <= SMALL && size <= this.frameBytes) {
      this.writer.bytes(buffer, start, start + size, frameHead(size, DATA, ends ? END_STREAM : 0, stream.id))
      this.#sent(stream, size, 1)
    } else this.#sendLarge(stream, buffer, start, size, ends)
    this.writer.flushSoon()
    return start + size
  }

  /** All of its frames in one piece: TLS would copy several into one, and the kernel takes one sooner. */
  #sendLarge(stream: Http2Stream, buffer: Buffer, start: number, size: number, ends: boolean): void {
    const frames = Math.ceil(size / this.frameBytes)
    const { writer } = this
    const whole = writer.beginPiece(size + frames * HEAD_BYTES)
    let position = writer.pieceStart
    for (let sent = 0; sent < size; ) {
      const count = Math.min(size - sent, this.frameBytes)
      position += whole.write(frameHead(count, DATA, ends && sent + count === size ? END_STREAM : 0, stream.id), position, 'latin1')
      position += buffer.copy(whole, position, start + sent, start + sent + count)
      sent += count
    }
    writer.endPiece(whole, position)
    this.#sent(stream, size, frames)
  }

  /** Likewise, all or nothing, for text that fits into one frame. */
  sendText(stream: Http2Stream, text: string, last: boolean): boolean {
    const size = text.length
    if (size > 0 && size > Math.min(this.window, stream.sendWindow, this.frameBytes)) return false
    this.writer.text(frameHead(size, DATA, last ? END_STREAM : 0, stream.id) + text)
    this.#sent(stream, size, 1)
    this.writer.flushSoon()
    return true
  }

  #sent(stream: Http2Stream, size: number, frames: number): void {
    this.frames += frames
    this.window -= size
    stream.sendWindow -= size
  }

  /** False: the window would be larger than may be. */
  widen(increment: number): boolean {
    this.window += increment
    if (this.window > LARGEST_WINDOW) return false
    this.pump()
    return true
  }

  wait(stream: Http2Stream): void {
    this.#waiting.add(stream)
    if (this.#waiting.size === 1) this.#began()
  }

  forget(stream: Http2Stream): void {
    this.#waiting.delete(stream)
  }

  /** Sends what can be sent now: streams take turns. */
  pump(): void {
    if (this.#waiting.size === 0) return
    const ready: Http2Stream[] = []
    for (const stream of this.#waiting) {
      if (this.writer.full) break
      const progress = stream.sendWaiting()
      if (stream.waits && !progress) continue
      this.#waiting.delete(stream)
      // Behind the others: this loop comes by again.
      if (stream.waits) this.#waiting.add(stream)
      else ready.push(stream)
    }
    this.writer.flushSoon()
    for (const stream of ready) stream.tellDrained()
  }
}
