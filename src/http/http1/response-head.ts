// A response head from a backend, parsed once: how its body is framed, and the fields to forward as one ready text.
// One object serves all responses of a connection. What is refused here ends as 502.
import { isLegalText, TOKEN } from './characters.ts'
import { FieldTable } from './field-table.ts'
import { fieldLine, isCanonicalValue, settleConnection, trimValue } from './field-lines.ts'
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

const CR = 13
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

/** Parses `text` up to `end`, the index after the empty line. False: not a response that can be forwarded. `isLegal`: see `parseRequestHead`. */
export function parseResponseHead(text: string, end: number, toHead: boolean, head: ResponseHead, mostFields: number, isLegal = isLegalText(text, end)): boolean {
  head.fields = head.contentLengthLine = head.upgrade = head.connection = ''
  head.contentLength = -1
  head.idleTimeout = Infinity
  head.chunked = head.hasServer = head.hasDate = head.hasHsts = false
  if (!isLegal) return false
  const lineEnd = text.indexOf('\n') + 1
  if (!parseStatusLine(text, lineEnd - 2, head)) return false
  const http10 = text.charCodeAt(7) === 48
  if (!parseFields(text, lineEnd, end, head, mostFields)) return false
  // Both at once is how responses are split; HTTP/1.0 has no transfer codings (RFC 9112 section 6.1).
  if (head.chunked && (head.contentLength >= 0 || http10)) return false
  head.keepAlive = !http10
  if (head.connection !== '') settleConnection(head, CONNECTION_OPTIONS)
  head.framing = framingOf(head, toHead)
  return true
}

/** `end` is the index of the line's CR. A reason may be missing, and with it the space before it. */
function parseStatusLine(text: string, end: number, head: ResponseHead): boolean {
  const minor = text.charCodeAt(7)
  if (!text.startsWith('HTTP/1.') || (minor !== 48 && minor !== 49) || text.charCodeAt(8) !== SP || text.charCodeAt(end) !== CR) return false
  let status = 0
  for (let i = 9; i < 12; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return false
    status = 10 * status + digit
  }
  if (status < 100 || status > 599 || (end > 12 && text.charCodeAt(12) !== SP)) return false
  head.status = status
  head.reason = text.slice(13, end)
  return true
}

function parseFields(text: string, start: number, end: number, head: ResponseHead, mostFields: number): boolean {
  let kept = ''
  let runStart = start
  let position = start
  let left = mostFields
  while (position < end - 2) {
    const lineEnd = text.indexOf('\n', position) + 1
    if (text.charCodeAt(lineEnd - 2) !== CR || --left < 0) return false
    let nameEnd = position
    while (TOKEN[text.charCodeAt(nameEnd)]) nameEnd++
    if (nameEnd === position || text.charCodeAt(nameEnd) !== COLON) return false
    let taken = false
    const action = TABLE.find(text, position, nameEnd)
    if (action === SERVER) head.hasServer = true
    else if (action === DATE) head.hasDate = true
    else if (action === HSTS) head.hasHsts = true
    else if (action !== undefined) {
      taken = true
      if (!action(head, trimValue(text, nameEnd + 1, lineEnd - 2))) return false
      if (action === takeContentLength) head.contentLengthLine = canonicalLength(text, position, nameEnd + 1, lineEnd)
    }
    const canonical = isCanonicalValue(text, nameEnd + 1, lineEnd - 2)
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

/** As the backend wrote it, if we would write it so; `value` follows the colon and is known to be digits. */
function canonicalLength(text: string, start: number, value: number, end: number): string {
  const isCanonical = isCanonicalValue(text, value, end - 2) && (text.charCodeAt(value + 1) !== ZERO || end - value === 4)
  return isCanonical ? text.slice(start, end) : `Content-Length: ${Number(trimValue(text, value, end - 2))}\r\n`
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
