// Finds the end of a response head in what a backend sends, in any segmentation, and parses it. One object serves all responses of a connection.
import type { Limits } from '../../model/settings.ts'
import { HeadAccumulator } from './head-accumulator.ts'
import { scanHead, type HeadScan } from './head-scan.ts'
import { parseResponseHead, ResponseHead } from './response-head.ts'

export class ResponseHeadReader {
  readonly head = new ResponseHead()
  /** After a read: the head is complete. */
  complete = false
  /** After a read: it can't be forwarded, or can't become a head. */
  invalid = false
  readonly #settings: { readonly limits: Limits }
  readonly #partial = new HeadAccumulator()

  /** `settings.limits` may be replaced. */
  constructor(settings: { readonly limits: Limits }) {
    this.#settings = settings
  }

  /** Answers the index after the head, or `end` when there is more to wait for. `toHead`: it answers a HEAD request. */
  read(bytes: Buffer, start: number, end: number, toHead: boolean): number {
    this.complete = this.invalid = false
    if (this.#partial.length === 0) {
      const scan = scanHead(bytes, start, end)
      if (scan !== undefined && scan.length <= this.#settings.limits.responseHeadBytes) {
        this.#parse(scan, toHead)
        return start + scan.length
      }
    }
    const before = this.#partial.length
    this.#partial.append(bytes, start, end)
    const length = this.#partial.end()
    if (length === 0) {
      this.invalid = this.#partial.length > this.#settings.limits.responseHeadBytes || !this.#partial.plausible()
      return end
    }
    const scan = this.#partial.scan(length)
    this.#partial.clear()
    if (scan === undefined || length > this.#settings.limits.responseHeadBytes) this.invalid = true
    else this.#parse(scan, toHead)
    return start + length - before
  }

  #parse(scan: HeadScan, toHead: boolean): void {
    this.complete = parseResponseHead(scan, toHead, this.head, this.#settings.limits.headFields)
    this.invalid = !this.complete
  }
}
