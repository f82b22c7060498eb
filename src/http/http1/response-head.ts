// A response head from a backend, parsed once: how its body is framed, and the fields to forward as one ready text.
// One object serves all responses of a connection. What is refused here ends as 502.
import { FieldTable } from './field-table.ts'
import { fieldLine, isCanonicalValue, settleConnection, trimValue } from './field-lines.ts'
import type { HeadScan } from './head-scan.ts'
import { parseContentLength } from './request-fields.ts'

const CONNECTION_OPTIONS: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade'])

/** `close`: the body ends with the connection. */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close'

export class ResponseHead {
  status = 0
  reason = ''
  /** End-to-end fields to forward, serialised, without framing. */
  fields = ''
  framing: ResponseFraming = 'none'
  /** The declared one, for HEAD and 304 too; -1: none. */
  contentLength = -1
  /** The field to forward, if there is one. */
  contentLengthLine = ''
  /** Trailers may follow even a body of known length, as HTTP/2 has it; those of HTTP/1.1 come with chunked ones only. */
  mayTrail = false
  /** The backend lets us use the connection again. */
  keepAlive = true
  /** Milliseconds that the backend says it leaves an idle connection open; Infinity: it does not say. */
  idleTimeout = Infinity
  hasServer = false
  hasDate = false
  /** Strict-Transport-Security. */
  hasHsts = false
  /** As the backend wrote it; empty: none. Of meaning with 101 and 426 only. */
  upgrade = ''
  connection = ''
  chunked = false
}

const SP = 32
const COLON = 58
const ZERO = 48

type Action = (head: ResponseHead, value: string) => boolean

const drop: Action = () => true

function takeContentLength(head: ResponseHead, value: string): boolean {
  if (head.contentLength >= 0) return false
  head.contentLength = parseContentLength(value)
  return head.contentLength >= 0
}

/** False: refused. */
const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['content-length', takeContentLength],
  [
    'transfer-encoding',
    (head, value) => {
      if (head.chunked || value.toLowerCase() !== 'chunked') return false
      head.chunked = true
      return true
    },
  ],
  [
    'connection',
    (head, value) => {
      head.connection = head.connection === '' ? value : `${head.connection},${value}`
      return true
    },
  ],
  [
    'upgrade',
    (head, value) => {
      head.upgrade = head.upgrade === '' ? value : `${head.upgrade}, ${value}`
      return true
    },
  ],
  [
    'keep-alive',
    (head, value) => {
      const timeout = /(?:^|[ ,])timeout=(\d{1,9})/i.exec(value)?.[1]
      if (timeout !== undefined) head.idleTimeout = Number(timeout) * 1000
      return true
    },
  ],
  ['proxy-connection', drop],
  ['proxy-authenticate', drop],
  ['te', drop],
  ['http2-settings', drop],
])

/** Forwarded, but it matters whether they are there. */
const SERVER: Action = () => true
const DATE: Action = () => true
const HSTS: Action = () => true

const TABLE = new FieldTable<Action>([...ACTIONS, ['server', SERVER], ['date', DATE], ['strict-transport-security', HSTS]])

/** False: not a response that can be forwarded. */
export function parseResponseHead(scan: HeadScan, toHead: boolean, head: ResponseHead, mostFields: number): boolean {
  head.fields = head.contentLengthLine = head.upgrade = head.connection = ''
  head.contentLength = -1
  head.idleTimeout = Infinity
  head.chunked = head.hasServer = head.hasDate = head.hasHsts = false
  if (!parseStatusLine(scan, scan.start(0) - 2, head)) return false
  const http10 = scan.bytes[scan.offset + 7] === ZERO
  if (!parseFields(scan, head, mostFields)) return false
  // Both at once is how responses are split; HTTP/1.0 has no transfer codings (RFC 9112 section 6.1).
  if (head.chunked && (head.contentLength >= 0 || http10)) return false
  head.keepAlive = !http10
  if (head.connection !== '') settleConnection(head, CONNECTION_OPTIONS)
  head.framing = framingOf(head, toHead)
  return true
}

/** `end` is the index of the line's CR. A reason may be missing, and with it the space before it. */
function parseStatusLine({ text, bytes, offset }: HeadScan, end: number, head: ResponseHead): boolean {
  const minor = bytes[offset + 7]
  if (end < 12 || !text.startsWith('HTTP/1.') || (minor !== ZERO && minor !== ZERO + 1) || bytes[offset + 8] !== SP) return false
  let status = 0
  for (let i = 9; i < 12; i++) {
    const digit = (bytes[offset + i] ?? 0) - ZERO
    if (!(digit >= 0 && digit <= 9)) return false
    status = 10 * status + digit
  }
  if (status < 100 || status > 599 || (end > 12 && bytes[offset + 12] !== SP)) return false
  head.status = status
  // Mostly that of the last one: no new string is needed for it.
  if (end !== 13 + head.reason.length || !text.startsWith(head.reason, 13)) head.reason = text.slice(13, end)
  return true
}

function parseFields(scan: HeadScan, head: ResponseHead, mostFields: number): boolean {
  const { text, bytes, offset, fields } = scan
  if (fields > mostFields) return false
  let kept = ''
  let position = scan.start(0)
  let runStart = position
  for (let field = 0; field < fields; field++) {
    const nameEnd = scan.nameEnd(field)
    const lineEnd = scan.start(field + 1)
    if (nameEnd === position || bytes[offset + nameEnd] !== COLON) return false
    let taken = false
    const action = TABLE.find(bytes, offset + position, offset + nameEnd)
    const canonical = isCanonicalValue(bytes, offset + nameEnd + 1, offset + lineEnd - 2)
    if (action === SERVER) head.hasServer = true
    else if (action === DATE) head.hasDate = true
    else if (action === HSTS) head.hasHsts = true
    else if (action !== undefined) {
      taken = true
      const value = trimValue(text, nameEnd + 1, lineEnd - 2)
      if (!action(head, value)) return false
      if (action === takeContentLength) head.contentLengthLine = lengthLine(text.slice(position, lineEnd), value, canonical)
    }
    if (taken || !canonical) {
      if (position > runStart) kept += text.slice(runStart, position)
      runStart = lineEnd
      if (!taken) kept += fieldLine(text.slice(position, nameEnd), trimValue(text, nameEnd + 1, lineEnd - 2))
    }
    position = lineEnd
  }
  head.fields = runStart < position ? kept + text.slice(runStart, position) : kept
  return true
}

/** The line as the backend wrote it, if we would write it so; `value` is known to be digits. */
function lengthLine(line: string, value: string, canonical: boolean): string {
  return canonical && (value.charCodeAt(0) !== ZERO || value.length === 1) ? line : `Content-Length: ${Number(value)}\r\n`
}

/** RFC 9112 section 6.3. */
function framingOf(head: ResponseHead, toHead: boolean): ResponseFraming {
  const { status } = head
  if (toHead || status === 204 || status === 304 || status < 200) return 'none'
  if (head.chunked) return 'chunked'
  if (head.contentLength >= 0) return 'length'
  head.keepAlive = false
  return 'close'
}
