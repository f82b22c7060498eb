// What an exchange needs of the client's side of the wire, whichever version of HTTP is spoken there.
import type { ResponseHead } from '../http/http1/response-head.ts'
import type { UpstreamTunnel } from '../upstream/request.ts'
import type { Answer } from './answer.ts'
import type { ConnectionOrigin } from './origin.ts'

export interface Downstream {
  readonly http2: boolean
  readonly tls: boolean
  readonly origin: ConnectionOrigin
  /** Of the peer's end of the connection. */
  readonly clientPort: number
  /** More was written than the client has taken; the exchange hears `clientDrained` when that is over. */
  readonly full: boolean
  /** Bytes sent for the present request. */
  readonly bytesOut: number
  sendInterim(head: ResponseHead): void
  sendHead(head: ResponseHead): void
  sendData(buffer: Buffer, start: number, end: number): void
  /** The response is complete. */
  sendEnd(trailers: string): void
  /** A whole response. `close`: the connection must not serve another request. */
  sendAnswer(answer: Answer, close: boolean): void
  /** Writes what was gathered, at the end of this turn of the event loop. */
  flushSoon(): void
  /** The response can't be completed and the client must see it: in HTTP/2 by `code`, if there is one. */
  cut(code?: number): void
  /** Hold back the request body, or let it come. */
  blockBody(): void
  unblockBody(): void
  /** Answers 101 and joins the two. */
  switchProtocols(head: ResponseHead, upstream: UpstreamTunnel): void
}
