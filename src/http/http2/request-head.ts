// From the fields of an HTTP/2 request to the head that the exchange works with, the same as that of an HTTP/1.1 request: RFC 9113
// section 8.3.1. What passes here is read in one way only once it is written as HTTP/1.1. Knows neither frames nor routes.
import type { FailureKind } from '../../base/failure.ts'
import type { Limits } from '../../model/settings.ts'
import { isToken, NOT_IN_TARGET } from '../http1/characters.ts'
import { hostName } from '../http1/host.ts'
import { parseContentLength } from '../http1/request-fields.ts'
import { settleExpect, type RequestHead } from '../http1/request-head.ts'
import { setTarget } from '../http1/request-line.ts'
import { trailerLine } from '../http1/trailers.ts'
import * as meaning from './field-meaning.ts'
import type { FieldMeaning } from './field-meaning.ts'

/** A decoded field. */
export interface RequestField {
  readonly name: string
  readonly value: string
  /** Kept with it. */
  note: FieldMeaning | undefined
}

/** `malformed`: a stream error of type PROTOCOL_ERROR, RFC 9113 section 8.1.1. Else the status to answer. */
export type RequestFault = 'malformed' | FailureKind

/** As HTTP/1 counts them: ` HTTP/1.1` and the space before the target; the colon, the space and the line end. */
const REQUEST_LINE_EXTRA = 10
const FIELD_EXTRA = 4
const TRAILERS_LIMIT = 16 * 1024

const SLASH = 47

/** `head` holds what was understood, whatever the answer. `endStream`: no body follows. */
export function readRequestFields(list: readonly RequestField[], endStream: boolean, head: RequestHead, limits: Limits): RequestFault | undefined {
  head.reset()
  let method: string | undefined
  let scheme: string | undefined
  let authority: string | undefined
  let path: string | undefined
  let protocol: string | undefined
  let host: string | undefined
  let fields = ''
  let cookie = ''
  let count = 0
  let size = 0
  let refusal: FailureKind | undefined
  for (let i = 0; i < list.length; i++) {
    const field = list[i]
    if (field === undefined) continue
    const { value } = field
    const means = (field.note ??= meaning.fieldMeaning(field.name, value))
    if (typeof means === 'number' && means >= meaning.PSEUDO) {
      // Before all others, each at most once.
      if (count > 0) return 'malformed'
      if (means === meaning.METHOD && method === undefined) method = value
      else if (means === meaning.SCHEME && scheme === undefined) scheme = value
      else if (means === meaning.AUTHORITY && authority === undefined) authority = value
      else if (means === meaning.PATH && path === undefined) path = value
      else if (means === meaning.PROTOCOL && protocol === undefined) protocol = value
      else return 'malformed'
      continue
    }
    count++
    size += field.name.length + value.length + FIELD_EXTRA
    if (typeof means === 'string') fields += means
    else if (typeof means === 'function') refusal ??= means(head, value)
    else if (means === meaning.COOKIE) {
      // Section 8.2.3. A browser may send each of its cookies on its own: together they are one field.
      if (cookie !== '') count--
      cookie = cookie === '' ? `cookie: ${value}` : `${cookie}; ${value}`
    } else if (means === meaning.HOST) {
      if (host !== undefined) return 'malformed'
      host = value
    } else if (means === meaning.CONTENT_LENGTH) {
      const length = parseContentLength(value)
      if (length < 0 || head.lengthSeen) return 'malformed'
      head.lengthSeen = true
      head.contentLength = length
    } else if (means === meaning.MALFORMED) return 'malformed'
  }
  head.fields = cookie === '' ? fields : `${fields}${cookie}\r\n`
  head.method = method ?? ''
  setTarget(head, path ?? '')
  const fault = settleAuthority(head, authority, host)
  if (fault === 'malformed' || method === undefined || !isToken(method) || (endStream && head.contentLength > 0)) return 'malformed'
  if (method === 'CONNECT') return settleConnect(scheme, authority, path, protocol) ?? fault ?? 'method-not-allowed'
  if (protocol !== undefined || scheme === undefined || path === undefined || path === '') return 'malformed'
  if (fault !== undefined) return fault
  if (method.length + path.length + REQUEST_LINE_EXTRA > limits.requestLineBytes) return 'target-too-long'
  if (size > limits.headBytes || count > limits.headFields) return 'head-too-large'
  if (method === 'TRACE') return 'method-not-allowed'
  if (!isScheme(scheme) || NOT_IN_TARGET.test(path) || (path.charCodeAt(0) !== SLASH && !(path === '*' && method === 'OPTIONS'))) return 'bad-request'
  if (head.lengthSeen) head.framing = 'length'
  else if (!endStream) head.framing = 'chunked'
  return refusal ?? settleExpect(head)
}

/** Host may repeat the authority and, against the recommendation, stand for it; it may not say otherwise. */
function settleAuthority(head: RequestHead, authority: string | undefined, host: string | undefined): RequestFault | undefined {
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase()) return 'malformed'
  const value = authority ?? host ?? ''
  const name = value === '' ? undefined : hostName(value)
  if (name === undefined) return value.includes('@') ? 'malformed' : 'bad-request'
  head.host = value
  head.hostName = name
  head.hostSeen = true
  return undefined
}

/** RFC 9113 section 8.5: neither :scheme nor :path. With :protocol (RFC 8441) both. */
function settleConnect(scheme: string | undefined, authority: string | undefined, path: string | undefined, protocol: string | undefined): RequestFault | undefined {
  const expected = protocol !== undefined
  return authority === undefined || (scheme !== undefined) !== expected || (path !== undefined) !== expected ? 'malformed' : undefined
}

/** Which of the two is no matter: a proxy that takes TLS off may well say https. */
function isScheme(scheme: string): boolean {
  return scheme === 'https' || scheme === 'http' || /^https?$/i.test(scheme)
}

/** Those of the trailer fields of a request that may be forwarded, serialised; undefined: malformed. */
export function readTrailerFields(list: readonly RequestField[]): string | undefined {
  let trailers = ''
  for (const { name, value } of list) {
    const kind = meaning.nameKind(name)
    if (kind === 0 || !meaning.isFieldValue(value) || meaning.fieldMeaning(name, value) === meaning.MALFORMED) return undefined
    const line = trailerLine(`${name}: ${value}`)
    if (line === undefined) return undefined
    trailers += line
  }
  return trailers.length > TRAILERS_LIMIT ? undefined : trailers
}
