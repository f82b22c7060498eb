// The request body on its way to the backend: kept while it is small in case it must be sent again.
import type { UpstreamRequest } from '../upstream/request.ts'

/** Bodies up to this size can be repeated. */
const MOST_KEPT = 16 * 1024

export class RequestBody {
  /** All that was sent is still here. */
  repeatable = true
  #keeping = false
  #kept: Buffer[] = []
  #size = 0
  #ended = false
  #trailers = ''

  /** `empty`: there is none. `keep`: the method may be repeated. */
  start(empty: boolean, keep: boolean): void {
    this.#keeping = keep
    this.repeatable = true
    this.#ended = empty
    this.#size = 0
    this.#trailers = ''
    if (this.#kept.length > 0) this.#kept = []
  }

  clear(): void {
    if (this.#kept.length > 0) this.#kept = []
  }

  /** Though the method may not be repeated: the endpoint may say that it has not acted on the request. Before anything was sent of it. */
  keep(): void {
    if (this.#size === 0) this.#keeping = true
  }

  /** It won't be asked for again. */
  forget(): void {
    if (this.#kept.length === 0) return
    this.#kept = []
    this.#keeping = this.repeatable = false
  }

  write(upstream: UpstreamRequest, buffer: Buffer, start: number, end: number): void {
    if (end === start) return
    this.#hold(buffer, start, end)
    upstream.sendData(buffer, start, end)
  }

  end(upstream: UpstreamRequest | undefined, trailers: string): void {
    // The end of an empty body was sent with the head.
    if (this.#ended) return
    this.#ended = true
    this.#trailers = trailers
    upstream?.sendEnd(trailers)
  }

  /** Sends what was sent before, once more. For a first try: nothing, or the end of a request without body. */
  replay(upstream: UpstreamRequest): void {
    for (const part of this.#kept) upstream.sendData(part, 0, part.length)
    if (this.#ended) upstream.sendEnd(this.#trailers)
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    this.#size += end - start
    if (this.#keeping && this.#size <= MOST_KEPT) {
      this.#kept.push(Buffer.from(buffer.subarray(start, end)))
      return
    }
    this.repeatable = false
    if (this.#kept.length > 0) this.#kept = []
  }
}
