// The head of the response to an HTTP/2 client as a header block: RFC 9113 section 8.3.2.
import { createHash } from 'node:crypto'
import { fieldValue, withoutFields } from '../http/http1/field-lines.ts'
import type { RequestHead } from '../http/http1/request-head.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { encodeFieldLines, encodeStatus } from '../http/http2/hpack/encoder.ts'
import type { Answer } from './answer.ts'
import type { ResponseFields } from './response-text.ts'

/** Those that are the proxy's own. */
export type OwnFields = Omit<ResponseFields, 'connectionField'>

/** What a backend's interim response says to the client. */
export function interimBlock(head: ResponseHead): string {
  return encodeStatus(head.status) + encodeFieldLines(head.fields)
}

export function responseBlock(head: ResponseHead, { serverField, dateField, hstsField }: OwnFields): string {
  let block = encodeStatus(head.status) + encodeFieldLines(head.fields)
  if (!head.hasServer) block += encodeFieldLines(serverField)
  if (!head.hasDate) block += encodeFieldLines(dateField)
  block += encodeFieldLines(hstsField)
  // RFC 9110 section 8.6: none in 204.
  return head.contentLength >= 0 && head.status !== 204 ? block + encodeFieldLines(head.contentLengthLine) : block
}

export function answerBlock(answer: Answer, { serverField, dateField, hstsField }: OwnFields): string {
  return encodeStatus(answer.status) + encodeFieldLines(`${answer.fields}${serverField}${dateField}${hstsField}Content-Length: ${answer.body.length}\r\n`)
}

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const ACCEPT: ReadonlySet<string> = new Set(['sec-websocket-accept'])

/** Of the answer that makes the stream a tunnel (RFC 8441 section 5); undefined: the backend's 101 does not answer the key that it was sent. */
export function tunnelBlock(head: ResponseHead, request: RequestHead, fields: OwnFields): string | undefined {
  const key = fieldValue(request.fields, 'sec-websocket-key')
  if (key !== undefined && fieldValue(head.fields, 'sec-websocket-accept') !== createHash('sha1').update(key + WEBSOCKET_GUID).digest('base64')) return undefined
  return encodeStatus(200) + encodeFieldLines(withoutFields(head.fields, ACCEPT)) + encodeFieldLines(fields.hstsField)
}
