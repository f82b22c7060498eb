// The head of the request to the backend (ingress-nginx: "Headers sent to the backend", default settings).
import { inOnePiece } from '../http/latin1.ts'
import type { RequestHead } from '../http/http1/request-head.ts'

interface HostLines {
  readonly host: string
  /** From the end of the target to the end of the Host field. */
  readonly target: string
  /** X-Forwarded-Host, and the name of the field that follows. */
  readonly forwarded: string
}

/** Of the last hosts asked for. Every piece that a text is joined from costs when it is written, so what is the same for many requests is one. */
const lines: (HostLines | undefined)[] = Array.from({ length: 64 }, () => undefined)

/** latin1. */
export function requestText(request: RequestHead, requestId: string, originFields: string): string {
  const { host } = request
  const { target, forwarded } = linesOf(host)
  let text = `${request.method} ${request.target}${target}${request.fields}${originFields}${forwarded}${requestId}`
  if (request.forwardedFor !== '') text += `\r\nX-Original-Forwarded-For: ${request.forwardedFor}`
  if (request.forwardedHost !== '') text += `\r\nX-Original-Forwarded-Host: ${request.forwardedHost}`
  if (request.framing === 'length') text += `\r\nContent-Length: ${request.contentLength}`
  else if (request.framing === 'chunked') text += '\r\nTransfer-Encoding: chunked'
  // Forwarded, not answered here: RFC 9110 section 10.1.1 lets a proxy answer 100 itself only to a backend known
  // to speak HTTP/1.0. So it is the backend that says whether it wants the body; a client that sends it at once is not held up.
  if (request.expectContinue) text += '\r\nExpect: 100-continue'
  if (request.upgrade !== '') text += `\r\nConnection: Upgrade\r\nUpgrade: ${request.upgrade}`
  else if (request.trailers) text += '\r\nTE: trailers\r\nConnection: TE'
  return `${text}\r\n\r\n`
}

function linesOf(host: string): HostLines {
  const at = (7 * host.length + host.charCodeAt(0) + host.charCodeAt(host.length >> 1)) & 63
  const known = lines[at]
  if (known !== undefined && known.host === host) return known
  const made = host === '' ? NO_HOST : { host: inOnePiece(host), target: inOnePiece(` HTTP/1.1\r\nHost: ${host}\r\n`), forwarded: inOnePiece(`X-Forwarded-Host: ${host}\r\n${ID}`) }
  lines[at] = made
  return made
}

const ID = 'X-Request-ID: '

// From HTTP/1.0 there may be none: RFC 9112 section 3.2 has the field sent all the same.
const NO_HOST: HostLines = { host: '', target: ' HTTP/1.1\r\nHost:\r\n', forwarded: ID }
