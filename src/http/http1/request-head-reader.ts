// Finds the end of a request head in what a client sends, in any segmentation, and refuses early what can't become one.
import type { FailureKind } from '../../base/failure.ts'
import type { Limits } from '../../model/settings.ts'
import { HeadAccumulator } from './head-accumulator.ts'
import { scanHead, type HeadScan } from './head-scan.ts'

/** RFC 9112 section 2.2 asks for one to be ignored. */
const MOST_EMPTY_LINES = 4
const CR = 13

export class RequestHeadReader {
  /** After a read: the head, to be parsed before anything else is read; undefined: it is not complete, or see `fault`. */
  head: HeadScan | undefined
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

  /** Answers the index after the head, or `end` when there is more to wait for. Sets `head` or `fault`. */
  read(buffer: Buffer, start: number, end: number): number {
    this.fault = undefined
    if (this.#partial.length === 0 && buffer[start] !== CR) {
      this.head = scanHead(buffer, start, end)
      if (this.head !== undefined) {
        this.#emptyLines = 0
        return start + this.head.length
      }
    }
    return this.#readPartial(buffer, start, end)
  }

  #readPartial(buffer: Buffer, start: number, end: number): number {
    const partial = this.#partial
    this.head = undefined
    partial.append(buffer, start, end)
    this.#emptyLines += partial.skipEmptyLines()
    if (this.#emptyLines > MOST_EMPTY_LINES) this.fault = 'bad-request'
    else {
      const headEnd = partial.end()
      this.head = headEnd > 0 ? partial.scan(headEnd) : undefined
      if (this.head !== undefined) {
        const rest = partial.length - headEnd
        this.clear()
        return end - rest
      }
      this.fault = headEnd > 0 ? this.#illegal(headEnd) : this.#implausible()
    }
    return end
  }

  /** A complete head that holds what no head may hold: too long counts for more. */
  #illegal(headEnd: number): FailureKind {
    const firstLine = this.#partial.firstLine()
    if (firstLine > this.#limits.requestLineBytes + 2) return 'target-too-long'
    return headEnd - firstLine > this.#limits.headBytes ? 'head-too-large' : 'bad-request'
  }

  #implausible(): FailureKind | undefined {
    const firstLine = this.#partial.firstLine()
    if (!this.#partial.plausible()) return 'bad-request'
    if (firstLine > this.#limits.requestLineBytes + 2) return 'target-too-long'
    return this.#partial.length - firstLine > this.#limits.headBytes ? 'head-too-large' : undefined
  }
}
