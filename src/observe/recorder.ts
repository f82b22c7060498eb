// What the data plane reports about its work, as an interface: the proxy knows no metrics and no log format.
// All of it is called on the hot path and must not throw.
import type { FailureKind } from '../base/failure.ts'
import type { Route } from '../model/routing.ts'

/** One request from its head to its last byte. The exchange itself may serve as one: nothing is kept after the call. */
export interface RequestFacts {
  /** undefined: nothing matched, and the default backend or 404 answered. */
  readonly route: Route | undefined
  /** What the client got; 499 when it left before. */
  readonly status: number
  /** Why our own answer was given instead of the backend's. */
  readonly failure: FailureKind | undefined
  /** Milliseconds since the epoch at the head's end. */
  readonly startedAt: number
  readonly durationMs: number
  /** Endpoints tried beyond the first. */
  readonly retries: number
  /** Endpoint.id of the last one tried. */
  readonly endpoint: string | undefined
  readonly method: string
  readonly host: string
  /** As it arrived, with query. */
  readonly target: string
  readonly clientAddress: string
  readonly requestId: string
  readonly tls: boolean
  /** Bodies only. */
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface Recorder {
  connectionOpened(tls: boolean): void
  connectionClosed(tls: boolean): void
  /** Closed at accept, over the limit. */
  connectionRefused(): void
  handshakeFailed(): void
  /** A tunnel (WebSocket) after 101. */
  tunnelOpened(): void
  tunnelClosed(): void
  requestDone(facts: RequestFacts): void
}

const nothing = () => undefined

export const silentRecorder: Recorder = Object.freeze({
  connectionOpened: nothing,
  connectionClosed: nothing,
  connectionRefused: nothing,
  handshakeFailed: nothing,
  tunnelOpened: nothing,
  tunnelClosed: nothing,
  requestDone: nothing,
})
