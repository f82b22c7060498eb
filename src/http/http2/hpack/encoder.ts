// Header blocks as latin1 text. Stateless by choice: no entry goes into the peer's dynamic table, so that a field's text is worked out once a
// thread, whichever connection it goes out on, and no connection keeps a table. Nor Huffman: it would cost more than the bytes it saves.
import { STATIC_FIELDS } from './static-table.ts'

/** By name, and by `name: value`; where several entries have a name, the first. */
const NAMES = new Map<string, number>()
const FIELDS = new Map<string, string>()
STATIC_FIELDS.forEach(([name, value], index) => {
  if (!NAMES.has(name)) NAMES.set(name, index + 1)
  if (value !== '') FIELDS.set(`${name}: ${value}`, encodeInteger(index + 1, 7, 0x80))
})

/** Worth guessing at from what they compress to: never in a table, here or further on (RFC 7541 section 7.1.3). */
const SENSITIVE: ReadonlySet<string> = new Set(['authorization', 'cookie', 'set-cookie', 'proxy-authorization'])
const NEVER_INDEXED = 0x10

/** RFC 7541 section 5.1; `first` are the bits before the prefix. */
export function encodeInteger(value: number, prefix: number, first: number): string {
  const most = (1 << prefix) - 1
  if (value < most) return String.fromCharCode(first | value)
  let text = String.fromCharCode(first | most)
  let rest = value - most
  while (rest >= 128) {
    text += String.fromCharCode((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return text + String.fromCharCode(rest)
}

function encodeString(text: string): string {
  return encodeInteger(text.length, 7, 0) + text
}

/** `name` in lower case; pseudo fields too. */
export function encodeField(name: string, value: string): string {
  const index = NAMES.get(name)
  const first = SENSITIVE.has(name) ? NEVER_INDEXED : 0
  if (index === undefined) return String.fromCharCode(first) + encodeString(name) + encodeString(value)
  return FIELDS.get(`${name}: ${value}`) ?? encodeInteger(index, 4, first) + encodeString(value)
}

const STATUSES: string[] = []

export function encodeStatus(status: number): string {
  return (STATUSES[status] ??= encodeField(':status', String(status)))
}

/** Of lines, two generations: what was not met while the younger one filled up is forgotten. */
const MOST_CACHED = 1024
const LONGEST_CACHED = 256
let young = new Map<string, string>()
let old = new Map<string, string>()

/** `fields` are lines `Name: value\r\n` or `Name:\r\n`, their names in either case. */
export function encodeFieldLines(fields: string): string {
  let block = ''
  let position = 0
  while (position < fields.length) {
    const end = fields.indexOf('\n', position) + 1
    if (end === 0) break
    block += encodeLine(fields.slice(position, end))
    position = end
  }
  return block
}

function encodeLine(line: string): string {
  const known = young.get(line)
  if (known !== undefined) return known
  const colon = line.indexOf(':')
  const name = line.slice(0, colon).toLowerCase()
  const end = line.length - 2
  const field = old.get(line) ?? encodeField(name, line.slice(Math.min(colon + 2, end), end))
  // What is sensitive is not kept.
  if (line.length > LONGEST_CACHED || SENSITIVE.has(name)) return field
  if (young.size >= MOST_CACHED) {
    old = young
    young = new Map()
  }
  young.set(line, field)
  return field
}
