// The response side of one HTTP/1.x connection: the client's framing, and the fields that are the proxy's own.
import type { Socket } from 'node:net'
import type { RequestHead } from '../http/http1/request-head.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { SocketWriter } from '../http/socket-writer.ts'
import type { UpstreamTunnel } from '../upstream/request.ts'
import type { Answer } from './answer.ts'
import type { ProxyContext } from './context.ts'
import type { Downstream } from './downstream.ts'
import type { ConnectionOrigin } from './origin.ts'
import { answerText, interimText, replaceHsts, responseText, type ClientFraming, type ResponseFields } from './response-text.ts'

/** What the response side needs of the connection that it is part of. */
export interface ResponseOwner {
  readonly socket: Socket
  /** The body of the present request is not read to its end. */
  readonly bodyPending: boolean
  blockBody(): void
  unblockBody(): void
  interimSent(): void
  /** More was written than the client takes. */
  awaitWrite(): void
  responseComplete(): void
  /** The connection ends, `reset` or as soon as what was written is out. */
  cutOff(reset: boolean): void
  switchProtocols(upstream: UpstreamTunnel, writer: SocketWriter): void
}

/** A body that nobody wants is read up to here to keep the connection. */
const MOST_DISCARDED = 64 * 1024

export class Http1Response implements Downstream {
  readonly http2 = false
  readonly tls: boolean
  readonly origin: ConnectionOrigin
  /** No request after the present one. */
  last = false
  readonly #owner: ResponseOwner
  readonly #context: ProxyContext
  readonly #out: SocketWriter
  /** Empty without TLS. */
  readonly #hstsField: string
  #request: RequestHead | undefined
  #chunked = false
  /** The body ends with the connection. */
  #untilClose = false

  constructor(owner: ResponseOwner, context: ProxyContext, tls: boolean, origin: ConnectionOrigin) {
    this.#owner = owner
    this.#context = context
    this.tls = tls
    this.#hstsField = tls ? context.hstsField : ''
    this.origin = origin
    this.#out = new SocketWriter(owner.socket, context.buffers, context.turn)
  }

  get clientPort(): number {
    return this.#owner.socket.remotePort ?? 0
  }

  get full(): boolean {
    return this.#out.full
  }

  get bytesOut(): number {
    return this.#out.written
  }

  /** The next response answers `request`. */
  begin(request: RequestHead, last: boolean): void {
    this.#request = request
    this.last = last
    this.#chunked = this.#untilClose = false
    this.#out.written = 0
  }

  sendInterim(head: ResponseHead): void {
    this.#out.text(interimText(head))
    this.#owner.interimSent()
  }

  sendHead(head: ResponseHead): void {
    const http11 = this.#request?.minorVersion === 1
    let framing: ClientFraming = 'as-is'
    if (head.framing === 'chunked' || head.framing === 'close') framing = http11 ? 'chunked' : 'until-close'
    this.#chunked = framing === 'chunked'
    this.#untilClose = framing === 'until-close'
    // A response that overtakes its request: where the rest of the request ends is not worth waiting for.
    if (this.#untilClose || this.#owner.bodyPending || this.#context.draining) this.last = true
    replaceHsts(head, this.#hstsField)
    this.#out.text(responseText(head, framing, this.#fields()))
  }

  sendData(buffer: Buffer, start: number, end: number): void {
    if (end === start) return
    if (this.#chunked) this.#out.bytes(buffer, start, end, `${(end - start).toString(16)}\r\n`, '\r\n')
    else this.#out.bytes(buffer, start, end)
    if (this.#out.full) this.#owner.awaitWrite()
  }

  sendEnd(trailers: string): void {
    if (this.#chunked) this.#out.text(trailers === '' ? '0\r\n\r\n' : `0\r\n${trailers}\r\n`)
    this.#chunked = false
    this.#owner.responseComplete()
  }

  sendAnswer(answer: Answer, close: boolean): void {
    if (close || this.#context.draining || (this.#owner.bodyPending && !this.#mayDiscard())) this.last = true
    this.#out.text(answerText(answer, this.#request?.method === 'HEAD', this.#fields()))
    this.#owner.responseComplete()
  }

  flushSoon(): void {
    this.#out.flushSoon()
  }

  flush(): void {
    this.#out.flush()
  }

  /** The client must not take the response for whole: without its length, only a reset tells. */
  cut(): void {
    this.flush()
    this.#owner.cutOff(this.#untilClose)
  }

  blockBody(): void {
    this.#owner.blockBody()
  }

  unblockBody(): void {
    this.#owner.unblockBody()
  }

  switchProtocols(head: ResponseHead, upstream: UpstreamTunnel): void {
    replaceHsts(head, this.#hstsField)
    head.fields += this.#hstsField
    this.#out.text(interimText(head))
    this.flush()
    this.#owner.switchProtocols(upstream, this.#out)
  }

  /** The body length of a local answer's request is known and small enough to be read and forgotten. */
  #mayDiscard(): boolean {
    const request = this.#request
    return request?.framing === 'length' && request.contentLength <= MOST_DISCARDED && !request.expectContinue
  }

  #fields(): ResponseFields {
    const { dateField, serverField } = this.#context
    let connectionField = ''
    if (this.last) connectionField = 'Connection: close\r\n'
    else if (this.#request?.minorVersion === 0) connectionField = 'Connection: keep-alive\r\n'
    return { serverField, dateField, hstsField: this.#hstsField, connectionField }
  }
}
