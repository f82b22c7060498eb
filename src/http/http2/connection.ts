// One connection of HTTP/2, in either role: frames in, frames out, the streams between.
// Knows no exchange, and of the socket only its writer.
import type { TimerWheel } from '../../base/timer-wheel.ts'
import type { Http2Settings } from '../../model/http2-settings.ts'
import type { SocketWriter } from '../socket-writer.ts'
import type { ErrorCode } from './error-code.ts'
import type { Http2Owner, StreamHandler } from './handlers.ts'
import type { Http2Stream } from './stream.ts'

export type Role = 'server' | 'client'

export interface Http2Environment {
  readonly settings: Http2Settings
  readonly writer: SocketWriter
  readonly wheel: TimerWheel
}

export interface Http2ConnectionApi {
  /** Open now. */
  readonly streams: number
  /** Neither side has said that it goes away. */
  readonly usable: boolean
  /** Client: the peer allows extended CONNECT. */
  readonly connectProtocol: boolean
  /** Bytes from the socket; nothing of `buffer` is kept. */
  received(buffer: Buffer, start: number, end: number): void
  /** The socket takes bytes again. */
  drained(): void
  /** Client: undefined: no stream now, since the peer allows no more or goes away. Its number is given with its head. */
  openStream(handler: StreamHandler): Http2Stream | undefined
  /** No further streams; `ended` comes with the last of the present ones. Server: in two steps, so that no request on its way is lost. */
  goAway(): void
  /** At once: GOAWAY with `code`, all streams reset, then `ended`. */
  fail(code: ErrorCode): void
  /** The socket is gone: all streams are reset, and `ended` is not called. */
  closed(): void
}

export type CreateHttp2Connection = (role: Role, environment: Http2Environment, owner: Http2Owner) => Http2ConnectionApi
