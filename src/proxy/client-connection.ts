// One HTTP/1.x connection of a client: reads requests one after the other and hands each to its exchange; responses go out in order.
// At most one request is in flight; what a client sends ahead waits in a bounded buffer, then in the kernel.
import type { Socket } from 'node:net'
import type { FailureKind } from '../base/failure.ts'
import { Timer } from '../base/timer-wheel.ts'
import { BodyReader } from '../http/http1/body-reader.ts'
import { RequestHeadReader } from '../http/http1/request-head-reader.ts'
import { parseRequestHead } from '../http/http1/request-head.ts'
import type { Tunnel, TunnelEnd } from '../http/tunnel.ts'
import type { UpstreamConnection } from '../upstream/connection.ts'
import { Closing } from './closing.ts'
import type { ProxyContext } from './context.ts'
import { Exchange } from './exchange.ts'
import { Http1Response, type ClientFacts, type ResponseOwner } from './http1-response.ts'
import { openTunnel } from './open-tunnel.ts'
import { ReadAhead } from './read-ahead.ts'

type State = 'head' | 'body' | 'busy' | 'tunnel' | 'closing' | 'closed'

/** Bytes read ahead of the request in flight. */
const MOST_AHEAD = 16 * 1024

export class ClientConnection implements ResponseOwner, TunnelEnd {
  readonly socket: Socket
  readonly #context: ProxyContext
  readonly #timer: Timer
  readonly #ahead: ReadAhead
  readonly #head: RequestHeadReader
  readonly #body = new BodyReader()
  readonly #response: Http1Response
  readonly #exchange: Exchange
  #state: State = 'head'
  #deadline: 'head' | 'body' | 'write' | 'close' = 'head'
  #reading = false
  /** The body waits for its backend. */
  #blocked = false
  /** The body is read and forgotten. */
  #discarding = false
  #responded = false
  #requests = 0
  #unsent = 0
  #tunnel: Tunnel | undefined
  #closing: Closing | undefined

  constructor(socket: Socket, context: ProxyContext, facts: ClientFacts) {
    this.socket = socket
    this.#context = context
    this.#timer = new Timer(context.wheel, this)
    this.#ahead = new ReadAhead(socket)
    this.#head = new RequestHeadReader(context.settings.limits)
    this.#response = new Http1Response(this, context, facts)
    this.#exchange = new Exchange(context, this.#response)
    this.#await('head', context.settings.timeouts.requestHead)
    context.clients.add(this)
    socket.on('end', () => this.#ended())
    socket.on('drain', () => this.#drained())
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
  }

  get idle(): boolean {
    return this.#state === 'head' && this.#head.pending === 0
  }

  get bodyPending(): boolean {
    return this.#state === 'body'
  }

  get tunnelBytes(): number {
    return this.#tunnel?.bytesFromUpstream ?? 0
  }

  /** No further request; at once if none is in flight. */
  drain(): void {
    if (this.idle) this.#close(true)
  }

  destroy(): void {
    this.socket.destroy()
  }

  // === reading

  /** The bytes are valid during the call only. True: they were within a body or a tunnel. */
  received(buffer: Buffer, count: number): boolean {
    if (!this.#ahead.waiting) this.#read(buffer, 0, count)
    else {
      const joined = this.#ahead.with(buffer, count)
      this.#read(joined, 0, joined.length)
    }
    return this.#state === 'body' || this.#state === 'tunnel'
  }

  #read(buffer: Buffer, start: number, end: number): void {
    this.#reading = true
    let position = start
    while (position < end) {
      if (this.#state === 'head' && !this.#response.full) position = this.#readHead(buffer, position, end)
      else if (this.#state === 'body' && !this.#blocked) position = this.#readBody(buffer, position, end)
      else {
        this.#readOther(buffer, position, end)
        break
      }
    }
    this.#reading = false
    if (this.#exchange.active) this.#exchange.requestTurnEnd()
    this.#response.flush()
    if (this.#state === 'closing') this.#shutDown(true)
  }

  #readOther(buffer: Buffer, start: number, end: number): void {
    if (this.#tunnel !== undefined) this.#tunnel.fromClient(buffer, start, end)
    else if (this.#state === 'closing') this.#closing?.received(end - start)
    else if (this.#state !== 'closed') {
      // A body that waits for its backend, or requests sent ahead.
      this.#ahead.hold(buffer, start, end)
      if (this.#state !== 'busy' || end - start > MOST_AHEAD) this.#ahead.pause()
    }
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    const head = this.#head
    const first = head.pending === 0
    const position = head.read(buffer, start, end)
    if (head.end > 0) {
      const { text } = head
      head.text = ''
      this.#begin(text, head.end)
    } else if (head.fault !== undefined) this.#refusePartial(head.fault)
    // Absolute: a head that trickles in gets no more time for each byte.
    else if (first && this.#requests > 0) this.#await('head', this.#context.settings.timeouts.requestHead)
    return position
  }

  #begin(text: string, end: number): void {
    const { limits } = this.#context.settings
    const exchange = this.#exchange
    const { request } = exchange
    const failure = parseRequestHead(text, end, request, limits)
    this.#requests++
    this.#responded = this.#discarding = this.#blocked = false
    this.#timer.clear()
    exchange.bytesIn = end
    const last = !request.keepAlive || (limits.requestsPerConnection > 0 && this.#requests >= limits.requestsPerConnection)
    this.#response.begin(request, last || failure !== undefined)
    if (failure === undefined && request.framing !== 'none') this.#startBody()
    else this.#state = 'busy'
    if (failure === undefined) exchange.begin()
    else exchange.refuse(failure)
  }

  #startBody(): void {
    const { request } = this.#exchange
    const { bodyBytes } = this.#context.settings.limits
    if (request.framing === 'chunked') this.#body.startChunked(bodyBytes > 0 ? bodyBytes : Infinity)
    else this.#body.startLength(request.contentLength)
    this.#state = this.#body.done ? 'busy' : 'body'
    // With Expect the client waits for us; its time begins with the 100.
    if (this.#state === 'body' && !request.expectContinue) this.#awaitBody()
  }

  #readBody(buffer: Buffer, start: number, end: number): number {
    const exchange = this.#exchange
    const position = this.#body.read(buffer, start, end, this)
    exchange.bytesIn += position - start
    const { fault } = this.#body
    if (fault !== undefined) {
      this.#bodyFailed(fault === 'too-large' ? 'body-too-large' : 'bad-request')
      return end
    }
    if (!this.#body.done) {
      if (!this.#blocked) this.#awaitBody()
      return position
    }
    this.#timer.clear()
    this.#state = 'busy'
    if (this.#responded) this.#next()
    else exchange.requestEnd(this.#body.trailers)
    return position
  }

  bodyData(buffer: Buffer, start: number, end: number): void {
    if (!this.#discarding) this.#exchange.requestData(buffer, start, end)
  }

  #bodyFailed(kind: FailureKind): void {
    if (this.#exchange.active) this.#exchange.fail(kind)
    else this.#close(true)
  }

  /** What came so far can't become a head, or did not in time. */
  #refusePartial(kind: FailureKind): void {
    const exchange = this.#exchange
    exchange.request.reset()
    exchange.bytesIn = this.#head.pending
    this.#head.clear()
    this.#response.begin(exchange.request, true)
    this.#state = 'busy'
    exchange.refuse(kind)
  }

  blockBody(): void {
    if (this.#state !== 'body') return
    this.#blocked = true
    this.#timer.clear()
  }

  unblockBody(): void {
    if (!this.#blocked) return
    this.#blocked = false
    if (this.#state === 'body') this.#awaitBody()
    this.#readAhead()
  }

  /** Goes on with what had to wait. */
  #readAhead(): void {
    if (this.#reading) return
    const held = this.#ahead.take()
    if (held !== undefined) this.#read(held, 0, held.length)
    if (!this.#ahead.waiting) this.#ahead.resume()
  }

  pauseReading(): void {
    this.#ahead.pause()
  }

  resumeReading(): void {
    this.#ahead.resume()
  }

  // === after a response

  responseComplete(): void {
    this.#responded = true
    this.#exchange.completed()
    if (this.#state !== 'body') return this.#next()
    if (this.#response.last) return this.#close(true)
    this.#discarding = true
    this.#awaitBody()
    this.unblockBody()
  }

  #next(): void {
    const { request, lastFailure } = this.#exchange
    // A client that announced its last request sends nothing more, unless we did not understand it.
    if (this.#response.last) return this.#close(request.keepAlive || lastFailure !== undefined)
    // Bytes sent before the backend refused to switch were meant for the other protocol.
    if (request.websocket && this.#ahead.waiting) return this.#close(true)
    this.#state = 'head'
    this.#await('close', this.#context.settings.timeouts.keepAlive)
    this.#exchange.release()
    if (this.#ahead.waiting || this.#ahead.paused) this.#readAhead()
  }

  cutOff(reset: boolean): void {
    if (!reset) this.#close(false)
    // TLS has an end of its own, whose lack says the same.
    else if (this.#response.tls) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }

  #close(lingers: boolean): void {
    this.#state = 'closing'
    this.#ahead.take()
    if (!this.#reading || !lingers) this.#shutDown(lingers)
  }

  #shutDown(lingers: boolean): void {
    if (this.#closing !== undefined) return
    this.#response.flush()
    this.#closing = new Closing(this.socket, lingers, this.#context.settings.timeouts.send)
    this.#await('close', this.#closing.patience)
    this.#ahead.resume()
  }

  switchProtocols(upstream: UpstreamConnection): void {
    this.#state = 'tunnel'
    this.#timer.clear()
    this.#tunnel = openTunnel(this, upstream, this.#context, this.#exchange)
    this.#readAhead()
  }

  // === time and the socket's events

  #await(what: 'head' | 'body' | 'write' | 'close', ms: number): void {
    this.#deadline = what
    this.#timer.set(ms)
  }

  #awaitBody(): void {
    this.#await('body', this.#context.settings.timeouts.requestBody)
  }

  interimSent(): void {
    if (this.#state === 'body' && !this.#blocked) this.#awaitBody()
  }

  awaitWrite(): void {
    this.#unsent = this.socket.writableLength
    this.#await('write', this.#context.settings.timeouts.send)
  }

  timedOut(): void {
    if (this.#closing !== undefined) {
      const patience = this.#closing.timedOut()
      if (patience > 0) this.#timer.set(patience)
    } else if (this.#deadline === 'write') {
      if (this.socket.writableLength < this.#unsent) this.awaitWrite()
      else this.#leave()
    } else if (this.#deadline === 'body' && this.#state === 'body') this.#bodyFailed('request-timeout')
    else if (this.#deadline === 'head' && this.#head.pending > 0) {
      this.#refusePartial('request-timeout')
      this.#response.flush()
    } else this.destroy()
  }

  #drained(): void {
    if (this.#tunnel !== undefined) return this.#tunnel.clientDrained()
    if (this.#deadline === 'write') this.#timer.clear()
    if (this.#exchange.active) this.#exchange.clientDrained()
    if (this.#state === 'head') this.#readAhead()
  }

  /** The client will send no more. Like nginx, we take it for gone if it has not got its answer. */
  #ended(): void {
    if (this.#tunnel !== undefined) this.#tunnel.clientEnded()
    else if (this.#exchange.active) this.#leave()
    else if (this.#closing !== undefined) this.socket.destroySoon()
    else this.#close(false)
  }

  #leave(): void {
    this.#exchange.clientGone()
    this.destroy()
  }

  #closed(): void {
    this.#state = 'closed'
    this.#ahead.take()
    this.#timer.drop()
    this.#context.clients.delete(this)
    if (this.#tunnel !== undefined) this.#tunnel.sideClosed()
    else this.#exchange.clientGone()
  }
}
