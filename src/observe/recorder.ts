// What the data plane tells about its connections and finished requests. The interface alone: metrics and access log implement it.
import type { FailureKind } from '../base/failure.ts'
import type { RouteSource } from '../model/routing.ts'

/**
 * The facts of one request. One object serves many requests: copy what must outlive the call.
 * Host, path, method and request id are the client's and hostile: bounded in length, but no label of a metric.
 */
export interface RequestRecord {
  method: string
  /** Lower case, without port; empty for HTTP/1.0 without Host. */
  host: string
  /** As the client sent it, without query. */
  path: string
  /** `1.0`, `1.1`, `2`. */
  protocol: string
  tls: boolean
  clientAddress: string
  requestId: string
  /** Undefined: no route matched. */
  route: RouteSource | undefined
  /** Backend.id; empty: none was asked. */
  backend: string
  /** Endpoint.id of the last try; empty: none was reached for. */
  endpoint: string
  /** Sent to the client; 0: nothing was. */
  status: number
  /** Undefined: the backend's answer, or one of ours that is no failure (a redirect). */
  failure: FailureKind | undefined
  /** Head and body as received from the client. */
  bytesIn: number
  /** Head and body as sent to the client, before TLS. */
  bytesOut: number
  /** Endpoints tried, reused connections that turned out stale included. */
  tries: number
  /** Milliseconds since the epoch when the head was complete. */
  startedAt: number
  /** Milliseconds from the complete head to the last byte of the answer (handed to the kernel). */
  duration: number
  /** Milliseconds from the complete head to the first byte of the backend's final answer; -1: there was none. */
  responseStart: number
}

/** Called on the hot path: none of these may throw. */
export interface Recorder {
  /** Called once a request, also for those that failed or were cut. Must not keep `record`. */
  request(record: RequestRecord): void
  /** A client's connection, with TLS once its handshake is done. */
  connectionOpened(tls: boolean): void
  connectionClosed(tls: boolean): void
  /** Closed at accept: over a limit, or without the PROXY protocol header that it must begin with. */
  connectionRefused(): void
  handshakeFailed(): void
  /** Another endpoint would have been tried, but the backend's budget for that is spent. */
  retryRefused(): void
  /** After 101. */
  tunnelOpened(): void
  tunnelClosed(): void
}

const nothing = (): undefined => undefined

export const silentRecorder: Recorder = Object.freeze({
  request: nothing,
  connectionOpened: nothing,
  connectionClosed: nothing,
  connectionRefused: nothing,
  handshakeFailed: nothing,
  retryRefused: nothing,
  tunnelOpened: nothing,
  tunnelClosed: nothing,
})

export function emptyRecord(): RequestRecord {
  return {
    method: '',
    host: '',
    path: '',
    protocol: '',
    tls: false,
    clientAddress: '',
    requestId: '',
    route: undefined,
    backend: '',
    endpoint: '',
    status: 0,
    failure: undefined,
    bytesIn: 0,
    bytesOut: 0,
    tries: 0,
    startedAt: 0,
    duration: 0,
    responseStart: -1,
  }
}
