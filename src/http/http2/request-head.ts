// From the fields of an HTTP/2 request to the head that the exchange works with, the same as that of an HTTP/1.1 request: RFC 9113
// section 8.3.1. What passes here is read in one way only once it is written as HTTP/1.1. Knows neither frames nor routes.
import { randomBytes } from 'node:crypto'
import type { FailureKind } from '../../base/failure.ts'
import type { Limits } from '../../model/settings.ts'
import { isToken, NOT_IN_TARGET } from '../http1/characters.ts'
import { withoutFields } from '../http1/field-lines.ts'
import { hostName } from '../http1/host.ts'
import { DROPPED as NOT_FORWARDED, requestFieldAction, type Action } from '../http1/request-fields.ts'
import { settleExpect, type RequestHead } from '../http1/request-head.ts'
import { setTarget } from '../http1/request-line.ts'
import { trailerLine } from '../http1/trailers.ts'
import { offeredProtocols } from '../http1/upgrade.ts'
import type { FieldList } from './field-list.ts'
import type { Field } from './field.ts'

/** `malformed`: a stream error of type PROTOCOL_ERROR, RFC 9113 section 8.1.1. Else the status to answer. */
export type RequestFault = 'malformed' | FailureKind

/** What is done with fields of a name; 0: not looked at yet. From ACTION on: by its place in `actions`. */
const FORWARD = 1
const DROP = 2
const HOST = 3
const COOKIE = 4
const ACTION = 5

const actions: Action[] = []

/** As HTTP/1 counts them: ` HTTP/1.1` and the space before the target; the colon, the space and the line end. */
const REQUEST_LINE_EXTRA = 10
const FIELD_EXTRA = 4
const TRAILERS_LIMIT = 16 * 1024

const SLASH = 47

/**
 * `list` is a well-formed request but for what takes more than its syntax to tell. `head` holds what was understood, whatever the
 * answer. `endStream`: no body follows.
 */
export function readRequestFields(list: FieldList, endStream: boolean, head: RequestHead, limits: Limits): RequestFault | undefined {
  head.reset()
  head.method = list.method
  setTarget(head, list.path)
  const hostFault = settleHost(head, list)
  const faultOfFields = readFields(list, head, limits)
  // Cut off: of what came last nothing is known.
  if (list.oversized) return 'head-too-large'
  if (hostFault === 'malformed' || !isToken(list.method)) return 'malformed'
  if (hostFault !== undefined) return hostFault
  const { method, path } = list
  if ((method === 'CONNECT' && list.protocol === '') || method === 'TRACE') return 'method-not-allowed'
  if (method.length + path.length + REQUEST_LINE_EXTRA > limits.requestLineBytes) return 'target-too-long'
  if (!isScheme(list.scheme) || NOT_IN_TARGET.test(path) || (path.charCodeAt(0) !== SLASH && !(path === '*' && method === 'OPTIONS'))) return 'bad-request'
  if (faultOfFields !== undefined) return faultOfFields
  if (method === 'CONNECT') return settleExtendedConnect(head, list, endStream)
  if (list.contentLength >= 0) {
    head.framing = 'length'
    head.contentLength = list.contentLength
  } else if (!endStream) head.framing = 'chunked'
  return settleExpect(head)
}

const NOT_OF_THIS_WIRE: ReadonlySet<string> = new Set(['sec-websocket-key', 'sec-websocket-accept'])

/** RFC 8441: what a GET with Upgrade is in HTTP/1.1. Its client sends no key: it is for HTTP/1.1 to see that both sides mean it. */
function settleExtendedConnect(head: RequestHead, { protocol, contentLength }: FieldList, endStream: boolean): RequestFault | undefined {
  // What follows is the tunnel's, and no body of some length.
  if (contentLength >= 0) return 'malformed'
  // Who has ended before the tunnel begins would have to be told apart from who has nothing to say yet.
  if (endStream) return 'bad-request'
  head.method = 'GET'
  head.upgrade = offeredProtocols(protocol, true)
  head.fields = withoutFields(head.fields, NOT_OF_THIS_WIRE)
  if (head.upgrade.toLowerCase() === 'websocket') head.fields += `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n`
  return head.upgrade === '' ? 'bad-request' : undefined
}

function readFields({ fields }: FieldList, head: RequestHead, limits: Limits): FailureKind | undefined {
  let forwarded = ''
  let cookie = ''
  let size = 0
  let count = fields.length
  let fault: FailureKind | undefined
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    if (field === undefined) continue
    const { name, value } = field
    size += name.text.length + value.length + FIELD_EXTRA
    if (name.tag === 0) name.tag = tagOf(name.text)
    if (name.tag === FORWARD) forwarded += field.line
    else if (name.tag === COOKIE) {
      // RFC 9113 section 8.2.3. A browser may send each of its cookies on its own: together they are one field.
      if (cookie !== '' || value === '') count--
      // An empty one would leave white space at the end of the field.
      if (value !== '') cookie = cookie === '' ? value : `${cookie}; ${value}`
    } else if (name.tag >= ACTION) fault ??= actions[name.tag - ACTION]?.(head, value)
  }
  head.fields = cookie === '' ? forwarded : `${forwarded}cookie: ${cookie}\r\n`
  return size > limits.headBytes || count > limits.headFields ? 'head-too-large' : fault
}

function tagOf(name: string): number {
  if (name === 'host') return HOST
  if (name === 'cookie') return COOKIE
  // The list has it as a number. The underscore: see TOKEN.
  if (name === 'content-length' || name.includes('_')) return DROP
  const action = requestFieldAction(Buffer.from(name, 'latin1'), 0, name.length)
  if (action === undefined) return FORWARD
  if (action === NOT_FORWARDED) return DROP
  const known = actions.indexOf(action)
  return ACTION + (known < 0 ? actions.push(action) - 1 : known)
}

/** Host may repeat the authority and, against the recommendation, stand for it; it may not say otherwise. */
function settleHost(head: RequestHead, { authority, fields }: FieldList): RequestFault | undefined {
  let host = authority
  let hosts = 0
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    if (field === undefined || !isHost(field)) continue
    if (++hosts > 1) return 'malformed'
    if (authority === '') host = field.value
    else if (authority !== field.value && authority.toLowerCase() !== field.value.toLowerCase()) return 'malformed'
  }
  const name = host === '' ? undefined : hostName(host)
  if (name === undefined) return host.includes('@') ? 'malformed' : 'bad-request'
  head.host = host
  head.hostName = name
  return undefined
}

function isHost({ name }: Field): boolean {
  return name.tag === 0 ? name.text === 'host' : name.tag === HOST
}

/** Which of the two is no matter: a proxy that takes TLS off may well say https. */
function isScheme(scheme: string): boolean {
  return scheme === 'https' || scheme === 'http' || /^https?$/i.test(scheme)
}

/** Those of the trailer fields of a request that may be forwarded, serialised; undefined: malformed, or too many. */
export function readTrailerFields({ fields, oversized }: FieldList): string | undefined {
  if (oversized) return undefined
  let trailers = ''
  for (const { name, value } of fields) {
    const line = trailerLine(`${name.text}: ${value}`)
    if (line === undefined) return undefined
    trailers += line
  }
  return trailers.length > TRAILERS_LIMIT ? undefined : trailers
}
