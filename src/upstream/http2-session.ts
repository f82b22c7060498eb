// One connection of HTTP/2 to an endpoint, and the requests that wait for it to come up. Which session a request goes to, the pool decides.
import type { Socket } from 'node:net'
import type { FailureKind } from '../base/failure.ts'
import { Timer } from '../base/timer-wheel.ts'
import { ResponseHead } from '../http/http1/response-head.ts'
import { Http2Connection } from '../http/http2/connection.ts'
import { NO_ERROR, type ErrorCode } from '../http/http2/error-code.ts'
import type { Http2Owner } from '../http/http2/handlers.ts'
import type { Http2Stream } from '../http/http2/stream.ts'
import { SocketReader } from '../http/read-buffers.ts'
import { SocketWriter } from '../http/socket-writer.ts'
import type { UpstreamContext } from './context.ts'
import type { Dialled } from './dial.ts'
import type { Http2Pool } from './http2-pool.ts'
import type { Http2Request } from './http2-request.ts'
import { sessionSettings } from './http2-session-settings.ts'

export class Http2Session implements Http2Owner, Dialled {
  readonly context: UpstreamContext
  readonly tls: boolean
  /** A response came over it. */
  served = false
  /** For all its responses, valid during a call. */
  readonly head = new ResponseHead()
  readonly #pool: Http2Pool
  readonly #socket: Socket
  readonly #writer: SocketWriter
  readonly #timer: Timer
  readonly #waiting = new Set<Http2Request>()
  #connection: Http2Connection | undefined
  #closed = false
  /** For coming up. */
  #deadline = 0
  #retires = false

  /** `patience`: milliseconds that it may take to come up. */
  constructor(pool: Http2Pool, context: UpstreamContext, tls: boolean, patience: number) {
    this.#pool = pool
    this.context = context
    this.tls = tls
    this.#timer = new Timer(context.wheel, this)
    const reader = new SocketReader(context.buffers, (buffer, count) => {
      this.#connection?.received(buffer, 0, count)
      return false
    })
    this.#socket = pool.dial(reader.onread, this)
    this.#writer = new SocketWriter(this.#socket, context.buffers, context.turn)
    this.#socket.on('drain', () => this.#drained())
    this.#socket.on('end', () => this.#close('connect-failed'))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => this.#close('connect-failed'))
    this.#allow(patience)
  }

  get connecting(): boolean {
    return this.#connection === undefined && !this.#closed
  }

  /** It is not that the peer has reset single streams. */
  get lost(): boolean {
    return this.#closed || this.#connection?.over === true
  }

  /** Requests that wait for it. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Takes another stream now, and what is written for it: what does not get out to the peer would wait here, and in vain if it is dead. */
  get available(): boolean {
    return this.#connection?.available === true && !this.#writer.full
  }

  /** Up, without a stream. */
  get unused(): boolean {
    return this.#connection?.streams === 0
  }

  /** It hears `ready`, or `sessionFailed`. `patience`: milliseconds that it may take at most to come up. */
  await(request: Http2Request, patience: number): void {
    this.#waiting.add(request)
    if (this.connecting) this.#allow(patience)
  }

  /** The longest that one of those who wait for it would wait. */
  #allow(patience: number): void {
    const deadline = this.context.wheel.now + patience
    if (deadline <= this.#deadline) return
    this.#deadline = deadline
    this.#timer.set(patience)
  }

  /** The request is over, whether it waited or had its stream. */
  left(request: Http2Request): void {
    this.#waiting.delete(request)
  }

  openStream(request: Http2Request, block: string, endStream: boolean, toHead: boolean): Http2Stream | undefined {
    this.#timer.clear()
    return this.#connection?.openStream(request, block, endStream, toHead)
  }

  flush(): void {
    this.#writer.flush()
  }

  /** No further streams; it closes with the last one. */
  retire(): void {
    this.#retires = true
    if (this.#connection !== undefined) this.#connection.goAway()
    else if (this.#waiting.size === 0) this.#close('connect-failed')
  }

  // === from the dial

  connected(): void {
    if (this.#closed) return
    const { context } = this
    this.#connection = new Http2Connection('client', { settings: sessionSettings(context), writer: this.#writer, wheel: context.wheel }, this)
    this.#awaitStream()
    this.#serve()
    if (this.#retires) this.retire()
    this.#pool.serveQueue()
  }

  refused(kind: FailureKind): void {
    this.#close(kind)
  }

  /** Those that wait for it; whom it has no room for goes elsewhere. */
  #serve(): void {
    for (const request of this.#waiting) {
      if (!this.available) return this.#pool.rehouse(this.#waiting)
      this.#waiting.delete(request)
      request.ready()
    }
  }

  #drained(): void {
    const connection = this.#connection
    if (connection === undefined || connection.over) return
    connection.drained()
    this.streamsAvailable()
  }

  // === from the connection

  opened(): never {
    throw new Error('the peer of a client opens no streams')
  }

  idle(): void {
    this.#awaitStream()
  }

  streamsAvailable(): void {
    if (this.#waiting.size > 0) this.#serve()
    this.#pool.serveQueue()
  }

  goingAway(): void {
    this.#pool.leaves(this)
  }

  ended(code: ErrorCode): void {
    if (code === NO_ERROR) this.#socket.end()
    else this.#socket.destroySoon()
    this.#timer.set(this.context.timeouts.connect)
    this.#pool.leaves(this)
  }

  #awaitStream(): void {
    this.#timer.set(this.context.pool.idleTimeout)
  }

  timedOut(): void {
    if (this.#connection === undefined) this.#close('connect-timeout')
    else if (this.#connection.usable) this.#connection.goAway()
    else this.#socket.destroy()
  }

  #close(kind: FailureKind): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer.drop()
    this.#pool.closed(this)
    this.#socket.destroy()
    this.#connection?.closed()
    for (const request of this.#waiting) request.sessionFailed(kind)
    this.#pool.serveQueue()
  }
}
