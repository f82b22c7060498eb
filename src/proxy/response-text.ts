// The head of the response to an HTTP/1.x client.
import { withoutFields } from '../http/http1/field-lines.ts'
import { inOnePiece } from '../http/latin1.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import { wantedProtocols } from '../http/http1/upgrade.ts'
import { reasonOf, type Answer } from './answer.ts'

export interface ResponseFields {
  readonly serverField: string
  readonly dateField: string
  /** Empty, or the whole Strict-Transport-Security field. */
  readonly hstsField: string
  /** Empty, or the whole Connection field. */
  readonly connectionField: string
}

/** How the body goes to the client: `as-is` with the length that the backend declared, if it did. */
export type ClientFraming = 'as-is' | 'chunked' | 'until-close'

/** By status: the last one that was written. */
const statusLines: ({ readonly reason: string; readonly line: string } | undefined)[] = Array.from({ length: 600 }, () => undefined)

function statusLine(status: number, reason: string): string {
  const last = statusLines[status]
  if (last !== undefined && last.reason === reason) return last.line
  const line = `HTTP/1.1 ${status} ${reason}\r\n`
  // Only short ones, in one piece.
  if (reason.length <= 40) statusLines[status] = { reason: line.slice(13, -2), line: inOnePiece(line) }
  return line
}

const HSTS: ReadonlySet<string> = new Set(['strict-transport-security'])

/** Ours, if there is one, stands for the backend's, as in ingress-nginx. */
export function replaceHsts(head: ResponseHead, hstsField: string): void {
  if (head.hasHsts && hstsField !== '') head.fields = withoutFields(head.fields, HSTS)
}

/** latin1. */
export function responseText(head: ResponseHead, framing: ClientFraming, fields: ResponseFields): string {
  let text = statusLine(head.status, head.reason) + head.fields
  if (!head.hasServer) text += fields.serverField
  if (!head.hasDate) text += fields.dateField
  text += fields.hstsField
  if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  // RFC 9110 section 8.6: none in 204.
  else if (framing === 'as-is' && head.contentLength >= 0 && head.status !== 204) text += head.contentLengthLine
  if (head.status === 426 && head.upgrade !== '') return `${text}${wanted(head.upgrade, fields.connectionField)}\r\n`
  return text + (fields.connectionField === '' ? '\r\n' : `${fields.connectionField}\r\n`)
}

/** RFC 9110 section 15.5.22: with 426 a server says what it wants. */
function wanted(upgrade: string, connectionField: string): string {
  const protocols = wantedProtocols(upgrade)
  if (protocols === '') return connectionField
  const connection = connectionField === '' ? 'Connection: Upgrade\r\n' : connectionField.replace('\r\n', ', Upgrade\r\n')
  return `${connection}Upgrade: ${protocols}\r\n`
}

/** 1xx, 101 with its Upgrade. */
export function interimText(head: ResponseHead): string {
  const upgrade = head.status === 101 ? `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n` : ''
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields}${upgrade}\r\n`
}

/** Body included, unless it answers HEAD. */
export function answerText(answer: Answer, toHead: boolean, fields: ResponseFields): string {
  return (
    `HTTP/1.1 ${answer.status} ${reasonOf(answer.status)}\r\n${answer.fields}${fields.serverField}${fields.dateField}${fields.hstsField}` +
    `Content-Length: ${answer.body.length}\r\n${fields.connectionField}\r\n${toHead ? '' : answer.body}`
  )
}
