// From a response's field section to the head that the exchange knows, and from trailers to their text.
import { mayTrail } from '../http1/trailers.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { FieldList } from './field-list.ts'
import type { FieldName } from './field.ts'

// What is done with a field of a name, as its tag.
const FORWARD = 1
const DROP = 2
const LENGTH = 3
const SERVER = 4
const DATE = 5
const HSTS = 6
/** Not in trailers. */
const HEAD_ONLY = 8

const TAGS: Readonly<Record<string, number>> = {
  'content-length': LENGTH,
  server: SERVER,
  date: DATE,
  'strict-transport-security': HSTS,
  'proxy-authenticate': DROP,
  te: DROP,
  'http2-settings': DROP,
}

function tagOf(name: FieldName): number {
  if (name.tag === 0) name.tag = (Object.hasOwn(TAGS, name.text) ? (TAGS[name.text] ?? DROP) : FORWARD) | (mayTrail(name.text) ? 0 : HEAD_ONLY)
  return name.tag
}

/** `endStream`: there is no body. `toHead`: it answers a HEAD request. */
export function responseHeadOf(list: FieldList, endStream: boolean, toHead: boolean, head: ResponseHead): void {
  const { status, fields, contentLength } = list
  head.status = status
  head.reason = ''
  head.hasServer = head.hasDate = head.hasHsts = head.chunked = false
  head.keepAlive = true
  head.mayTrail = !endStream
  head.upgrade = head.connection = ''
  let text = ''
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    if (field === undefined) continue
    const tag = tagOf(field.name) & 7
    if (tag === LENGTH || tag === DROP) continue
    if (tag === SERVER) head.hasServer = true
    else if (tag === DATE) head.hasDate = true
    else if (tag === HSTS) head.hasHsts = true
    text += field.line
  }
  head.fields = text
  const bodiless = toHead || status === 204 || status === 304 || status < 200
  // Without a body and without its length, the length is known all the same.
  head.contentLength = contentLength < 0 && endStream && !bodiless ? 0 : contentLength
  head.contentLengthLine = head.contentLength < 0 ? '' : `Content-Length: ${head.contentLength}\r\n`
  head.framing = bodiless ? 'none' : head.contentLength >= 0 ? 'length' : 'chunked'
}

/** Those that may be forwarded, serialised. */
export function trailersText(list: FieldList | undefined): string {
  let text = ''
  for (const { name, line } of list?.fields ?? []) {
    const tag = tagOf(name)
    if ((tag & HEAD_ONLY) === 0 && (tag & 7) !== DROP) text += line
  }
  return text
}
