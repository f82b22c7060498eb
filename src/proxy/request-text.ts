// The head of the request to the backend (ingress-nginx: "Headers sent to the backend", default settings).
import type { RequestHead } from '../http/http1/request-head.ts'

/** latin1. */
export function requestText(request: RequestHead, requestId: string, forwardedFields: string): string {
  const { host } = request
  // From HTTP/1.0 there may be none: RFC 9112 section 3.2 has the field sent all the same.
  const hostField = host === '' ? 'Host:' : `Host: ${host}`
  let text = `${request.method} ${request.target} HTTP/1.1\r\n${hostField}\r\n${request.fields}X-Request-ID: ${requestId}\r\n${forwardedFields}`
  if (host !== '') text += `X-Forwarded-Host: ${host}\r\n`
  if (request.forwardedFor !== '') text += `X-Original-Forwarded-For: ${request.forwardedFor}\r\n`
  if (request.forwardedHost !== '') text += `X-Original-Forwarded-Host: ${request.forwardedHost}\r\n`
  if (request.framing === 'length') text += `Content-Length: ${request.contentLength}\r\n`
  else if (request.framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  // Forwarded, not answered here: RFC 9110 section 10.1.1 lets a proxy answer 100 itself only to a backend known
  // to speak HTTP/1.0. So it is the backend that says whether it wants the body; a client that sends it at once is not held up.
  if (request.expectContinue) text += 'Expect: 100-continue\r\n'
  if (request.websocket) text += 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  else if (request.trailers) text += 'TE: trailers\r\nConnection: TE\r\n'
  return `${text}\r\n`
}
