// A request head, parsed once: what the exchange decides by, and the fields to forward as one ready text.
// Knows RFC 9112, not routes. One object serves all requests of a connection.
import type { FailureKind } from '../../base/failure.ts'
import type { Limits } from '../../model/settings.ts'
import { fieldLine, isCanonicalValue, listMembers, settleConnection, trimValue } from './field-lines.ts'
import type { HeadScan } from './head-scan.ts'
import { hostName } from './host.ts'
import { DROPPED, requestFieldAction } from './request-fields.ts'
import { parseRequestLine } from './request-line.ts'
import { offeredProtocols } from './upgrade.ts'

const CONNECTION_OPTIONS: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'te'])

export type BodyFraming = 'none' | 'length' | 'chunked'

export class RequestHead {
  method = ''
  /** As sent upstream: origin-form, or `*`. */
  target = ''
  /** The target up to its query; `*` as it is. */
  path = ''
  minorVersion: 0 | 1 = 1
  /** For the backend: as the client wrote it, port included. */
  host = ''
  /** For routing: see `hostName`. Empty for HTTP/1.0 without Host. */
  hostName = ''
  /** End-to-end fields to forward, serialised, without those that the proxy writes itself. */
  fields = ''
  framing: BodyFraming = 'none'
  contentLength = 0
  /** What the client allows; the proxy may still close. */
  keepAlive = true
  /** Protocols that the client offers to switch to and that may be passed on, as a list; empty: none. */
  upgrade = ''
  expectContinue = false
  /** `TE: trailers`. */
  trailers = false
  /** As the client sent them; empty: not. */
  requestId = ''
  forwardedFor = ''
  forwardedHost = ''
  forwardedPort = ''
  forwardedProto = ''
  realIp = ''

  // The parser's own, between fields of one head.
  hostSeen = false
  lengthSeen = false
  hasAuthority = false
  connection = ''
  expect = ''

  /** Something follows the head. */
  get hasBody(): boolean {
    return this.framing === 'chunked' || this.contentLength > 0
  }

  reset(): void {
    this.method = this.target = this.path = this.fields = ''
    this.minorVersion = 1
    this.host = this.hostName = ''
    this.framing = 'none'
    this.contentLength = 0
    this.expectContinue = this.trailers = false
    this.requestId = this.forwardedFor = this.forwardedHost = ''
    this.forwardedPort = this.forwardedProto = this.realIp = ''
    this.hostSeen = this.lengthSeen = this.hasAuthority = false
    this.upgrade = this.connection = this.expect = ''
  }
}

const COLON = 58

/**
 * Parses a head into `head`; answers why it was refused, or undefined. The strictness is that of RFC 9112 without any of its permitted
 * leniencies: what two parsers can read in two ways is refused, here or by the scan.
 */
export function parseRequestHead(scan: HeadScan, head: RequestHead, limits: Limits): FailureKind | undefined {
  head.reset()
  const lineEnd = scan.start(0)
  if (lineEnd - 2 > limits.requestLineBytes) return 'target-too-long'
  if (scan.length - lineEnd > limits.headBytes) return 'head-too-large'
  return parseRequestLine(scan, lineEnd - 2, head) ?? parseFields(scan, head, limits.headFields) ?? settle(head)
}

function parseFields(scan: HeadScan, head: RequestHead, mostFields: number): FailureKind | undefined {
  const { text, bytes, offset, fields } = scan
  // Neighbouring lines that are forwarded as they are become one slice.
  let kept = ''
  let position = scan.start(0)
  let runStart = position
  for (let field = 0; field < fields; field++) {
    if (field === mostFields) return 'head-too-large'
    const nameEnd = scan.nameEnd(field)
    const lineEnd = scan.start(field + 1)
    // Also folded lines, lines without a name, and white space before the colon end here.
    if (nameEnd === position || bytes[offset + nameEnd] !== COLON) return 'bad-request'
    const action = scan.hasUnderscore(field) ? DROPPED : requestFieldAction(bytes, offset + position, offset + nameEnd)
    if (action !== undefined) {
      if (position > runStart) kept += text.slice(runStart, position)
      runStart = lineEnd
      if (action !== DROPPED) {
        const failure = action(head, trimValue(text, nameEnd + 1, lineEnd - 2))
        if (failure !== undefined) return failure
      }
    } else if (!isCanonicalValue(bytes, offset + nameEnd + 1, offset + lineEnd - 2)) {
      kept += text.slice(runStart, position) + fieldLine(text.slice(position, nameEnd), trimValue(text, nameEnd + 1, lineEnd - 2))
      runStart = lineEnd
    }
    position = lineEnd
  }
  head.fields = runStart < position ? kept + text.slice(runStart, position) : kept
  return undefined
}

/** What takes more than one field to decide. */
function settle(head: RequestHead): FailureKind | undefined {
  if (!head.hostSeen && head.minorVersion === 1) return 'bad-request'
  if (head.host !== '') {
    const name = hostName(head.host)
    if (name === undefined) return 'bad-request'
    head.hostName = name
  } else if (head.hostSeen) return 'bad-request'
  head.keepAlive = head.minorVersion === 1
  if (head.connection !== '') settleConnection(head, CONNECTION_OPTIONS)
  if (head.upgrade !== '') settleUpgrade(head)
  return settleExpect(head)
}

export function settleExpect(head: RequestHead): FailureKind | undefined {
  if (head.expect === '') return undefined
  if (head.expect.toLowerCase() !== '100-continue') return 'expectation-failed'
  // RFC 9110 section 10.1.1: ignored from HTTP/1.0; without a body there is nothing to continue with.
  head.expectContinue = head.minorVersion === 1 && head.hasBody
  return undefined
}

/** Of meaning only when Connection names it, and not in HTTP/1.0. */
function settleUpgrade(head: RequestHead): void {
  const isMeant = head.minorVersion === 1 && listMembers(head.connection).includes('upgrade')
  head.upgrade = isMeant ? offeredProtocols(head.upgrade, head.method === 'GET' && !head.hasBody) : ''
}
