// Reads numbers and length-prefixed vectors (RFC 8446 section 3) from a buffer. Past its end everything is zero or empty, and `failed` says so.

const NOTHING = Buffer.alloc(0)

export class ByteReader {
  failed = false
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#position
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

  /** With a length of one byte. A view, as below. */
  vector8(): Buffer {
    return this.#take(this.uint8())
  }

  vector16(): Buffer {
    return this.#take(this.uint16())
  }

  #number(size: number): number {
    const bytes = this.#take(size)
    return bytes.length === 0 ? 0 : bytes.readUIntBE(0, size)
  }

  #take(count: number): Buffer {
    if (this.failed || count > this.left) {
      this.failed = true
      return NOTHING
    }
    const start = this.#position
    this.#position += count
    return this.#bytes.subarray(start, this.#position)
  }
}
