// The connection as its streams see it.
import type { ErrorCode } from './error-code.ts'
import type { Outflow } from './outflow.ts'
import type { Role } from './peer-settings.ts'
import type { Http2Stream } from './stream.ts'

/** What a stream needs of its connection. */
export interface StreamHome {
  readonly role: Role
  readonly outflow: Outflow
  /** Milliseconds of the wheel. */
  readonly now: number
  /** Of each stream, for what comes in. */
  readonly streamWindow: number
  writeHead(stream: Http2Stream, block: string, endStream: boolean): void
  writeText(text: string): void
  /** Body bytes have left us: the peer may send as many more. */
  consumed(bytes: number): void
  /** Both sides have said all. */
  completed(stream: Http2Stream): void
  /** Tells the peer, and forgets the stream. */
  giveUp(stream: Http2Stream, code: ErrorCode): void
  /** Likewise; the peer is to blame. */
  refuse(stream: Http2Stream, code: ErrorCode): void
}
