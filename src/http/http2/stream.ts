// One stream of a connection.
import type { ErrorCode } from './error-code.ts'
import type { StreamHandler } from './handlers.ts'

/** Made by the connection only. */
export interface Http2Stream {
  /** 0: a request whose head was not sent yet. */
  readonly id: number
  handler: StreamHandler
  /** The peer has sent its last frame of the message. */
  readonly received: boolean
  /** We have. */
  readonly sent: boolean
  /** More was handed over than the windows and the socket take; `drained` tells when that has ended. */
  readonly full: boolean
  /** A header block from `hpack/encoder.ts`: a request, an interim response or a final one. */
  sendHead(block: string, endStream: boolean): void
  /** Copies what the windows do not allow yet. */
  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void
  /** latin1: bodies of our own. */
  sendText(text: string, endStream: boolean): void
  /** After data; `trailers` is a header block, empty: none. */
  sendEnd(trailers: string): void
  /** Neither side says any more; the handler is not told. Nothing happens if both had ended. */
  reset(code: ErrorCode): void
  /** No `data` and no `end` until resumed. What the peer may still send waits here, bounded by the stream's window. */
  pauseReading(): void
  /** Delivers what waits, from within the call. */
  resumeReading(): void
}
