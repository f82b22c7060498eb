// A field section as it was decoded, held against the rules for messages (RFC 9113 sections 8.2, 8.3 and RFC 8441).
// One object serves all messages of a connection: it is valid during the call that hands it over.
import { parseContentLength } from '../http1/request-fields.ts'
import type { Field } from './field.ts'

/** What the section begins or ends. */
export type Section = 'request' | 'response' | 'trailers'

export class FieldList {
  /** Pseudo fields; empty: not there. */
  method = ''
  scheme = ''
  authority = ''
  path = ''
  protocol = ''
  /** 0: not there. */
  status = 0
  /** -1: not there. */
  contentLength = -1
  /** All but the pseudo fields, in order: legal names and values, none about the connection, `te` at most `trailers`. */
  readonly fields: Field[] = []
  /** RFC 7541 section 4.1, of the whole section. */
  size = 0
  /** Larger than `headerListBytes`: what came beyond it is not here. */
  oversized = false
  /** Breaks a rule that every section has to keep. */
  malformed = false
  #pseudo = 0

  clear(): void {
    this.method = this.scheme = this.authority = this.path = this.protocol = ''
    this.status = this.size = this.#pseudo = 0
    this.contentLength = -1
    this.fields.length = 0
    this.oversized = this.malformed = false
  }

  /** Of what a section of trailers holds. */
  copy(): FieldList {
    const copy = new FieldList()
    copy.fields.push(...this.fields)
    copy.size = this.size
    return copy
  }

  add(field: Field): void {
    const { kind } = field.name
    if (!field.legal) this.malformed = true
    if (kind === 'plain') {
      this.fields.push(field)
      return
    }
    this.#addSpecial(field)
  }

  #addSpecial(field: Field): void {
    const { value } = field
    switch (field.name.kind) {
      case ':method':
        this.method = this.#once(1, value)
        return
      case ':scheme':
        this.scheme = this.#once(2, value)
        return
      case ':authority':
        this.authority = this.#once(4, value)
        return
      case ':path':
        this.path = this.#once(8, value)
        return
      case ':protocol':
        this.protocol = this.#once(16, value)
        return
      case ':status':
        this.status = /^[1-9]\d\d$/.test(this.#once(32, value)) ? Number(value) : 0
        return
      case 'content-length':
        // Said twice it is malformed, even with one meaning: no client does that.
        if (this.contentLength >= 0) this.malformed = true
        this.contentLength = parseContentLength(value)
        if (this.contentLength < 0) this.malformed = true
        break
      case 'te':
        if (value.toLowerCase() !== 'trailers') this.malformed = true
        break
      case 'connection':
      case 'illegal':
        this.malformed = true
        return
      case 'plain':
        break
    }
    this.fields.push(field)
  }

  /** Pseudo fields come once, before all others. */
  #once(bit: number, value: string): string {
    if ((this.#pseudo & bit) !== 0 || this.fields.length > 0) this.malformed = true
    this.#pseudo |= bit
    return value
  }

  /** Whether the section may be a message's; `extended`: CONNECT may name a protocol. */
  isWellFormed(section: Section, extended: boolean): boolean {
    if (this.malformed) return false
    const present = this.#pseudo
    if (section === 'trailers') return present === 0
    // 101 is how HTTP/1.1 switches protocols (RFC 9113 section 8.6).
    if (section === 'response') return present === 32 && this.status >= 100 && this.status !== 101
    if ((present & 32) !== 0 || this.method === '') return false
    if (this.method !== 'CONNECT') return (present & 27) === 11 && this.scheme !== '' && this.path !== ''
    if (present === 5) return this.authority !== ''
    return extended && present === 31 && this.protocol !== '' && this.scheme !== '' && this.path !== ''
  }
}
