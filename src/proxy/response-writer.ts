// Writes the responses of one HTTP/1.x connection: the client's framing, and the fields that are the proxy's own.
import type { Socket } from 'node:net'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { SocketWriter } from '../http/socket-writer.ts'
import type { Answer } from './answer.ts'
import type { ProxyContext } from './context.ts'
import { answerText, interimText, responseText, type ClientFraming, type ResponseFields } from './response-text.ts'

export class ResponseWriter {
  /** The body ends with the connection: nothing but a reset shows that it was cut. */
  untilClose = false
  readonly #context: ProxyContext
  readonly #out: SocketWriter
  #chunked = false

  constructor(socket: Socket, context: ProxyContext) {
    this.#out = new SocketWriter(socket, context.buffers)
    this.#context = context
  }

  get full(): boolean {
    return this.#out.full
  }

  /** Bytes since `begin`. */
  get written(): number {
    return this.#out.written
  }

  begin(): void {
    this.#out.written = 0
    this.#chunked = this.untilClose = false
  }

  /** 1xx, 101 too. */
  interim(head: ResponseHead): void {
    this.#out.text(interimText(head))
  }

  /** `last`: the connection ends after the response. Answers whether it must, since only that ends the body. */
  head(head: ResponseHead, minorVersion: 0 | 1, last: boolean): boolean {
    let framing: ClientFraming = 'as-is'
    if (head.framing === 'chunked' || head.framing === 'close') framing = minorVersion === 1 ? 'chunked' : 'until-close'
    this.#chunked = framing === 'chunked'
    this.untilClose = framing === 'until-close'
    this.#out.text(responseText(head, framing, this.#fields(minorVersion, last || this.untilClose)))
    return this.untilClose
  }

  data(buffer: Buffer, start: number, end: number): void {
    if (end === start) return
    if (this.#chunked) this.#out.bytes(buffer, start, end, `${(end - start).toString(16)}\r\n`, '\r\n')
    else this.#out.bytes(buffer, start, end)
  }

  end(trailers: string): void {
    if (this.#chunked) this.#out.text(trailers === '' ? '0\r\n\r\n' : `0\r\n${trailers}\r\n`)
    this.#chunked = false
  }

  answer(answer: Answer, toHead: boolean, minorVersion: 0 | 1, last: boolean): void {
    this.#out.text(answerText(answer, toHead, this.#fields(minorVersion, last)))
  }

  flush(): void {
    this.#out.flush()
  }

  #fields(minorVersion: 0 | 1, last: boolean): ResponseFields {
    const { dateField, serverField } = this.#context
    let connectionField = ''
    if (last) connectionField = 'Connection: close\r\n'
    else if (minorVersion === 0) connectionField = 'Connection: keep-alive\r\n'
    return { serverField, dateField, connectionField }
  }
}
