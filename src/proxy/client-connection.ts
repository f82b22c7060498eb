// One HTTP/1.x connection of a client: reads requests one after the other, hands each to its exchange, writes the responses in order.
// At most one request is in flight; what a client sends ahead waits in a bounded buffer, then in the kernel.
import type { Socket } from 'node:net'
import type { FailureKind } from '../base/failure.ts'
import { Timer } from '../base/timer-wheel.ts'
import { BodyReader } from '../http/http1/body-reader.ts'
import { RequestHeadReader } from '../http/http1/request-head-reader.ts'
import { parseRequestHead } from '../http/http1/request-head.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { Tunnel, type TunnelEnd } from '../http/tunnel.ts'
import type { UpstreamConnection } from '../upstream/connection.ts'
import type { Answer } from './answer.ts'
import type { ProxyContext } from './context.ts'
import type { Downstream } from './downstream.ts'
import { Exchange } from './exchange.ts'
import { forwardedFields } from './request-text.ts'
import { ResponseWriter } from './response-writer.ts'

type State = 'head' | 'body' | 'busy' | 'tunnel' | 'closing' | 'closed'

/** Bytes read ahead of the request in flight. */
const MOST_AHEAD = 16 * 1024
/** A body that nobody wants is read up to here to keep the connection. */
const MOST_DISCARDED = 64 * 1024
/** After the last response: bytes and time granted to a client that still sends, so that it reads the response before a reset. */
const LINGER_BYTES = 256 * 1024
const LINGER_TIME = 2000

export class ClientConnection implements Downstream, TunnelEnd {
  readonly socket: Socket
  readonly tls: boolean
  readonly clientAddress: string
  readonly forwardedFields: string
  readonly #context: ProxyContext
  readonly #writer: ResponseWriter
  readonly #timer: Timer
  readonly #body = new BodyReader()
  readonly #head: RequestHeadReader
  readonly #exchange: Exchange
  #state: State = 'head'
  #deadline: 'head' | 'body' | 'write' | 'close' = 'head'
  #reading = false
  #blocked = false
  #paused = false
  #discarding = false
  #responded = false
  /** No request after the present one. */
  #last = false
  /** The client may still be sending when the connection ends. */
  #lingers = true
  #requests = 0
  #lingered = 0
  #ahead: Buffer | undefined
  #tunnel: Tunnel | undefined

  /** `port`: the one that X-Forwarded-Port names. */
  constructor(socket: Socket, context: ProxyContext, tls: boolean, port: number) {
    this.socket = socket
    this.tls = tls
    this.#context = context
    this.clientAddress = plainAddress(socket.remoteAddress ?? '')
    this.forwardedFields = forwardedFields(this.clientAddress, port, tls)
    this.#writer = new ResponseWriter(socket, context)
    this.#head = new RequestHeadReader(context.settings.limits)
    this.#timer = new Timer(context.wheel, this)
    this.#exchange = new Exchange(context, this)
    this.#timer.set(context.settings.timeouts.requestHead)
    context.clients.add(this)
    socket.on('end', () => this.#ended())
    socket.on('drain', () => this.#drained())
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
  }

  get idle(): boolean {
    return this.#state === 'head' && this.#head.pending === 0
  }

  /** No further request; at once if none is in flight. */
  drain(): void {
    if (this.idle) this.#close()
  }

  destroy(): void {
    this.socket.destroy()
  }

  // === reading

  /** The bytes are valid during the call only. True: they were within a body or a tunnel. */
  received(buffer: Buffer, count: number): boolean {
    const ahead = this.#ahead
    if (ahead === undefined) this.#read(buffer, 0, count)
    else {
      this.#ahead = undefined
      const joined = Buffer.concat([ahead, buffer.subarray(0, count)])
      this.#read(joined, 0, joined.length)
    }
    return this.#state === 'body' || this.#state === 'tunnel'
  }

  #read(buffer: Buffer, start: number, end: number): void {
    this.#reading = true
    let position = start
    while (position < end) {
      if (this.#state === 'head' && !this.#writer.full) position = this.#readHead(buffer, position, end)
      else if (this.#state === 'body' && !this.#blocked) position = this.#readBody(buffer, position, end)
      else {
        this.#readOther(buffer, position, end)
        break
      }
    }
    this.#reading = false
    if (this.#exchange.active) this.#exchange.requestTurnEnd()
    this.flush()
    if (this.#state === 'closing') this.#shutDown()
  }

  #readOther(buffer: Buffer, start: number, end: number): void {
    switch (this.#state) {
      case 'tunnel':
        this.#tunnel?.fromClient(buffer, start, end)
        break
      case 'closing':
        this.#lingered += end - start
        if (this.#lingered > LINGER_BYTES) this.destroy()
        break
      case 'closed':
        break
      default:
        // A body that waits for its backend, or requests sent ahead.
        this.#ahead = Buffer.from(buffer.subarray(start, end))
        if (this.#state !== 'busy' || end - start > MOST_AHEAD) this.pauseReading()
    }
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    const head = this.#head
    const first = head.pending === 0
    const position = head.read(buffer, start, end)
    if (head.end > 0) this.#begin(head.text, head.end)
    else if (head.fault !== undefined) this.#refuse(head.fault)
    else if (first && this.#requests > 0) {
      // Absolute: a head that trickles in gets no more time for each byte.
      this.#deadline = 'head'
      this.#timer.set(this.#context.settings.timeouts.requestHead)
    }
    return position
  }

  #begin(text: string, end: number): void {
    const { limits } = this.#context.settings
    const exchange = this.#exchange
    const { request } = exchange
    const failure = parseRequestHead(text, end, request, limits)
    this.#requests++
    this.#responded = this.#discarding = this.#blocked = false
    this.#writer.begin()
    exchange.bytesIn = end
    this.#timer.clear()
    if (failure !== undefined) return this.#refuse(failure)
    this.#last = !request.keepAlive || (limits.requestsPerConnection > 0 && this.#requests >= limits.requestsPerConnection)
    if (request.framing === 'none') this.#state = 'busy'
    else this.#startBody()
    exchange.begin()
  }

  #startBody(): void {
    const { request } = this.#exchange
    const { bodyBytes } = this.#context.settings.limits
    this.#state = 'body'
    if (request.framing === 'chunked') this.#body.startChunked(bodyBytes > 0 ? bodyBytes : Infinity)
    else this.#body.startLength(request.contentLength)
    if (this.#body.done) this.#state = 'busy'
    // Else the client waits for us; its time begins with the 100.
    else if (!request.expectContinue) this.#awaitBody()
  }

  #awaitBody(): void {
    this.#deadline = 'body'
    this.#timer.set(this.#context.settings.timeouts.requestBody)
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
    else this.#close()
  }

  #refuse(kind: FailureKind): void {
    const exchange = this.#exchange
    if (this.#head.pending > 0) {
      exchange.request.reset()
      exchange.bytesIn = this.#head.pending
      this.#head.clear()
      this.#writer.begin()
    }
    this.#last = true
    this.#state = 'busy'
    this.#responded = false
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
    const ahead = this.#ahead
    if (ahead !== undefined) {
      this.#ahead = undefined
      this.#read(ahead, 0, ahead.length)
    }
    if (this.#paused && this.#ahead === undefined) this.resumeReading()
  }

  pauseReading(): void {
    this.#paused = true
    this.socket.pause()
  }

  resumeReading(): void {
    this.#paused = false
    this.socket.resume()
  }

  // === writing

  get full(): boolean {
    return this.#writer.full
  }

  get bytesOut(): number {
    return this.#writer.written + (this.#tunnel?.bytesFromUpstream ?? 0)
  }

  sendInterim(head: ResponseHead): void {
    this.#writer.interim(head)
    if (this.#state === 'body' && !this.#blocked) this.#awaitBody()
  }

  sendHead(head: ResponseHead): void {
    // A response that overtakes its request: where the rest of the request ends is not worth waiting for.
    if (this.#state === 'body' || this.#context.draining) this.#last = true
    if (this.#writer.head(head, this.#exchange.request.minorVersion, this.#last)) this.#last = true
  }

  sendData(buffer: Buffer, start: number, end: number): void {
    this.#writer.data(buffer, start, end)
    if (this.#writer.full) this.#awaitWrite()
  }

  sendEnd(trailers: string): void {
    this.#writer.end(trailers)
    this.#complete()
  }

  sendAnswer(answer: Answer, close: boolean): void {
    const { method, minorVersion } = this.#exchange.request
    if (close || this.#context.draining || (this.#state === 'body' && !this.#mayDiscard())) this.#last = true
    this.#writer.answer(answer, method === 'HEAD', minorVersion, this.#last)
    this.#complete()
  }

  flush(): void {
    this.#writer.flush()
  }

  /** The client must not take the response for whole: without its length, only a reset tells. */
  cut(): void {
    this.flush()
    if (this.#writer.untilClose) this.socket.resetAndDestroy()
    else this.socket.destroySoon()
  }

  switchProtocols(head: ResponseHead, upstream: UpstreamConnection): void {
    this.#writer.interim(head)
    this.flush()
    this.#state = 'tunnel'
    this.#timer.clear()
    this.#context.tunnels++
    this.#context.recorder.tunnelOpened()
    const { buffers, wheel, settings } = this.#context
    const tunnel = new Tunnel(this, upstream, { buffers, wheel, idleTimeout: settings.timeouts.read }, () => {
      this.#context.tunnels--
      this.#context.recorder.tunnelClosed()
      this.#exchange.bytesIn += tunnel.bytesFromClient
      this.#exchange.completed()
    })
    this.#tunnel = tunnel
    upstream.startTunnel(tunnel)
    this.#readAhead()
  }

  /** The body length of a local answer's request is known and small enough to be read and forgotten. */
  #mayDiscard(): boolean {
    const { request } = this.#exchange
    return request.framing === 'length' && request.contentLength <= MOST_DISCARDED && !request.expectContinue
  }

  #awaitWrite(): void {
    this.#deadline = 'write'
    this.#timer.set(this.#context.settings.timeouts.send)
  }

  // === between requests

  #complete(): void {
    this.#responded = true
    this.#exchange.completed()
    if (this.#state !== 'body') return this.#next()
    if (this.#last) return this.#close()
    this.#discarding = true
    this.#awaitBody()
    this.unblockBody()
  }

  #next(): void {
    if (this.#last) {
      // It said itself that this was its last request, and all of it is here.
      this.#lingers = this.#exchange.request.keepAlive || this.#exchange.lastFailure !== undefined
      return this.#close()
    }
    // Bytes sent before the backend refused to switch were meant for the other protocol.
    if (this.#exchange.request.websocket && this.#ahead !== undefined) return this.#close()
    this.#state = 'head'
    this.#deadline = 'close'
    this.#timer.set(this.#context.settings.timeouts.keepAlive)
    if (this.#ahead !== undefined || this.#paused) this.#readAhead()
  }

  /** After the response is out, a client that may still be sending is given a while to read it: RFC 9112 section 9.6. */
  #close(): void {
    this.#state = 'closing'
    this.#ahead = undefined
    if (!this.#reading) this.#shutDown()
  }

  #shutDown(): void {
    this.flush()
    if (this.socket.writableEnded) return
    if (!this.#lingers) {
      this.socket.destroySoon()
      return
    }
    this.#deadline = 'close'
    this.#timer.set(LINGER_TIME)
    this.socket.end()
    if (this.#paused) this.resumeReading()
  }

  timedOut(): void {
    if (this.#deadline === 'write') this.#exchange.fail('client-gone')
    else if (this.#deadline === 'body' && this.#state === 'body') this.#bodyFailed('request-timeout')
    else if (this.#deadline === 'head' && this.#head.pending > 0) {
      this.#refuse('request-timeout')
      this.flush()
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
    if (this.#tunnel !== undefined) return this.#tunnel.clientEnded()
    if (this.#exchange.active) {
      this.#exchange.clientGone()
      this.destroy()
    } else if (this.#state === 'head') this.#close()
    else if (this.#state === 'closing') this.socket.destroySoon()
    else this.destroy()
  }

  #closed(): void {
    this.#state = 'closed'
    this.#ahead = undefined
    this.#timer.drop()
    this.#context.clients.delete(this)
    if (this.#tunnel !== undefined) this.#tunnel.sideClosed()
    else this.#exchange.clientGone()
  }
}

/** Without the IPv4-mapped form that a dual-stack socket shows. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
