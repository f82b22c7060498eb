// Finds the end of a request head in what a client sends, in any segmentation, and refuses early what can't become one.
import type { FailureKind } from '../../base/failure.ts'
import type { Limits } from '../../model/settings.ts'
import { latin1 } from '../latin1.ts'
import { HeadAccumulator } from './head-accumulator.ts'
import { legalHeadEnd } from './head-scan.ts'

/** RFC 9112 section 2.2 asks for one to be ignored. */
const MOST_EMPTY_LINES = 4
const CR = 13

export class RequestHeadReader {
  /** After a read: latin1, holds the head up to `end`. To be let go of when the head is parsed. */
  text = ''
  /** Index after the empty line; 0: the head is not complete. */
  end = 0
  /** No byte of it is one that no head may hold. False: it was not looked at. */
  isLegal = false
  /** Why it can't become a head. */
  fault: FailureKind | undefined
  readonly #limits: Limits
  readonly #partial = new HeadAccumulator()
  #emptyLines = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Bytes of a head that is not complete. */
  get pending(): number {
    return this.#partial.length
  }

  clear(): void {
    this.#partial.clear()
    this.#emptyLines = 0
  }

  /** Answers the index after the head, or `end` when there is more to wait for. Sets `text` and `end`, or `fault`. */
  read(buffer: Buffer, start: number, end: number): number {
    this.end = 0
    this.isLegal = false
    this.fault = undefined
    if (this.#partial.length === 0 && buffer[start] !== CR) {
      const headEnd = legalHeadEnd(buffer, start, end)
      if (headEnd > 0) {
        this.text = latin1(buffer, start, headEnd)
        this.end = headEnd - start
        this.isLegal = true
        this.#emptyLines = 0
        return headEnd
      }
    }
    return this.#readPartial(buffer, start, end)
  }

  #readPartial(buffer: Buffer, start: number, end: number): number {
    const partial = this.#partial
    partial.append(buffer, start, end)
    this.#emptyLines += partial.skipEmptyLines()
    if (this.#emptyLines > MOST_EMPTY_LINES) this.fault = 'bad-request'
    else {
      this.end = partial.end()
      if (this.end > 0) {
        const rest = partial.length - this.end
        this.text = partial.text(this.end)
        this.clear()
        return end - rest
      }
      this.fault = this.#implausible()
    }
    return end
  }

  #implausible(): FailureKind | undefined {
    const firstLine = this.#partial.firstLine()
    if (!this.#partial.plausible()) return 'bad-request'
    if (firstLine > this.#limits.requestLineBytes + 2) return 'target-too-long'
    return this.#partial.length - firstLine > this.#limits.headBytes ? 'head-too-large' : undefined
  }
}
