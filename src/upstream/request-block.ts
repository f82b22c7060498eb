// The head of the request to an HTTP/2 backend: the fields of request-text.ts as a header block.
import type { RequestHead } from '../http/http1/request-head.ts'
import { encodeField, encodeFieldLines } from '../http/http2/hpack/encoder.ts'

const GET = encodeField(':method', 'GET')
const POST = encodeField(':method', 'POST')
const HTTP = encodeField(':scheme', 'http')
const HTTPS = encodeField(':scheme', 'https')
/** gRPC asks for it; whoever gets trailers without wanting them throws them away. */
const TE = encodeField('te', 'trailers')
const EXPECT = encodeField('expect', '100-continue')

/** `tls`: of the connection to the backend. */
export function requestBlock(request: RequestHead, requestId: string, originFields: string, tls: boolean): string {
  const { method, host, target, framing, fields } = request
  const line = method === 'GET' ? GET : method === 'POST' ? POST : encodeField(':method', method)
  let block = `${line}${tls ? HTTPS : HTTP}${host === '' ? '' : encodeField(':authority', host)}${encodeField(':path', target)}`
  block += encodeFieldLines(fields) + encodeFieldLines(originFields)
  if (host !== '') block += encodeField('x-forwarded-host', host)
  block += encodeField('x-request-id', requestId)
  if (request.forwardedFor !== '') block += encodeField('x-original-forwarded-for', request.forwardedFor)
  if (request.forwardedHost !== '') block += encodeField('x-original-forwarded-host', request.forwardedHost)
  if (framing === 'length') block += encodeField('content-length', String(request.contentLength))
  return block + TE + (request.expectContinue ? EXPECT : '')
}
