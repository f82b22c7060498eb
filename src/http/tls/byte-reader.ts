// Reads numbers and length-prefixed vectors (RFC 8446 section 3) from a part of a buffer. Past its end everything is zero or empty, and
// `failed` says so. Vectors are readers of the same buffer: a view of each would cost more than all else that is done with it.

export class ByteReader {
  failed = false
  readonly #bytes: Buffer
  readonly #end: number
  #position: number

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#position = start
    this.#end = end
  }

  get left(): number {
    return this.#end - this.#position
  }

  uint8(): number {
    return this.#number(1)
  }

  uint16(): number {
    return this.#number(2)
  }

  uint24(): number {
    return this.#number(3)
  }

  skip(count: number): void {
    this.#take(count)
  }

  /** With a length of one byte. */
  vector8(): ByteReader {
    return this.#vector(this.uint8())
  }

  vector16(): ByteReader {
    return this.#vector(this.uint16())
  }

  /** All that is left, as latin1. */
  text(): string {
    const start = this.#position
    this.#position = this.#end
    return this.#bytes.toString('latin1', start, this.#end)
  }

  #vector(length: number): ByteReader {
    const start = this.#take(length)
    return new ByteReader(this.#bytes, start, this.#position)
  }

  #number(size: number): number {
    const start = this.#take(size)
    let value = 0
    for (let at = start; at < this.#position; at++) value = (value << 8) | (this.#bytes[at] ?? 0)
    return value
  }

  /** Where what was taken begins; it ends at the position. */
  #take(count: number): number {
    const start = this.#position
    if (this.failed || count > this.#end - start) this.failed = true
    else this.#position = start + count
    return start
  }
}
