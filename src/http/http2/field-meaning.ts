// What a request field of HTTP/2 means to the proxy, by its name and value alone: RFC 9113 sections 8.2 and 8.3. Worked out once for
// each entry of a dynamic table and kept there, so that a field that was seen before costs one concatenation.
import { PLAIN, TOKEN, UNDERSCORE } from '../http1/characters.ts'
import { fieldLine } from '../http1/field-lines.ts'
import { DROPPED as NOT_FORWARDED, requestFieldAction, type Action } from '../http1/request-fields.ts'

/** The line to forward, what to do with the value, or one of the numbers below. */
export type FieldMeaning = string | Action | number

/** The whole request is malformed. */
export const MALFORMED = 0
export const DROPPED = 1
export const HOST = 2
export const COOKIE = 3
export const CONTENT_LENGTH = 4
/** From here on: pseudo-header fields of requests. */
export const PSEUDO = 5
export const METHOD = 5
export const SCHEME = 6
export const AUTHORITY = 7
export const PATH = 8
export const PROTOCOL = 9

const NAMED: ReadonlyMap<string, number> = new Map([
  [':method', METHOD],
  [':scheme', SCHEME],
  [':authority', AUTHORITY],
  [':path', PATH],
  [':protocol', PROTOCOL],
  ['host', HOST],
  ['cookie', COOKIE],
  ['content-length', CONTENT_LENGTH],
  // RFC 9113 section 8.2.2.
  ['connection', MALFORMED],
  ['proxy-connection', MALFORMED],
  ['keep-alive', MALFORMED],
  ['transfer-encoding', MALFORMED],
  ['upgrade', MALFORMED],
])

/** No control character but the tab within, no white space around: section 8.2.1, with what RFC 9110 section 5.5 calls invalid refused. */
const VALUE = /^(?:[!-~\u0080-\u00ff](?:[\t -~\u0080-\u00ff]*[!-~\u0080-\u00ff])?)?$/

export function fieldMeaning(name: string, value: string): FieldMeaning {
  if (!VALUE.test(value)) return MALFORMED
  const known = NAMED.get(name)
  if (known !== undefined) return known
  const kind = nameKind(name)
  if (kind !== PLAIN) return kind === UNDERSCORE ? DROPPED : MALFORMED
  if (name === 'te' && value.toLowerCase() !== 'trailers') return MALFORMED
  const action = requestFieldAction(name, 0, name.length)
  if (action === undefined) return fieldLine(name, value)
  return action === NOT_FORWARDED ? DROPPED : action
}

/** PLAIN or UNDERSCORE, see TOKEN; 0: no name of a field in lower case, or of a pseudo-header field that there is. */
export function nameKind(name: string): number {
  let kind = name === '' ? 0 : PLAIN
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    const found = TOKEN[code] ?? 0
    if (found === 0 || (code >= 65 && code <= 90)) return 0
    if (found === UNDERSCORE) kind = UNDERSCORE
  }
  return kind
}

export function isFieldValue(value: string): boolean {
  return VALUE.test(value)
}
