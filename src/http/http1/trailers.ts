// Trailer sections: syntax of a line, and which fields may travel in one (RFC 9110 §6.5.1).
import { tokenEnd } from './characters.ts'
import { fieldLine, trimValue } from './field-lines.ts'

const VALUE = /^[\t -~\u0080-\u00ff]*$/

/** Say how the message itself is framed or routed: a request that moves them behind its body is refused. */
const FRAMING = new Set(['content-length', 'transfer-encoding', 'host', 'trailer'])

/** Mean something only before the body, or would be believed by a backend that merges trailers into the head. */
const FORBIDDEN = new Set([
  'accept-encoding', 'age', 'authorization', 'cache-control', 'connection', 'content-encoding', 'content-range', 'content-type', 'cookie',
  'date', 'expect', 'expires', 'forwarded', 'keep-alive', 'location', 'max-forwards', 'pragma', 'proxy', 'proxy-authenticate',
  'proxy-authorization', 'proxy-connection', 'range', 'retry-after', 'set-cookie', 'te', 'upgrade', 'vary', 'warning', 'www-authenticate',
])
const FORBIDDEN_PREFIXES = ['if-', 'x-forwarded-', 'x-original-', 'x-real-', 'x-request-id', 'x-scheme', 'x-auth-', 'ssl-client-']

/** `name` in lower case, of a field that may come behind a body. */
export function mayTrail(name: string): boolean {
  return !FRAMING.has(name) && !FORBIDDEN.has(name) && !FORBIDDEN_PREFIXES.some((prefix) => name.startsWith(prefix))
}

/** The line (without its line end) as it is forwarded, empty when it is not; undefined: malformed or about framing. */
export function trailerLine(line: string): string | undefined {
  const colon = tokenEnd(line, 0)
  if (colon === 0 || line.charCodeAt(colon) !== 58) return undefined
  const value = trimValue(line, colon + 1, line.length)
  if (!VALUE.test(value)) return undefined
  const name = line.slice(0, colon)
  const lower = name.toLowerCase()
  if (FRAMING.has(lower)) return undefined
  if (lower.includes('_') || !mayTrail(lower)) return ''
  return fieldLine(name, value)
}
