// The request side of one HTTP/1.x connection: finds heads and bodies in what the client sends, in order, one request at a time.
// What comes ahead of its turn waits in a bounded buffer, then in the kernel. Knows no exchange.
import type { Socket } from 'node:net'
import type { FailureKind } from '../base/failure.ts'
import { BodyReader } from '../http/http1/body-reader.ts'
import type { HeadScan } from '../http/http1/head-scan.ts'
import { RequestHeadReader } from '../http/http1/request-head-reader.ts'
import type { RequestHead } from '../http/http1/request-head.ts'
import type { Limits } from '../model/settings.ts'
import { ReadAhead } from './read-ahead.ts'

export interface RequestOwner {
  /** Responses wait to be taken: no further request is begun. */
  readonly full: boolean
  /** `scan` is valid until anything else is read. The owner says what follows: `startBody`, or nothing. */
  headRead(scan: HeadScan): void
  /** The first bytes of a head that is not complete. */
  headBegun(): void
  headFailed(kind: FailureKind): void
  bodyData(buffer: Buffer, start: number, end: number): void
  /** So many bytes of the body were read, framing included, and it goes on. */
  bodyRead(count: number): void
  bodyEnd(count: number, trailers: string): void
  bodyFailed(kind: FailureKind): void
  /** After `stop`. */
  surplus(buffer: Buffer, start: number, end: number): void
  /** All that arrived at once was handed over. */
  turnEnd(): void
}

/** `busy`: the request is read, its response is not complete. `stopped`: bytes are no requests any more. */
type State = 'head' | 'body' | 'busy' | 'stopped'

/** Bytes read ahead of the request in flight. */
const MOST_AHEAD = 16 * 1024

export class RequestReader {
  state: State = 'head'
  /** Within `received`: `turnEnd` is to come. */
  reading = false
  /** The body is read and forgotten. */
  discarding = false
  readonly #owner: RequestOwner
  readonly #limits: Limits
  readonly #ahead: ReadAhead
  readonly #head: RequestHeadReader
  readonly #body = new BodyReader()
  #blocked = false

  constructor(socket: Socket, limits: Limits, owner: RequestOwner) {
    this.#owner = owner
    this.#limits = limits
    this.#ahead = new ReadAhead(socket)
    this.#head = new RequestHeadReader(limits)
  }

  /** Bytes of a head that is not complete. */
  get headBytes(): number {
    return this.#head.pending
  }

  get hasAhead(): boolean {
    return this.#ahead.waiting
  }

  get blocked(): boolean {
    return this.#blocked
  }

  /** The bytes are valid during the call only. True: they were within a body, or no request. */
  received(buffer: Buffer, count: number): boolean {
    if (!this.#ahead.waiting) this.#read(buffer, 0, count)
    else {
      const joined = this.#ahead.with(buffer, count)
      this.#read(joined, 0, joined.length)
    }
    return this.state === 'body' || this.state === 'stopped'
  }

  #read(buffer: Buffer, start: number, end: number): void {
    this.reading = true
    let position = start
    while (position < end) {
      if (this.state === 'head' && !this.#owner.full) position = this.#readHead(buffer, position, end)
      else if (this.state === 'body' && !this.#blocked) position = this.#readBody(buffer, position, end)
      else {
        this.#readOther(buffer, position, end)
        break
      }
    }
    this.reading = false
    this.#owner.turnEnd()
  }

  #readOther(buffer: Buffer, start: number, end: number): void {
    if (this.state === 'stopped') return this.#owner.surplus(buffer, start, end)
    // A body that waits for its backend, or requests sent ahead.
    this.#ahead.hold(buffer, start, end)
    if (this.state !== 'busy' || end - start > MOST_AHEAD) this.#ahead.pause()
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    const reader = this.#head
    const first = reader.pending === 0
    const position = reader.read(buffer, start, end)
    if (reader.head !== undefined) {
      this.state = 'busy'
      this.#blocked = this.discarding = false
      this.#owner.headRead(reader.head)
    } else if (reader.fault !== undefined) this.#owner.headFailed(reader.fault)
    else if (first) this.#owner.headBegun()
    return position
  }

  /** The head that was read announces a body. */
  startBody({ framing, contentLength }: RequestHead): void {
    const { bodyBytes } = this.#limits
    if (framing === 'chunked') this.#body.startChunked(bodyBytes > 0 ? bodyBytes : Infinity)
    else this.#body.startLength(contentLength)
    if (!this.#body.done) this.state = 'body'
  }

  #readBody(buffer: Buffer, start: number, end: number): number {
    const position = this.#body.read(buffer, start, end, this)
    const { done, fault, trailers } = this.#body
    if (fault !== undefined) {
      this.#owner.bodyFailed(fault === 'too-large' ? 'body-too-large' : 'bad-request')
      return end
    }
    if (done) {
      this.state = 'busy'
      this.#owner.bodyEnd(position - start, trailers)
    } else this.#owner.bodyRead(position - start)
    return position
  }

  bodyData(buffer: Buffer, start: number, end: number): void {
    if (!this.discarding) this.#owner.bodyData(buffer, start, end)
  }

  /** Forgets what came of a head that can't become one. */
  dropHead(): void {
    this.#head.clear()
    this.state = 'busy'
  }

  /** Holds the body back. */
  block(): void {
    if (this.state === 'body') this.#blocked = true
  }

  unblock(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.goOn()
  }

  /** The response is complete: the next head may come, or be here. */
  next(): void {
    this.state = 'head'
    if (this.#ahead.waiting || this.#ahead.paused) this.goOn()
  }

  /** Goes on with what had to wait. */
  goOn(): void {
    if (this.reading) return
    const held = this.#ahead.take()
    if (held !== undefined) this.#read(held, 0, held.length)
    if (!this.#ahead.waiting) this.#ahead.resume()
  }

  /** What comes now and what waits is no request. `forget`: nor anything else. */
  stop(forget: boolean): void {
    this.state = 'stopped'
    if (forget) this.#ahead.take()
  }

  pause(): void {
    this.#ahead.pause()
  }

  resume(): void {
    this.#ahead.resume()
  }
}
