// The head of the response to an HTTP/2 client as a header block: RFC 9113 section 8.3.2.
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
