// What an upstream connection tells the exchange that uses it. Called in wire order; nothing after `responseEnd` or `upstreamFailed`.
import type { FailureKind } from '../base/failure.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import type { UpstreamConnection } from './connection.ts'

export interface ResponseSink {
  /** The connection is established and ready for a request head. */
  upstreamReady(connection: UpstreamConnection): void
  /** 1xx but 101. The head is valid during the call only. */
  interimResponse(head: ResponseHead): void
  responseHead(head: ResponseHead): void
  /** Valid during the call only. */
  responseData(buffer: Buffer, start: number, end: number): void
  /** The response is complete; the connection is in its pool again or closed. */
  responseEnd(trailers: string): void
  /** 101 to a request that asked for it: from now on the connection is the exchange's. */
  switchedProtocols(head: ResponseHead, connection: UpstreamConnection): void
  /** All that arrived at once was handed over: a good moment to write. */
  responseTurnEnd(): void
  upstreamDrained(): void
  /** The connection is gone. `responseStarted`: a byte of a response had come. */
  upstreamFailed(kind: FailureKind, connection: UpstreamConnection): void
}
