// Holds a head that did not arrive in one piece. Most do, and never come here.
import { ILLEGAL } from './characters.ts'
import { scanHead, type HeadScan } from './head-scan.ts'

const LF = 10
const CR = 13
const END = Buffer.from('\r\n\r\n', 'latin1')
const BARE_LF = /[^\r]\n/

export class HeadAccumulator {
  #buffer: Buffer | undefined
  #length = 0
  #checked = 0

  get length(): number {
    return this.#length
  }

  clear(): void {
    this.#buffer = undefined
    this.#length = this.#checked = 0
  }

  append(buffer: Buffer, start: number, end: number): void {
    const needed = this.#length + end - start
    if (this.#buffer === undefined || this.#buffer.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, 2 * needed))
      this.#buffer?.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    buffer.copy(this.#buffer, this.#length, start, end)
    this.#length = needed
  }

  /** Takes off empty lines before the head (RFC 9112 section 2.2) and answers how many there were. */
  skipEmptyLines(): number {
    let lines = 0
    const held = this.#buffer
    if (held === undefined) return 0
    while (2 * lines + 1 < this.#length && held[2 * lines] === CR && held[2 * lines + 1] === LF) lines++
    if (lines > 0) {
      held.copy(held, 0, 2 * lines, this.#length)
      this.#length -= 2 * lines
      this.#checked = 0
    }
    return lines
  }

  /** The index after the empty line; 0: it is not there yet. */
  end(): number {
    const found = this.#held().indexOf(END, Math.max(0, this.#checked - 3))
    return found < 0 ? 0 : found + END.length
  }

  /** The head up to `end`; undefined: it is not legal. */
  scan(end: number): HeadScan | undefined {
    return scanHead(this.#held(), 0, end)
  }

  /** Length of the first line so far, line end included. */
  firstLine(): number {
    const lineFeed = this.#held().indexOf(LF)
    return lineFeed < 0 ? this.#length : lineFeed + 1
  }

  /** False when what is there can't become a head: told before the rest arrives, since it may never. */
  plausible(): boolean {
    const from = Math.max(0, this.#checked - 1)
    const text = this.#held().toString('latin1', from)
    this.#checked = this.#length
    return !ILLEGAL.test(text) && !BARE_LF.test(text) && !(from === 0 && text.startsWith('\n'))
  }

  #held(): Buffer {
    return (this.#buffer ?? Buffer.alloc(0)).subarray(0, this.#length)
  }
}
