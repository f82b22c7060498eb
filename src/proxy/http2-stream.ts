// One request of an HTTP/2 client: joins a stream and an exchange, keeps the time that the body may take. Used again for later streams
// of its connection.
import { Timer } from '../base/timer-wheel.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { INTERNAL_ERROR, NO_ERROR, PROTOCOL_ERROR } from '../http/http2/error-code.ts'
import type { FieldList } from '../http/http2/field-list.ts'
import type { StreamHandler } from '../http/http2/handlers.ts'
import { encodeFieldLines } from '../http/http2/hpack/encoder.ts'
import { readRequestFields, readTrailerFields } from '../http/http2/request-head.ts'
import type { Http2Stream } from '../http/http2/stream.ts'
import type { UpstreamTunnel } from '../upstream/request.ts'
import type { Answer } from './answer.ts'
import type { ProxyContext } from './context.ts'
import type { Downstream } from './downstream.ts'
import { Exchange } from './exchange.ts'
import { answerBlock, interimBlock, responseBlock, tunnelBlock } from './http2-response.ts'
import { StreamEnd } from './http2-tunnel.ts'
import { openTunnel } from './open-tunnel.ts'
import type { ConnectionOrigin } from './origin.ts'
import { replaceHsts } from './response-text.ts'

/** Milliseconds between an answer and the end of a request that it came before: clients that are busy sending (curl) look for what they got only until then. */
const LINGER_TIME = 200

/** What a stream needs of the connection that it is part of. */
export interface StreamOwner {
  readonly clientPort: number
  /** Something was written: the client has so long to take it. */
  wrote(): void
  /** The request and its response are over. */
  finished(stream: ClientStream): void
}

export class ClientStream implements Downstream, StreamHandler {
  readonly http2 = true
  readonly tls: boolean
  readonly origin: ConnectionOrigin
  bytesOut = 0
  readonly #owner: StreamOwner
  readonly #context: ProxyContext
  readonly #exchange: Exchange
  #stream: Http2Stream | undefined
  /** Made for the first body. */
  #bodyTimer: Timer | undefined
  /** The body is not read to its end. */
  #bodyPending = false
  #blocked = false
  #bodyBytes = 0
  #toHead = false
  /** Body bytes of the response that are still to come; Infinity: as many as come. */
  #left = 0
  /** All of the response was handed over. */
  #responded = false
  /** And taken, but the request goes on. */
  #lingers = false

  constructor(owner: StreamOwner, context: ProxyContext, tls: boolean, origin: ConnectionOrigin) {
    this.#owner = owner
    this.#context = context
    this.tls = tls
    this.origin = origin
    this.#exchange = new Exchange(context, this)
  }

  /** Takes on the next request. */
  begin(stream: Http2Stream): void {
    this.#stream = stream
    this.#bodyPending = this.#blocked = this.#responded = this.#lingers = false
    this.#bodyBytes = this.bytesOut = 0
  }

  /** The request is malformed, and has no stream. */
  refuse(list: FieldList): void {
    const exchange = this.#exchange
    this.bytesOut = 0
    readRequestFields(list, true, exchange.request, this.#context.settings.limits)
    exchange.bytesIn = list.size
    exchange.refuse('bad-request', true)
    this.#over()
  }

  get clientPort(): number {
    return this.#owner.clientPort
  }

  get full(): boolean {
    return this.#stream?.full === true
  }

  // === the request

  head(list: FieldList, endStream: boolean): void {
    const exchange = this.#exchange
    const { request } = exchange
    const fault = readRequestFields(list, endStream, request, this.#context.settings.limits)
    exchange.bytesIn = list.size
    this.#toHead = request.method === 'HEAD'
    // What follows a request for a tunnel is for who is at its other end.
    const isTunnel = request.upgrade !== ''
    this.#bodyPending = !endStream && !isTunnel
    if (isTunnel) this.#stream?.pauseReading()
    if (fault === 'malformed') {
      exchange.refuse('bad-request', true)
      return this.#abort(PROTOCOL_ERROR)
    }
    if (fault !== undefined) return exchange.refuse(fault)
    exchange.begin()
    // With Expect the client waits for us; its time begins with the 100.
    if (this.#bodyPending && !this.#blocked && exchange.active && !request.expectContinue) this.#awaitBody()
    if (endStream && request.framing !== 'none' && exchange.active) exchange.requestEnd('')
  }

  /** Only responses have them. */
  interim(): void {}

  data(buffer: Buffer, start: number, end: number): void {
    const exchange = this.#exchange
    exchange.bytesIn += end - start
    if (!exchange.active || this.#responded) return
    const { bodyBytes } = this.#context.settings.limits
    this.#bodyBytes += end - start
    if (bodyBytes > 0 && this.#bodyBytes > bodyBytes) return exchange.fail('body-too-large')
    exchange.requestData(buffer, start, end)
    if (this.#bodyPending && !this.#blocked) this.#awaitBody()
  }

  end(trailers: FieldList | undefined): void {
    const text = trailers === undefined ? '' : readTrailerFields(trailers)
    this.#bodyPending = false
    this.#bodyTimer?.clear()
    if (this.#lingers) return this.#abort(NO_ERROR)
    if (!this.#exchange.active || this.#responded) return
    if (text === undefined) this.#exchange.fail('bad-request')
    else this.#exchange.requestEnd(text)
  }

  reset(code: number): void {
    this.#stream = undefined
    if (this.#lingers) return this.#over()
    const exchange = this.#exchange
    // The message broke a rule, and its sender has been told: perhaps before its head was handed over.
    const kind = code === PROTOCOL_ERROR ? 'bad-request' : 'client-gone'
    if (exchange.active) exchange.clientGone(kind)
    else exchange.refuse(kind, true)
    this.#over()
  }

  turnEnd(): void {
    if (this.#exchange.active) this.#exchange.requestTurnEnd()
  }

  blockBody(): void {
    if (!this.#bodyPending || this.#blocked) return
    this.#blocked = true
    this.#bodyTimer?.clear()
    this.#stream?.pauseReading()
  }

  unblockBody(): void {
    if (!this.#blocked) return
    this.#blocked = false
    if (this.#bodyPending && !this.#lingers) this.#awaitBody()
    this.#stream?.resumeReading()
    this.turnEnd()
  }

  #awaitBody(): void {
    this.#bodyTimer ??= new Timer(this.#context.wheel, this)
    this.#bodyTimer.set(this.#exchange.timeouts.requestBody)
  }

  timedOut(): void {
    if (this.#lingers) this.#abort(NO_ERROR)
    else if (this.#exchange.active && this.#bodyPending && !this.#responded) this.#exchange.fail('request-timeout')
  }

  // === the response

  sendInterim(head: ResponseHead): void {
    this.#sendHead(interimBlock(head), false)
    if (this.#bodyPending && !this.#blocked) this.#awaitBody()
  }

  sendHead(head: ResponseHead): void {
    const { framing, contentLength, mayTrail } = head
    this.#left = framing === 'none' ? 0 : framing === 'length' && !mayTrail ? contentLength : Infinity
    const { hstsField } = this.#ownFields()
    replaceHsts(head, hstsField)
    this.#sendHead(responseBlock(head, this.#ownFields()), this.#left === 0)
  }

  sendData(buffer: Buffer, start: number, end: number): void {
    if (end === start) return
    this.#left -= end - start
    this.bytesOut += end - start
    this.#stream?.sendData(buffer, start, end, this.#left === 0)
    this.#owner.wrote()
  }

  sendEnd(trailers: string): void {
    // What has a length and no trailers ended with its last byte.
    if (this.#left > 0) this.#stream?.sendEnd(trailers === '' ? '' : encodeFieldLines(trailers))
    this.#respondedInFull()
  }

  /** The others on the connection are not to suffer for one: it stays open, whatever `close` says. */
  sendAnswer(answer: Answer): void {
    const { body } = answer
    const hasBody = !this.#toHead && body !== ''
    this.#sendHead(answerBlock(answer, this.#ownFields()), !hasBody)
    if (hasBody) {
      this.bytesOut += body.length
      this.#stream?.sendText(body, true)
    }
    this.#respondedInFull()
  }

  /** The connection's writer gathers by itself. */
  flushSoon(): void {}

  cut(code = NO_ERROR): void {
    this.#abort(code === NO_ERROR ? INTERNAL_ERROR : code)
  }

  switchProtocols(head: ResponseHead, upstream: UpstreamTunnel): void {
    const exchange = this.#exchange
    const stream = this.#stream
    const fields = this.#ownFields()
    replaceHsts(head, fields.hstsField)
    const block = tunnelBlock(head, exchange.request, fields)
    if (block === undefined || stream === undefined) {
      upstream.tunnelEnd().cut()
      return exchange.fail('response-invalid')
    }
    exchange.status = 200
    this.#sendHead(block, false)
    const end = new StreamEnd(stream, (count) => {
      this.bytesOut += count
      this.#owner.wrote()
    })
    // The exchange ends with the tunnel, so neither it nor this is used again.
    this.#stream = undefined
    end.join(openTunnel(end, upstream, this.#context, exchange))
  }

  #sendHead(block: string, last: boolean): void {
    this.bytesOut += block.length
    this.#stream?.sendHead(block, last)
    this.#owner.wrote()
  }

  #ownFields(): { readonly serverField: string; readonly dateField: string; readonly hstsField: string } {
    const { serverField, dateField, hstsField } = this.#context
    return { serverField, dateField, hstsField: this.tls ? hstsField : '' }
  }

  /** The client's window or its socket may still hold some of it back. */
  #respondedInFull(): void {
    this.#responded = true
    if (this.#stream === undefined || this.#stream.sent) this.#complete()
  }

  drained(): void {
    if (this.#responded) {
      if (this.#stream?.sent === true) this.#complete()
    } else if (this.#exchange.active) this.#exchange.clientDrained()
  }

  #complete(): void {
    this.#exchange.completed()
    if (!this.#bodyPending || this.#stream === undefined) return this.#abort(NO_ERROR)
    // RFC 9113 section 8.1: the rest of the request is not wanted.
    this.#lingers = true
    this.#bodyTimer ??= new Timer(this.#context.wheel, this)
    this.#bodyTimer.set(LINGER_TIME)
    this.unblockBody()
  }

  // === the end

  /** Nothing is said on the stream any more. */
  #abort(code: number): void {
    const stream = this.#stream
    this.#stream = undefined
    stream?.reset(code)
    this.#over()
  }

  #over(): void {
    this.#bodyTimer?.clear()
    this.#exchange.release()
    this.#owner.finished(this)
  }

  /** The connection is gone. */
  drop(): void {
    this.#bodyTimer?.drop()
  }
}

