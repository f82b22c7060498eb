// Who a connection of HTTP/2 and its streams report to. Calls come from within `received`, unless said otherwise; what they are handed
// (field lists, buffers) is valid during the call only.
import type { ErrorCode } from './error-code.ts'
import type { FieldList } from './field-list.ts'
import type { Http2Stream } from './stream.ts'

export interface StreamHandler {
  /** The final head: of a request (server) or a response (client). `endStream`: there is no body, and `end` is not called. */
  head(list: FieldList, endStream: boolean): void
  /** Client only: 1xx. */
  interim(list: FieldList): void
  data(buffer: Buffer, start: number, end: number): void
  /** The message is whole. Its length is that of its Content-Length, if it had one. */
  end(trailers: FieldList | undefined): void
  /** The stream is gone: the peer reset it, the message broke a rule (the peer was told), or the connection is lost. Called at most once,
   * never after `reset` of the stream itself; also after `end` if our own message was not at its end. `unprocessed`: the peer says that it has not acted on the request, which may be sent again. */
  reset(code: ErrorCode, unprocessed: boolean): void
  /** `full` has ended, or what waited is out with the end of the stream (then `sent` is true). Also from within `drained` of the connection. */
  drained(): void
  /** All that arrived at once for this stream was handed over. */
  turnEnd(): void
}

export interface Http2Owner {
  /** Server: the peer opened a stream; `head` of what is returned follows at once. */
  opened(stream: Http2Stream): StreamHandler
  /** Server: the peer opened one with a head that breaks a rule; it was reset. `list` is as far as it was understood. */
  malformed?(list: FieldList): void
  /** The last open stream has ended. */
  idle(): void
  /** Client: the peer's SETTINGS came, or a stream has ended that `openStream` may have been refused for. */
  streamsAvailable(): void
  /** The peer goes away. Client: no stream can be opened any more; those that it did not act on got `reset(…, true)`. */
  goingAway(code: ErrorCode): void
  /** Everything is said and done, or given up with `code`; all streams have heard of it, what was written is flushed. The owner closes the socket
   * (with NO_ERROR once its output is out, otherwise after lingering: the GOAWAY should arrive). Also from timers. */
  ended(code: ErrorCode): void
}

/** Of a stream whose owner has not named one yet. */
export const UNHEARD: StreamHandler = {
  head: () => undefined,
  interim: () => undefined,
  data: () => undefined,
  end: () => undefined,
  reset: () => undefined,
  drained: () => undefined,
  turnEnd: () => undefined,
}
