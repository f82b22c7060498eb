// Finds the end of a response head in what a backend sends, in any segmentation, and parses it. One object serves all responses of a connection.
import type { Limits } from '../../model/settings.ts'
import { latin1 } from '../latin1.ts'
import { HeadAccumulator } from './head-accumulator.ts'
import { legalHeadEnd } from './head-scan.ts'
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
      const headEnd = legalHeadEnd(bytes, start, end)
      if (headEnd > 0 && headEnd - start <= this.#settings.limits.responseHeadBytes) {
        this.#parse(latin1(bytes, start, headEnd), headEnd - start, toHead, true)
        return headEnd
      }
    }
    const before = this.#partial.length
    this.#partial.append(bytes, start, end)
    const length = this.#partial.end()
    if (length === 0) {
      this.invalid = this.#partial.length > this.#settings.limits.responseHeadBytes || !this.#partial.plausible()
      return end
    }
    const text = this.#partial.text(length)
    this.#partial.clear()
    if (length > this.#settings.limits.responseHeadBytes) this.invalid = true
    else this.#parse(text, length, toHead, undefined)
    return start + length - before
  }

  #parse(text: string, end: number, toHead: boolean, isLegal: boolean | undefined): void {
    this.complete = parseResponseHead(text, end, toHead, this.head, this.#settings.limits.headFields, isLegal)
    this.invalid = !this.complete
  }
}
