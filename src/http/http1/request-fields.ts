// The request fields that are not simply forwarded: those the proxy reads, writes itself, or must not let through.
// A table, since most fields of a request are none of them and must cost next to nothing.
import type { FailureKind } from '../../base/failure.ts'
import { FieldTable, isSameName } from './field-table.ts'
import { listMembers } from './field-lines.ts'
import { hostName } from './host.ts'
import type { RequestHead } from './request-head.ts'

/** Takes the field off the head; answers why the request is refused, or undefined. */
export type Action = (head: RequestHead, value: string) => FailureKind | undefined

export const DROPPED = 'dropped'

/** No address, port or scheme. */
const AMBIGUOUS = ','
const WELL_FORMED_ID = /^[\w.:/+=@~-]{1,128}$/

const ACTIONS: Readonly<Record<string, Action | typeof DROPPED>> = {
  'host': (head, value) => {
    if (head.hostSeen) return 'bad-request'
    head.hostSeen = true
    if (!head.hasAuthority) head.host = value
    else if (hostName(value) === undefined) return 'bad-request'
    return undefined
  },
  'content-length': (head, value) => {
    if (head.lengthSeen || head.framing === 'chunked') return 'bad-request'
    const length = parseContentLength(value)
    if (length < 0) return 'bad-request'
    head.lengthSeen = true
    head.framing = 'length'
    head.contentLength = length
    return undefined
  },
  'transfer-encoding': (head, value) => {
    // A second line, another coding, or any company of Content-Length: RFC 9112 section 6.1.
    if (head.framing !== 'none' || head.minorVersion === 0 || value.toLowerCase() !== 'chunked') return 'bad-request'
    head.framing = 'chunked'
    return undefined
  },
  'connection': (head, value) => {
    head.connection = head.connection === '' ? value : `${head.connection},${value}`
    return undefined
  },
  'upgrade': (head, value) => {
    head.upgrade = head.upgrade === '' ? value : `${head.upgrade},${value}`
    return undefined
  },
  'expect': (head, value) => {
    if (head.expect !== '' || value === '') return 'expectation-failed'
    head.expect = value
    return undefined
  },
  'te': (head, value) => {
    if (listMembers(value).includes('trailers')) head.trailers = true
    return undefined
  },
  'x-request-id': (head, value) => {
    if (head.requestId === '' && WELL_FORMED_ID.test(value)) head.requestId = value
    return undefined
  },
  'x-forwarded-for': (head, value) => {
    head.forwardedFor = head.forwardedFor === '' ? value : `${head.forwardedFor}, ${value}`
    return undefined
  },
  'x-forwarded-host': (head, value) => {
    head.forwardedHost = head.forwardedHost === '' ? value : `${head.forwardedHost}, ${value}`
    return undefined
  },
  // Repeated, they mean nothing.
  'x-forwarded-port': (head, value) => {
    head.forwardedPort = head.forwardedPort === '' ? value : AMBIGUOUS
    return undefined
  },
  'x-forwarded-proto': (head, value) => {
    head.forwardedProto = head.forwardedProto === '' ? value : AMBIGUOUS
    return undefined
  },
  'x-real-ip': (head, value) => {
    head.realIp = head.realIp === '' ? value : AMBIGUOUS
    return undefined
  },
  'keep-alive': DROPPED,
  'proxy-connection': DROPPED,
  'proxy-authorization': DROPPED,
  'http2-settings': DROPPED,
  // httpoxy: CGI programs read it as HTTP_PROXY.
  'proxy': DROPPED,
  // Statements about the client's side that only a trusted proxy may make.
  'forwarded': DROPPED,
  'x-scheme': DROPPED,
  'x-forwarded-scheme': DROPPED,
  'x-original-uri': DROPPED,
  'x-original-forwarded-for': DROPPED,
  'x-original-forwarded-host': DROPPED,
}

/** Results of authentication, which only the proxy may state. Not `X-Auth-Token` and its like: those are credentials. */
const DROPPED_PREFIXES = ['ssl-client-', 'x-auth-request-'].map((prefix) => Buffer.from(prefix, 'latin1'))

const TABLE = new FieldTable(Object.entries(ACTIONS))

/** What to do with the field whose name lies between two indexes; undefined: forward it. */
export function requestFieldAction(bytes: Uint8Array, start: number, end: number): Action | typeof DROPPED | undefined {
  const action = TABLE.find(bytes, start, end)
  if (action !== undefined) return action
  for (const prefix of DROPPED_PREFIXES) if (end - start >= prefix.length && isSameName(bytes, start, prefix)) return DROPPED
  return undefined
}

/** Digits only, below 10^15 so that a number holds it exactly; -1 otherwise. */
export function parseContentLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}
