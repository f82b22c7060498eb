// The request body on its way to the backend: framed anew, and kept while it is small in case it must be sent again.
import type { BodyFraming } from '../http/http1/request-head.ts'
import type { UpstreamConnection } from '../upstream/connection.ts'

/** Bodies up to this size can be repeated. */
const MOST_KEPT = 16 * 1024

export class RequestBody {
  /** All that was sent is still here. */
  repeatable = true
  #framing: BodyFraming = 'none'
  #keeping = false
  #kept: Buffer[] = []
  #size = 0
  #ended = false
  #trailers = ''

  /** `keep`: the method may be repeated. */
  start(framing: BodyFraming, keep: boolean): void {
    this.#framing = framing
    this.#keeping = keep
    this.repeatable = true
    this.#ended = framing === 'none'
    this.#size = 0
    this.#trailers = ''
    if (this.#kept.length > 0) this.#kept = []
  }

  clear(): void {
    if (this.#kept.length > 0) this.#kept = []
  }

  write(upstream: UpstreamConnection, buffer: Buffer, start: number, end: number): void {
    if (end === start) return
    this.#keep(buffer, start, end)
    this.#frame(upstream, buffer, start, end)
  }

  end(upstream: UpstreamConnection | undefined, trailers: string): void {
    this.#ended = true
    this.#trailers = trailers
    if (upstream !== undefined) this.#finish(upstream)
  }

  /** Writes what was sent before, on another connection. For a first try: nothing, or the end of a request without body. */
  replay(upstream: UpstreamConnection): void {
    for (const part of this.#kept) this.#frame(upstream, part, 0, part.length)
    if (this.#ended) this.#finish(upstream)
  }

  #frame(upstream: UpstreamConnection, buffer: Buffer, start: number, end: number): void {
    if (this.#framing === 'chunked') upstream.writer.bytes(buffer, start, end, `${(end - start).toString(16)}\r\n`, '\r\n')
    else upstream.writer.bytes(buffer, start, end)
  }

  #finish(upstream: UpstreamConnection): void {
    if (this.#framing === 'chunked') upstream.writer.text(`0\r\n${this.#trailers}\r\n`)
    upstream.requestComplete = true
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    this.#size += end - start
    if (this.#keeping && this.#size <= MOST_KEPT) {
      this.#kept.push(Buffer.from(buffer.subarray(start, end)))
      return
    }
    this.repeatable = false
    if (this.#kept.length > 0) this.#kept = []
  }
}
