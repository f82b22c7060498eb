// Flow control for what we send: the peer's windows, and the streams that wait for them or for the socket.
import type { SocketWriter } from '../socket-writer.ts'
import { DATA, END_STREAM, frameHead, INITIAL_WINDOW, LARGEST_WINDOW, SMALLEST_FRAME_LIMIT } from './frame-text.ts'
import type { Http2Stream } from './stream.ts'

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

  /** Writes what the windows allow, at most `most` frames; answers where it stopped. `last`: the stream ends with `end`. */
  send(stream: Http2Stream, buffer: Buffer, start: number, end: number, last: boolean, most = Infinity): number {
    let position = start
    let left = most
    do {
      const rest = end - position
      const size = Math.min(rest, this.window, stream.sendWindow, this.frameBytes)
      if ((size <= 0 && rest > 0) || left-- <= 0) return position
      const ends = last && size === rest
      this.writer.bytes(buffer, position, position + size, frameHead(size, DATA, ends ? END_STREAM : 0, stream.id))
      this.#sent(stream, size)
      position += size
    } while (position < end)
    this.writer.flushSoon()
    return position
  }

  /** Likewise, all or nothing, for text that fits into one frame. */
  sendText(stream: Http2Stream, text: string, last: boolean): boolean {
    const size = text.length
    if (size > 0 && size > Math.min(this.window, stream.sendWindow, this.frameBytes)) return false
    this.writer.text(frameHead(size, DATA, last ? END_STREAM : 0, stream.id) + text)
    this.#sent(stream, size)
    this.writer.flushSoon()
    return true
  }

  #sent(stream: Http2Stream, size: number): void {
    this.frames++
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

  /** Sends what can be sent now: streams take turns, a frame each. */
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
