// What a request on its way to an endpoint tells the exchange. Called in wire order; nothing after `responseEnd` or `upstreamFailed`.
import type { FailureKind } from '../base/failure.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import type { Timeouts } from '../model/settings.ts'
import type { UpstreamRequest, UpstreamTunnel } from './request.ts'

/** What an endpoint has time for. */
export type UpstreamTimeouts = Pick<Timeouts, 'connect' | 'read' | 'send'>

export interface ResponseSink {
  readonly timeouts: UpstreamTimeouts
  /** The first that is heard of one from `connect`, which may be ready or have failed before `connect` returns. */
  upstreamComing(upstream: UpstreamRequest): void
  /** There is a connection, ready for the head. */
  upstreamReady(upstream: UpstreamRequest): void
  /** 1xx but 101. The head is valid during the call only. */
  interimResponse(head: ResponseHead): void
  responseHead(head: ResponseHead): void
  /** Valid during the call only. */
  responseData(buffer: Buffer, start: number, end: number): void
  /** Nothing more comes but `responseEnd`: from now on the connection is somebody else's, perhaps before that. */
  upstreamDone(): void
  /** The response is complete. */
  responseEnd(trailers: string): void
  /** 101 to a request that asked for it: from now on the connection is the exchange's. */
  switchedProtocols(head: ResponseHead, upstream: UpstreamTunnel): void
  /** All that arrived at once was handed over: a good moment to write. */
  responseTurnEnd(): void
  upstreamDrained(): void
  /** It is over without a response, or without the rest of it. */
  upstreamFailed(kind: FailureKind, upstream: UpstreamRequest): void
}
