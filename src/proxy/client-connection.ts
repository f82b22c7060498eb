// The life of one HTTP/1.x connection of a client: joins its requests, their exchange and their responses, keeps its deadlines, ends it.
// At most one request is in flight, so responses go out in order.
import type { Socket } from 'node:net'
import type { FailureKind } from '../base/failure.ts'
import { Timer } from '../base/timer-wheel.ts'
import type { HeadScan } from '../http/http1/head-scan.ts'
import { parseRequestHead } from '../http/http1/request-head.ts'
import { cut, SocketEnd } from '../http/socket-end.ts'
import type { SocketWriter } from '../http/socket-writer.ts'
import type { Tunnel } from '../http/tunnel.ts'
import type { UpstreamTunnel } from '../upstream/request.ts'
import { Closing } from './closing.ts'
import type { Client, ProxyContext } from './context.ts'
import { Exchange } from './exchange.ts'
import { Http1Response, type ResponseOwner } from './http1-response.ts'
import { openTunnel } from './open-tunnel.ts'
import type { ConnectionOrigin } from './origin.ts'
import { RequestReader, type RequestOwner } from './request-reader.ts'

/** What the client has to do in time; `idle` also when the connection is ending. */
type Deadline = 'head' | 'body' | 'write' | 'idle'

export class ClientConnection implements Client, RequestOwner, ResponseOwner {
  readonly socket: Socket
  /** Of the roster. */
  place = -1
  readonly #context: ProxyContext
  readonly #timer: Timer
  readonly #reader: RequestReader
  readonly #response: Http1Response
  readonly #exchange: Exchange
  #deadline: Deadline = 'head'
  #responded = false
  #requests = 0
  #unsent = 0
  #tunnel: Tunnel | undefined
  #closing: Closing | undefined

  constructor(socket: Socket, context: ProxyContext, tls: boolean, origin: ConnectionOrigin) {
    const { limits, timeouts } = context.settings
    this.socket = socket
    this.#context = context
    this.#timer = new Timer(context.wheel, this)
    this.#reader = new RequestReader(socket, limits, this)
    this.#response = new Http1Response(this, context, tls, origin)
    this.#exchange = new Exchange(context, this.#response)
    this.#await('head', timeouts.requestHead)
    context.clients.add(this)
    socket.on('end', () => this.#ended())
    socket.on('drain', () => this.#drained())
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
  }

  get busy(): boolean {
    return this.#reader.state !== 'head' || this.#reader.headBytes > 0
  }

  get full(): boolean {
    return this.#response.full
  }

  get bodyPending(): boolean {
    return this.#reader.state === 'body'
  }

  received(buffer: Buffer, count: number): boolean {
    return this.#reader.received(buffer, count)
  }

  drain(): void {
    if (!this.busy) this.#close(true)
  }

  destroy(): void {
    this.socket.destroy()
  }

  // === the request

  headRead(scan: HeadScan): void {
    const { limits } = this.#context.settings
    const exchange = this.#exchange
    const { request } = exchange
    const failure = parseRequestHead(scan, request, limits)
    this.#requests++
    this.#responded = false
    this.#timer.clear()
    exchange.bytesIn = scan.length
    const last = !request.keepAlive || (limits.requestsPerConnection > 0 && this.#requests >= limits.requestsPerConnection)
    this.#response.begin(request, last || failure !== undefined)
    if (failure !== undefined) return exchange.refuse(failure)
    if (request.framing !== 'none') {
      this.#reader.startBody(request)
      // With Expect the client waits for us; its time begins with the 100.
      if (this.bodyPending && !request.expectContinue) this.#await('body', this.#context.settings.timeouts.requestBody)
    }
    exchange.begin()
    // The route may give the body more.
    if (exchange.route?.policy.timeouts !== undefined && exchange.active && this.bodyPending && !request.expectContinue && !this.#reader.blocked) this.#awaitBody()
  }

  headBegun(): void {
    // Absolute: a head that trickles in gets no more time for each byte. The first one's time began with the connection.
    if (this.#requests > 0) this.#await('head', this.#context.settings.timeouts.requestHead)
  }

  /** What came so far can't become a head, or did not in time. */
  headFailed(kind: FailureKind): void {
    const exchange = this.#exchange
    exchange.request.reset()
    exchange.bytesIn = this.#reader.headBytes
    this.#reader.dropHead()
    this.#timer.clear()
    this.#response.begin(exchange.request, true)
    exchange.refuse(kind)
  }

  bodyData(buffer: Buffer, start: number, end: number): void {
    this.#exchange.requestData(buffer, start, end)
  }

  bodyRead(count: number): void {
    this.#exchange.bytesIn += count
    if (!this.#reader.blocked) this.#awaitBody()
  }

  bodyEnd(count: number, trailers: string): void {
    this.#exchange.bytesIn += count
    this.#timer.clear()
    if (this.#responded) this.#next()
    else this.#exchange.requestEnd(trailers)
  }

  bodyFailed(kind: FailureKind): void {
    if (this.#exchange.active) this.#exchange.fail(kind)
    else this.#close(true)
  }

  surplus(buffer: Buffer, start: number, end: number): void {
    if (this.#tunnel !== undefined) this.#tunnel.fromClient(buffer, start, end)
    else this.#closing?.received(end - start)
  }

  turnEnd(): void {
    if (this.#exchange.active) this.#exchange.requestTurnEnd()
    this.#response.flushSoon()
    if (this.#reader.state === 'stopped' && this.#tunnel === undefined) this.#shutDown(true)
  }

  blockBody(): void {
    if (!this.bodyPending) return
    this.#reader.block()
    this.#timer.clear()
  }

  unblockBody(): void {
    if (!this.#reader.blocked) return
    if (this.bodyPending) this.#awaitBody()
    this.#reader.unblock()
  }

  pauseReading(): void {
    this.#reader.pause()
  }

  resumeReading(): void {
    this.#reader.resume()
  }

  // === the response

  interimSent(): void {
    if (this.bodyPending && !this.#reader.blocked) this.#awaitBody()
  }

  responseComplete(): void {
    this.#responded = true
    this.#exchange.completed()
    if (!this.bodyPending) return this.#next()
    if (this.#response.last) return this.#close(true)
    this.#reader.discarding = true
    this.#awaitBody()
    this.#reader.unblock()
  }

  #next(): void {
    const { request, lastFailure } = this.#exchange
    // A client that announced its last request sends nothing more, unless we did not understand it.
    if (this.#response.last) return this.#close(request.keepAlive || lastFailure !== undefined)
    // Bytes sent before the backend refused to switch were meant for the other protocol.
    if (request.upgrade !== '' && this.#reader.hasAhead) return this.#close(true)
    this.#await('idle', this.#context.settings.timeouts.keepAlive)
    this.#exchange.release()
    this.#reader.next()
  }

  switchProtocols(upstream: UpstreamTunnel, writer: SocketWriter): void {
    this.#timer.clear()
    this.#reader.stop(false)
    this.#tunnel = openTunnel(new SocketEnd(this.socket, writer, this), upstream, this.#context, this.#exchange)
    this.#reader.goOn()
  }

  // === the end

  cutOff(reset: boolean): void {
    if (reset) cut(this.socket)
    else this.#close(false)
  }

  /** `lingers`: the client may still be sending. */
  #close(lingers: boolean): void {
    this.#reader.stop(true)
    if (!this.#reader.reading || !lingers) this.#shutDown(lingers)
  }

  #shutDown(lingers: boolean): void {
    if (this.#closing !== undefined) return
    this.#response.flush()
    this.#closing = new Closing(this.socket, lingers, this.#response.tls, this.#context.settings.timeouts.send)
    this.#await('idle', this.#closing.patience)
    this.#reader.resume()
  }

  #leave(): void {
    this.#exchange.clientGone()
    this.destroy()
  }

  /** The client will send no more. Like nginx, we take it for gone if it has not got its answer. */
  #ended(): void {
    if (this.#tunnel !== undefined) this.#tunnel.clientEnded()
    else if (this.#exchange.active) this.#leave()
    else if (this.#closing !== undefined) this.socket.destroySoon()
    else this.#close(false)
  }

  #closed(): void {
    this.#reader.stop(true)
    this.#timer.drop()
    this.#context.clients.delete(this)
    if (this.#tunnel !== undefined) this.#tunnel.clientClosed()
    else this.#exchange.clientGone()
  }

  // === time

  #await(what: Deadline, ms: number): void {
    this.#deadline = what
    this.#timer.set(ms)
  }

  #awaitBody(): void {
    this.#await('body', this.#exchange.timeouts.requestBody)
  }

  awaitWrite(): void {
    this.#unsent = this.socket.writableLength
    this.#await('write', this.#context.settings.timeouts.send)
  }

  #drained(): void {
    if (this.#tunnel !== undefined) return this.#tunnel.clientDrained()
    if (this.#deadline === 'write') this.#timer.clear()
    if (this.#exchange.active) this.#exchange.clientDrained()
    if (this.#reader.state === 'head') this.#reader.goOn()
  }

  timedOut(): void {
    if (this.#closing !== undefined) {
      const patience = this.#closing.timedOut()
      if (patience > 0) this.#timer.set(patience)
    } else if (this.#deadline === 'write') {
      // As long as some of it goes out, the client is slow, not gone.
      if (this.socket.writableLength < this.#unsent) this.awaitWrite()
      else this.#leave()
    } else if (this.#deadline === 'body' && this.bodyPending) this.bodyFailed('request-timeout')
    else if (this.#deadline === 'head' && this.#reader.headBytes > 0) {
      this.headFailed('request-timeout')
      this.#response.flush()
    } else this.destroy()
  }
}
