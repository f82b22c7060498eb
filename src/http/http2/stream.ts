// One stream of a connection: what its message may still be, what waits to go out, and what came while its reader was paused.
import { ByteQueue } from './byte-queue.ts'
import { PROTOCOL_ERROR, type ErrorCode } from './error-code.ts'
import type { FieldList } from './field-list.ts'
import { LARGEST_WINDOW, windowUpdateText } from './frame-text.ts'
import type { StreamHandler } from './handlers.ts'
import type { StreamHome } from './stream-home.ts'

/** Bytes that go out before it is another stream's turn. */
const TURN = 64 * 1024

export class Http2Stream {
  readonly id: number
  handler: StreamHandler
  /** The peer has sent its last frame of the message. */
  received = false
  /** We have. */
  sent = false
  /** Not among the connection's streams any more. */
  closed = false
  /** The final head has come. */
  headReceived = false
  /** Something came for it in this turn. */
  touched = false
  /** Bytes that the peer takes. */
  sendWindow: number
  /** When it could last send, or began to wait. */
  progressAt = 0
  readonly #home: StreamHome
  /** A response without a body, whatever length it states. */
  readonly #toHead: boolean
  /** Bytes that the peer may send. */
  #receiveWindow: number
  #consumed = 0
  /** Of the body, by its Content-Length; -1: it has none. */
  #expected = -1
  #paused = false
  /** The handler wants no more. */
  #deaf = false
  readonly #inbound = new ByteQueue()
  /** The message has ended behind `#inbound`. */
  #endWaits = false
  #trailers: FieldList | undefined
  readonly #outbound = new ByteQueue()
  /** Ends the stream behind `#outbound`: a block of trailers, empty for none. */
  #endBlock: string | undefined

  constructor(home: StreamHome, id: number, handler: StreamHandler, toHead: boolean) {
    this.id = id
    this.#home = home
    this.handler = handler
    this.#toHead = toHead
    this.sendWindow = home.outflow.initialWindow
    this.#receiveWindow = home.streamWindow
  }

  // === out

  /** More was handed over, here or by others, than the windows and the socket take; who was told so hears `drained` when that has ended. */
  get full(): boolean {
    // With its end out nothing of it is left to wait for, and nobody would be told that it went.
    if (this.closed || this.sent) return false
    const { outflow } = this.#home
    if (!this.waits && !outflow.writer.full) return false
    outflow.wait(this)
    return true
  }

  /** Body bytes wait for the peer. */
  get waits(): boolean {
    return this.#outbound.size > 0
  }

  /** Body bytes handed over that wait for the peer. */
  get unsent(): number {
    return this.#outbound.size
  }

  /** A header block from `hpack/encoder.ts`: a request, an interim response or a final one. */
  sendHead(block: string, endStream: boolean): void {
    if (this.closed || this.sent) return
    this.#home.writeHead(this, block, endStream)
    if (endStream) this.#hasSent()
  }

  /** Copies what the windows do not allow yet. */
  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.closed || this.sent || this.#endBlock !== undefined) return
    const { outflow } = this.#home
    const position = this.waits || (start === end && !endStream) ? start : outflow.send(this, buffer, start, end, endStream)
    if (position < end) this.#keep(buffer, position, end, endStream)
    else if (endStream && !this.waits) return this.#hasSent()
    else if (endStream) this.#endBlock = ''
  }

  /** latin1: bodies of our own. */
  sendText(text: string, endStream: boolean): void {
    if (this.closed || this.sent || this.#endBlock !== undefined) return
    if (!this.waits && this.#home.outflow.sendText(this, text, endStream)) {
      if (endStream) this.#hasSent()
      return
    }
    const bytes = Buffer.from(text, 'latin1')
    this.sendData(bytes, 0, bytes.length, endStream)
  }

  /** After data; `trailers` is a header block, empty: none. */
  sendEnd(trailers: string): void {
    if (this.closed || this.sent || this.#endBlock !== undefined) return
    if (this.waits) this.#endBlock = trailers
    else this.#writeEnd(trailers)
  }

  #writeEnd(trailers: string): void {
    if (trailers === '') this.#home.outflow.sendText(this, '', true)
    else this.#home.writeHead(this, trailers, true)
    this.#hasSent()
  }

  #keep(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (!this.waits) this.progressAt = this.#home.now
    this.#outbound.push(buffer, start, end)
    if (endStream) this.#endBlock = ''
    this.#home.outflow.wait(this)
  }

  /** For Outflow: some of what waits. False: nothing went out. */
  sendWaiting(): boolean {
    const waiting = this.#outbound
    const first = waiting.first()
    if (first === undefined) return false
    const last = this.#endBlock === '' && first.length === waiting.size
    const sent = this.#home.outflow.send(this, first, 0, first.length, last, TURN)
    if (sent === 0) return false
    this.progressAt = this.#home.now
    waiting.take(sent)
    if (this.waits) return true
    if (last) this.#hasSent()
    else if (this.#endBlock !== undefined) this.#writeEnd(this.#endBlock)
    return true
  }

  /** For Outflow: what it waited for has come, or all of it is out. */
  tellDrained(): void {
    if (!this.#deaf) this.handler.drained()
  }

  #hasSent(): void {
    this.sent = true
    if (this.received) this.#home.completed(this)
  }

  /** False: the window would be larger than may be. */
  widen(increment: number): boolean {
    this.sendWindow += increment
    return this.sendWindow <= LARGEST_WINDOW
  }

  // === in

  /** Body bytes that wait for their reader. */
  get unread(): number {
    return this.#inbound.size
  }

  /** The final head, well-formed as far as it goes. */
  receiveHead(list: FieldList, endStream: boolean): void {
    this.headReceived = true
    const bodiless = this.#toHead || list.status === 204 || list.status === 304
    // Whatever length it states, none of it may come: on a wire that ends bodies by their length it would be the next response.
    this.#expected = bodiless ? 0 : list.contentLength
    if (endStream && this.#expected > 0) return this.#malformed()
    if (endStream) this.received = true
    this.handler.head(list, endStream)
    if (endStream && this.sent) this.#home.completed(this)
  }

  /** The head of a DATA frame. False: more than the window allows. */
  takeWindow(length: number): boolean {
    this.#receiveWindow -= length
    return this.#receiveWindow >= 0
  }

  receiveData(buffer: Buffer, start: number, end: number): void {
    const size = end - start
    if (this.#expected >= 0) {
      if (size > this.#expected) {
        this.#home.consumed(size)
        return this.#malformed()
      }
      this.#expected -= size
    }
    if (this.#deaf) this.consume(size)
    else if (this.#paused || this.#inbound.size > 0) this.#inbound.push(buffer, start, end)
    else {
      this.handler.data(buffer, start, end)
      this.consume(size)
    }
  }

  /** Body or padding: both take of the window. */
  consume(bytes: number): void {
    this.#home.consumed(bytes)
    this.#consumed += bytes
    this.#giveBack()
  }

  /** The peer has learnt that its window is smaller by so much. */
  narrow(bytes: number): void {
    this.#receiveWindow -= bytes
  }

  #giveBack(): void {
    if (this.#paused || this.received || this.closed || this.#consumed < this.#home.streamWindow / 2) return
    this.#home.writeText(windowUpdateText(this.id, this.#consumed))
    this.#receiveWindow += this.#consumed
    this.#consumed = 0
  }

  receiveEnd(trailers: FieldList | undefined): void {
    if (this.#expected > 0) return this.#malformed()
    this.received = true
    if (this.#deaf) {
      // Nobody listens.
    } else if (this.#paused || this.#inbound.size > 0) {
      this.#endWaits = true
      this.#trailers = trailers?.copy()
    } else this.handler.end(trailers)
    if (this.sent) this.#home.completed(this)
  }

  #malformed(): void {
    this.#home.refuse(this, PROTOCOL_ERROR)
  }

  /** No `data` and no `end` until resumed. What the peer may still send waits here, bounded by the stream's window. */
  pauseReading(): void {
    this.#paused = true
  }

  /** Delivers what waits, from within the call. */
  resumeReading(): void {
    if (!this.#paused) return
    this.#paused = false
    const inbound = this.#inbound
    while (!this.#paused && !this.#deaf) {
      const bytes = inbound.first()
      if (bytes === undefined) break
      inbound.take(bytes.length)
      this.handler.data(bytes, 0, bytes.length)
      this.consume(bytes.length)
    }
    if (this.#paused || this.#deaf) return
    this.#giveBack()
    if (!this.#endWaits) return
    this.#endWaits = false
    this.handler.end(this.#trailers)
    this.#trailers = undefined
  }

  // === the end

  /** Neither side says any more; the handler is not told. Nothing happens if both had ended. */
  reset(code: ErrorCode): void {
    this.#silence()
    if (!this.closed) this.#home.giveUp(this, code)
  }

  /** Nobody waits for what came and was not read. */
  #dropUnread(): void {
    const dropped = this.#inbound.size
    this.#inbound.clear()
    this.#endWaits = false
    this.#trailers = undefined
    if (dropped > 0) this.#home.consumed(dropped)
  }

  /** For the connection: the stream is gone without its handler's doing. */
  fail(code: ErrorCode, unprocessed: boolean): void {
    // A response that is here in full is delivered, whatever became of the request (RFC 9113 section 8.1).
    if (this.#endWaits && this.#home.role === 'client') return this.#dropUnsent()
    const heard = this.#deaf
    this.#silence()
    if (!heard) this.handler.reset(code, unprocessed)
  }

  #silence(): void {
    this.#deaf = true
    this.#dropUnsent()
    this.#dropUnread()
  }

  #dropUnsent(): void {
    this.#outbound.clear()
    this.#endBlock = undefined
    this.#home.outflow.forget(this)
  }
}
