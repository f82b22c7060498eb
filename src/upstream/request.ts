// A request on its way to an endpoint, whatever is spoken there: all that the exchange may do with it.
import type { RequestHead } from '../http/http1/request-head.ts'
import type { Tunnel, TunnelEnd } from '../http/tunnel.ts'
import type { ResponseSink } from './response-sink.ts'

export interface UpstreamRequest {
  /** Its connection served a request before: that it fails says nothing of the endpoint. */
  readonly reused: boolean
  /** It was sent to its end. */
  readonly requestComplete: boolean
  /** A byte of the response has come. */
  readonly responseStarted: boolean
  /** The endpoint can say that it has not acted on the request. */
  readonly mayRefuse: boolean
  /** Why the endpoint has reset it: an error code of HTTP/2; 0: it has not. */
  readonly resetCode: number
  /** More was sent than the endpoint has taken; the sink hears `upstreamDrained` when that is over. */
  readonly full: boolean
  /** `originFields`: serialised, who asks. From here on the sink hears of the response. */
  sendHead(sink: ResponseSink, request: RequestHead, requestId: string, originFields: string): void
  /** Part of the body: at least a byte. */
  sendData(buffer: Buffer, start: number, end: number): void
  /** The request is complete. `trailers`: serialised, empty where the body was not chunked. */
  sendEnd(trailers: string): void
  flush(): void
  /** At the end of this turn of the event loop. */
  flushSoon(): void
  /** The endpoint has `timeouts.read` from now. */
  awaitResponse(): void
  /** It is the client who has to go on: no deadline for the endpoint. */
  awaitRequest(): void
  /** The endpoint does not take the request: it has `timeouts.send` from now. */
  awaitDrain(): void
  /** The client does not take the response: no fault of the endpoint. */
  pauseReading(): void
  resumeReading(): void
  /** Ends it at once; the sink hears nothing. */
  destroy(): void
}

/** The endpoint's side after a 101. */
export interface UpstreamTunnel {
  tunnelEnd(): TunnelEnd
  startTunnel(tunnel: Tunnel): void
}
