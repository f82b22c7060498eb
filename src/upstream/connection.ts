// One HTTP/1.1 connection to an endpoint: writes a request, reads its response, and decides whether it may be used again.
// Any doubt about where a response ends closes it. Knows the exchange as a ResponseSink only.
import type { Socket } from 'node:net'
import type { FailureKind } from '../base/failure.ts'
import { Timer } from '../base/timer-wheel.ts'
import { BodyReader } from '../http/http1/body-reader.ts'
import type { RequestHead } from '../http/http1/request-head.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { ResponseHeadReader } from '../http/http1/response-head-reader.ts'
import { isOffered } from '../http/http1/upgrade.ts'
import { SocketReader } from '../http/read-buffers.ts'
import { SocketEnd } from '../http/socket-end.ts'
import { SocketWriter } from '../http/socket-writer.ts'
import type { Tunnel, TunnelEnd } from '../http/tunnel.ts'
import type { UpstreamContext } from './context.ts'
import type { Dialled } from './dial.ts'
import type { Http1Pool } from './http1-pool.ts'
import type { UpstreamRequest, UpstreamTunnel } from './request.ts'
import { requestText } from './request-text.ts'
import type { ResponseSink, UpstreamTimeouts } from './response-sink.ts'

type State = 'connecting' | 'idle' | 'head' | 'body' | 'tunnel' | 'closed'

const MOST_INTERIM = 16
/** Milliseconds by which we end an idle connection before the backend says it would. */
const IDLE_MARGIN = 1000

export class UpstreamConnection implements UpstreamRequest, UpstreamTunnel, Dialled {
  readonly pool: Http1Pool
  readonly socket: Socket
  reused = false
  /** Requests whose response came to its end. */
  served = 0
  /** By the wheel. */
  readonly bornAt: number
  requestComplete = false
  responseStarted = false
  readonly resetCode = 0
  readonly mayRefuse = false
  tunnel: Tunnel | undefined
  #state: State = 'connecting'
  #sink: ResponseSink | undefined
  #toHead = false
  /** What the request offers. */
  #upgrade = ''
  #chunked = false
  #interim = 0
  #deadline: 'connect' | 'read' | 'send' | 'idle' | 'none' = 'connect'
  readonly #writer: SocketWriter
  readonly #reader: ResponseHeadReader
  readonly #body = new BodyReader()
  readonly #timer: Timer
  readonly #context: UpstreamContext
  /** Of the present request. */
  #timeouts: UpstreamTimeouts

  constructor(pool: Http1Pool, context: UpstreamContext, sink: ResponseSink) {
    this.pool = pool
    this.#context = context
    this.#sink = sink
    this.#timeouts = sink.timeouts
    this.#timer = new Timer(context.wheel, this)
    this.#reader = new ResponseHeadReader(context)
    this.socket = pool.dial(new SocketReader(context.buffers, (buffer, count) => this.#received(buffer, count)).onread, this)
    this.#writer = new SocketWriter(this.socket, context.buffers, context.turn)
    this.socket.on('drain', () => this.#drained())
    this.socket.on('end', () => this.#ended())
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => this.#closed())
    this.#timer.set(this.#timeouts.connect)
    this.bornAt = context.wheel.now
  }

  get full(): boolean {
    return this.#writer.full
  }

  sendHead(sink: ResponseSink, request: RequestHead, requestId: string, originFields: string): void {
    this.#sink = sink
    this.#timeouts = sink.timeouts
    this.#toHead = request.method === 'HEAD'
    this.#upgrade = request.upgrade
    this.#chunked = request.framing === 'chunked'
    this.#interim = 0
    this.#state = 'head'
    this.requestComplete = this.responseStarted = false
    this.#writer.text(requestText(request, requestId, originFields))
  }

  sendData(buffer: Buffer, start: number, end: number): void {
    if (this.#chunked) this.#writer.bytes(buffer, start, end, `${(end - start).toString(16)}\r\n`, '\r\n')
    else this.#writer.bytes(buffer, start, end)
  }

  sendEnd(trailers: string): void {
    if (this.#chunked) this.#writer.text(`0\r\n${trailers}\r\n`)
    this.requestComplete = true
  }

  flush(): void {
    this.#writer.flush()
  }

  flushSoon(): void {
    this.#writer.flushSoon()
  }

  awaitResponse(): void {
    this.#deadline = 'read'
    this.#timer.set(this.#timeouts.read)
  }

  awaitRequest(): void {
    this.#deadline = 'none'
    this.#timer.clear()
  }

  awaitDrain(): void {
    this.#deadline = 'send'
    this.#timer.set(this.#timeouts.send)
  }

  pauseReading(): void {
    this.#timer.clear()
    this.socket.pause()
  }

  resumeReading(): void {
    if (this.#deadline === 'read') this.awaitResponse()
    this.socket.resume()
  }

  tunnelEnd(): TunnelEnd {
    return new SocketEnd(this.socket, this.#writer, this)
  }

  /** The tunnel keeps time. */
  startTunnel(tunnel: Tunnel): void {
    this.tunnel = tunnel
    this.awaitRequest()
  }

  destroy(): void {
    this.#sink = undefined
    this.#fail('client-gone')
  }

  timedOut(): void {
    if (this.#state === 'connecting') this.#fail('connect-timeout')
    else if (this.#deadline === 'idle') this.destroy()
    else this.#fail('response-timeout')
  }

  connected(): void {
    const sink = this.#sink
    if (this.#state !== 'connecting' || sink === undefined) return
    sink.upstreamReady(this)
  }

  refused(kind: FailureKind): void {
    this.#fail(kind)
  }

  #drained(): void {
    if (this.tunnel !== undefined) this.tunnel.upstreamDrained()
    else this.#sink?.upstreamDrained()
  }

  #received(bytes: Buffer, count: number): boolean {
    if (this.tunnel !== undefined) this.tunnel.fromUpstream(bytes, 0, count)
    else if (this.#state === 'head' || this.#state === 'body') this.#read(bytes, count)
    // Bytes that nobody asked for must never become the answer to the next request.
    else if (this.#state !== 'closed') this.destroy()
    return this.#state === 'body' || this.tunnel !== undefined
  }

  #read(bytes: Buffer, count: number): void {
    const sink = this.#sink
    this.responseStarted = true
    if (this.#deadline === 'read') this.#timer.set(this.#timeouts.read)
    let position = 0
    while (position < count) {
      if (this.#state === 'head') {
        position = this.#readHead(bytes, position, count)
        if (this.tunnel !== undefined) {
          this.tunnel.fromUpstream(bytes, position, count)
          return
        }
        if (this.#responding('body') && this.#body.done) this.#finish(position < count)
      } else if (this.#state === 'body') {
        position = this.#body.read(bytes, position, count, this)
        if (this.#body.fault !== undefined) this.#fail('response-invalid')
        else if (this.#body.done) this.#finish(position < count)
      }
      if (!this.#responding('head') && !this.#responding('body')) break
    }
    sink?.responseTurnEnd()
  }

  #responding(part: 'head' | 'body'): boolean {
    return this.#state === part
  }

  /** Answers the index after the head, or `count` when there is more to wait for. */
  #readHead(bytes: Buffer, start: number, count: number): number {
    const reader = this.#reader
    const position = reader.read(bytes, start, count, this.#toHead)
    if (reader.invalid) this.#fail('response-invalid')
    else if (reader.complete && this.#sink !== undefined) this.#headRead(reader.head, this.#sink)
    return position
  }

  #headRead(head: ResponseHead, sink: ResponseSink): void {
    if (head.status === 101) return this.#switch(head, sink)
    if (head.status < 200) {
      if (++this.#interim > MOST_INTERIM) this.#fail('response-invalid')
      else sink.interimResponse(head)
      return
    }
    sink.responseHead(head)
    if (this.#sink === undefined) return
    if (head.framing === 'chunked') this.#body.startChunked()
    else if (head.framing === 'close') this.#body.startUntilClose()
    else if (head.framing === 'length') this.#body.startLength(head.contentLength)
    else this.#body.startEmpty()
    this.#state = 'body'
  }

  #switch(head: ResponseHead, sink: ResponseSink): void {
    // RFC 9110 section 7.8: only what was offered, and not before the request is complete.
    if (!this.requestComplete || !isOffered(head.upgrade, this.#upgrade)) return this.#fail('response-invalid')
    this.#state = 'tunnel'
    // Whether a tunnel comes of it or not, the exchange hears no more of it: it may soon be another request's.
    this.#sink = undefined
    sink.switchedProtocols(head, this)
  }

  bodyData(buffer: Buffer, start: number, end: number): void {
    this.#sink?.responseData(buffer, start, end)
  }

  /** The response is complete. `extra`: more bytes came than belong to it. */
  #finish(extra: boolean): void {
    const sink = this.#sink
    const { trailers } = this.#body
    const { keepAlive, idleTimeout } = this.#reader.head
    this.#sink = undefined
    sink?.upstreamDone()
    this.served++
    if (extra || !keepAlive || !this.requestComplete || this.#writer.full || !this.pool.keep(this)) this.destroy()
    else {
      // The client may not have taken all of it yet; the connection is free all the same.
      if (this.socket.isPaused()) this.socket.resume()
      this.#state = 'idle'
      this.reused = true
      this.#deadline = 'idle'
      // Ours must end first: a request sent while the backend closes can't always be sent again.
      this.#timer.set(Math.max(0, Math.min(this.#context.pool.idleTimeout, idleTimeout - IDLE_MARGIN)))
      this.pool.serveQueue()
    }
    sink?.responseEnd(trailers)
  }

  #ended(): void {
    if (this.tunnel !== undefined) this.tunnel.upstreamEnded()
    else if (this.#state === 'body' && this.#body.endsWithConnection) {
      const sink = this.#sink
      this.#finish(false)
      sink?.responseTurnEnd()
    } else this.#fail(this.#state === 'connecting' ? 'connect-failed' : 'response-cut')
  }

  #closed(): void {
    if (this.#state === 'closed') return
    if (this.tunnel !== undefined) {
      this.#state = 'closed'
      this.#timer.drop()
      this.pool.closed(this)
      this.tunnel.upstreamClosed()
    } else this.#fail(this.#state === 'connecting' ? 'connect-failed' : 'response-cut')
  }

  #fail(kind: FailureKind): void {
    if (this.#state === 'closed') return
    const sink = this.#sink
    this.#sink = undefined
    this.#state = 'closed'
    this.#timer.drop()
    this.pool.closed(this)
    this.socket.destroy()
    sink?.upstreamFailed(kind, this)
  }
}
