// Header blocks to field lists. The peer's table is kept in step whatever becomes of the fields: a list that is too large, or that nobody wants,
// is still decoded, but nothing of it is made that the table does not need.
import { latin1 } from '../../latin1.ts'
import { Field, FieldName } from '../field.ts'
import type { FieldList } from '../field-list.ts'
import { DynamicTable } from './dynamic-table.ts'
import { decodeHuffman } from './huffman.ts'
import { STATIC_FIELDS } from './static-table.ts'

const EMPTY = Buffer.alloc(0)
const STATIC_LENGTH = STATIC_FIELDS.length

/** RFC 7541 section 4.2 knows a use for two: down, then up. */
const MOST_SIZE_UPDATES = 2
const INITIAL_LIMIT = 4096

/** The static table with names of its own: those who mark names must not meet. */
export function staticTable(): readonly Field[] {
  const names = new Map<string, FieldName>()
  return STATIC_FIELDS.map(([text, value]) => {
    const name = names.get(text) ?? new FieldName(text)
    names.set(text, name)
    return new Field(name, value)
  })
}

export class Decoder {
  readonly #static: readonly Field[]
  readonly #table = new DynamicTable(INITIAL_LIMIT)
  readonly #mostBytes: number
  /** What the peer may set its table to. */
  #limit = INITIAL_LIMIT
  /** The next block has to begin with a size update. */
  #mustShrink = false
  #bytes: Buffer = EMPTY
  #position = 0
  #end = 0
  #failed = false

  /** `mostBytes`: of a field list. */
  constructor(fields: readonly Field[], mostBytes: number) {
    this.#static = fields
    this.#mostBytes = mostBytes
  }

  /** The peer has acknowledged our SETTINGS_HEADER_TABLE_SIZE. */
  setLimit(limit: number): void {
    this.#limit = limit
    if (limit < this.#table.limit) this.#mustShrink = true
  }

  /** Adds the fields of a block to `list`. False: COMPRESSION_ERROR, and the decoder is of no use any more. */
  decode(bytes: Buffer, start: number, end: number, list: FieldList): boolean {
    this.#bytes = bytes
    this.#position = start
    this.#end = end
    this.#failed = false
    this.#sizeUpdates()
    while (this.#position < end && !this.#failed) this.#field(list)
    this.#bytes = EMPTY
    return !this.#failed
  }

  #sizeUpdates(): void {
    for (let i = 0; i < MOST_SIZE_UPDATES; i++) {
      if (this.#position >= this.#end || ((this.#bytes[this.#position] ?? 0) & 0xe0) !== 0x20) break
      const limit = this.#integer(31)
      if (limit > this.#limit) this.#failed = true
      if (this.#failed) return
      this.#table.resize(limit)
      this.#mustShrink = false
    }
    if (this.#mustShrink) this.#failed = true
  }

  #field(list: FieldList): void {
    const first = this.#bytes[this.#position] ?? 0
    if ((first & 0x80) !== 0) {
      const field = this.#entry(this.#integer(127))
      if (field !== undefined) this.#deliver(field, list)
    } else if ((first & 0x40) !== 0) this.#literal(this.#integer(63), true, list)
    else if ((first & 0x20) !== 0) this.#failed = true
    else this.#literal(this.#integer(15), false, list)
  }

  #deliver(field: Field, list: FieldList): void {
    list.size += field.size
    if (list.size > this.#mostBytes) list.oversized = true
    else list.add(field)
  }

  #literal(nameIndex: number, indexed: boolean, list: FieldList): void {
    // Nobody wants it: only where it ends matters.
    const skips = list.oversized && !indexed
    let name: FieldName | undefined
    if (nameIndex !== 0) name = this.#entry(nameIndex)?.name
    else if (skips) this.#skipString()
    else {
      const text = this.#string()
      if (text !== undefined) name = new FieldName(text)
    }
    if (skips) this.#skipString()
    if (skips || name === undefined || this.#failed) return
    const value = this.#string()
    if (value === undefined) return
    const field = new Field(name, value)
    if (indexed) this.#table.add(field)
    this.#deliver(field, list)
  }

  #entry(index: number): Field | undefined {
    const field = index <= STATIC_LENGTH ? this.#static[index - 1] : this.#table.get(index - STATIC_LENGTH - 1)
    if (field === undefined) this.#failed = true
    return field
  }

  #string(): string | undefined {
    const huffman = ((this.#bytes[this.#position] ?? 0) & 0x80) !== 0
    const start = this.#skipString()
    if (this.#failed) return undefined
    if (!huffman) return latin1(this.#bytes, start, this.#position)
    const text = decodeHuffman(this.#bytes, start, this.#position)
    if (text === undefined) this.#failed = true
    return text
  }

  /** Goes behind a string; answers where its bytes begin. */
  #skipString(): number {
    if (this.#position >= this.#end) {
      this.#failed = true
      return 0
    }
    const length = this.#integer(127)
    const start = this.#position
    if (length > this.#end - start) this.#failed = true
    else this.#position = start + length
    return start
  }

  /** RFC 7541 section 5.1; `most` is the largest value of the prefix. Refuses what no length or index here can be. */
  #integer(most: number): number {
    let value = (this.#bytes[this.#position++] ?? 0) & most
    if (value < most) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#position >= this.#end) break
      const byte = this.#bytes[this.#position++] ?? 0
      value += (byte & 127) << shift
      if (byte < 128) return value
    }
    this.#failed = true
    return 0
  }
}
