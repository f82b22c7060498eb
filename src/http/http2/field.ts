// One field of a header list, with what was worked out about it once: table entries are met again with every message.
import { isToken } from '../http1/characters.ts'

/** What a message's rules (RFC 9113 section 8) have to say about fields of a name. */
export type NameKind =
  | ':method' | ':scheme' | ':authority' | ':path' | ':protocol' | ':status'
  | 'plain' | 'content-length' | 'te'
  /** Of the connection: malformed in HTTP/2. */
  | 'connection'
  /** No name, upper case, no token, or a pseudo field that does not exist. */
  | 'illegal'

const KINDS: ReadonlyMap<string, NameKind> = new Map<string, NameKind>([
  [':method', ':method'], [':scheme', ':scheme'], [':authority', ':authority'], [':path', ':path'], [':protocol', ':protocol'], [':status', ':status'],
  ['content-length', 'content-length'], ['te', 'te'],
  ['connection', 'connection'], ['keep-alive', 'connection'], ['proxy-connection', 'connection'], ['transfer-encoding', 'connection'], ['upgrade', 'connection'],
])

/** RFC 9110 section 5.5, without white space around it (RFC 9113 section 8.2.1). */
const LEGAL_VALUE = /^(?:[!-~\u0080-\u00ff](?:[\t -~\u0080-\u00ff]*[!-~\u0080-\u00ff])?)?$/

export class FieldName {
  readonly text: string
  readonly kind: NameKind
  /** The owner's own mark for what it does with fields of this name; 0: not looked at yet. */
  tag = 0

  constructor(text: string) {
    this.text = text
    this.kind = KINDS.get(text) ?? (isToken(text) && text === text.toLowerCase() ? 'plain' : 'illegal')
  }
}

export class Field {
  readonly name: FieldName
  /** latin1. */
  readonly value: string
  /** RFC 7541 section 4.1. */
  readonly size: number
  /** The value may stand in a field. */
  readonly legal: boolean
  #line = ''

  constructor(name: FieldName, value: string) {
    this.name = name
    this.value = value
    this.size = name.text.length + value.length + 32
    this.legal = LEGAL_VALUE.test(value)
  }

  /** As in a head of HTTP/1.1: `name: value\r\n`. */
  get line(): string {
    if (this.#line === '') this.#line = this.value === '' ? `${this.name.text}:\r\n` : `${this.name.text}: ${this.value}\r\n`
    return this.#line
  }
}
