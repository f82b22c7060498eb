// Body bytes that wait, copied from where they lay. Many small pieces become few buffers: what is kept is near what was said.

const SMALLEST = 512
const LARGEST = 16 * 1024

export class ByteQueue {
  /** Bytes in it. */
  size = 0
  readonly #chunks: Buffer[] = []
  /** Where the bytes of the first chunk begin. */
  #start = 0
  /** Where those of the last one end. */
  #end = 0

  push(buffer: Buffer, start: number, end: number): void {
    this.size += end - start
    let position = start
    const last = this.#chunks.at(-1)
    if (last !== undefined) {
      const count = Math.min(last.length - this.#end, end - start)
      this.#end += buffer.copy(last, this.#end, start, start + count)
      position += count
    }
    if (position === end) return
    const chunk = Buffer.allocUnsafeSlow(Math.max(end - position, last === undefined ? SMALLEST : Math.min(2 * last.length, LARGEST)))
    this.#end = buffer.copy(chunk, 0, position, end)
    this.#chunks.push(chunk)
  }

  /** The bytes that come first; undefined: none. They stay until `take`. */
  first(): Buffer | undefined {
    const chunk = this.#chunks[0]
    return chunk?.subarray(this.#start, this.#chunks.length === 1 ? this.#end : chunk.length)
  }

  /** So many of what `first` showed are done with. */
  take(count: number): void {
    this.size -= count
    this.#start += count
    const chunk = this.#chunks[0]
    if (chunk === undefined || this.#start < (this.#chunks.length === 1 ? this.#end : chunk.length)) return
    this.#chunks.shift()
    this.#start = 0
  }

  clear(): void {
    this.#chunks.length = this.#start = this.#end = this.size = 0
  }
}
