// The dynamic table of RFC 7541 section 2.3.2 as a ring: the newest entry has the lowest index.
import type { Field } from '../field.ts'

export class DynamicTable {
  /** Bytes of all entries (RFC 7541 section 4.1). */
  size = 0
  /** Entries. */
  length = 0
  limit: number
  #ring: (Field | undefined)[] = Array.from({ length: 16 }, () => undefined)
  /** Where the next entry goes. */
  #next = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** The newest is 0. */
  get(index: number): Field | undefined {
    if (index >= this.length) return undefined
    const ring = this.#ring
    return ring[(this.#next - 1 - index) & (ring.length - 1)]
  }

  add(field: Field): void {
    this.#evict(this.limit - field.size)
    // Larger than the table: that it empties the table is all (RFC 7541 section 4.4).
    if (field.size > this.limit) return
    if (this.length === this.#ring.length) this.#grow()
    this.#ring[this.#next] = field
    this.#next = (this.#next + 1) & (this.#ring.length - 1)
    this.length++
    this.size += field.size
  }

  resize(limit: number): void {
    this.limit = limit
    this.#evict(limit)
  }

  #evict(room: number): void {
    const ring = this.#ring
    while (this.length > 0 && this.size > room) {
      const at = (this.#next - this.length) & (ring.length - 1)
      this.size -= ring[at]?.size ?? 0
      ring[at] = undefined
      this.length--
    }
  }

  #grow(): void {
    const old = this.#ring
    const ring = Array.from<undefined, Field | undefined>({ length: old.length * 2 }, () => undefined)
    for (let i = 0; i < this.length; i++) ring[i] = old[(this.#next - this.length + i) & (old.length - 1)]
    this.#next = this.length
    this.#ring = ring
  }
}
