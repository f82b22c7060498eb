// Answers that the proxy gives itself. The one place where a failure becomes a status, a page and what the page says.
import { FAILURES, type FailureKind } from '../base/failure.ts'
import { fieldValue } from '../http/http1/field-lines.ts'
import type { RequestHead } from '../http/http1/request-head.ts'
import { inWordsOf } from './grpc-answer.ts'

export interface Answer {
  readonly status: number
  /** Serialised, without framing, Date and Server. */
  readonly fields: string
  readonly body: string
}

/** What a user reads; nothing about addresses or objects inside the cluster. */
const EXPLANATIONS: Readonly<Record<FailureKind, string>> = {
  'bad-request': 'The request is malformed.',
  'method-not-allowed': 'The method is not allowed.',
  'request-timeout': 'The request did not arrive in time.',
  'misdirected': 'The connection is not for this host.',
  'body-too-large': 'The request body is too large.',
  'target-too-long': 'The request target is too long.',
  'head-too-large': 'The request head is too large.',
  'expectation-failed': 'The expectation is not known.',
  'no-route': 'No route takes this host and path.',
  'no-backend': 'The route has no backend that may be used.',
  'no-endpoints': 'The backend has no ready endpoint.',
  'queue-full': 'The backend is busy, and too many wait for it.',
  'queue-timeout': 'The backend was busy for too long.',
  'connect-failed': 'The backend could not be reached.',
  'connect-timeout': 'The backend could not be reached in time.',
  'handshake-failed': 'The backend and the proxy could not agree on TLS.',
  'certificate-refused': 'The backend has no certificate that is trusted.',
  'request-refused': 'The backend refused to take the request.',
  'response-invalid': 'The backend sent an invalid response.',
  'response-cut': 'The backend closed the connection early.',
  'response-timeout': 'The backend did not answer in time.',
  'client-gone': 'The client closed the connection.',
  'internal': 'The proxy failed.',
}

const REASONS: Readonly<Record<number, string>> = {
  301: 'Moved Permanently',
  302: 'Found',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  // As the page that ingress-nginx users search for has it.
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Timeout',
}

export function reasonOf(status: number): string {
  return REASONS[status] ?? ''
}

/** For gRPC clients in gRPC, JSON for clients that ask for it, else plain text. */
export function failureAnswer(kind: FailureKind, head: RequestHead, requestId: string): Answer {
  return inWordsOf(head, httpAnswer(kind, head, requestId), EXPLANATIONS[kind])
}

function httpAnswer(kind: FailureKind, head: RequestHead, requestId: string): Answer {
  const { status } = FAILURES[kind]
  const explanation = EXPLANATIONS[kind]
  const allow = status === 405 ? 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n' : ''
  if (wantsJson(head)) {
    const body = `${JSON.stringify({ status, reason: reasonOf(status), message: explanation, requestId })}\n`
    return { status, fields: `${allow}Content-Type: application/json\r\n`, body }
  }
  const body = `${status} ${reasonOf(status)}\n${explanation}\n${requestId === '' ? '' : `Request ID: ${requestId}\n`}`
  return { status, fields: `${allow}Content-Type: text/plain; charset=utf-8\r\n`, body }
}

/** The text alone, as nginx's `return` has it. */
export function textAnswer(status: number, text: string): Answer {
  return { status, fields: 'Content-Type: text/plain; charset=utf-8\r\n', body: text }
}

export function redirectAnswer(status: number, location: string): Answer {
  return { status, fields: `Location: ${location}\r\nContent-Type: text/plain; charset=utf-8\r\n`, body: `${status} ${reasonOf(status)}\n` }
}

function wantsJson(head: RequestHead): boolean {
  const accept = fieldValue(head.fields, 'accept')
  return accept !== undefined && /application\/(?:[\w.+-]+\+)?json/i.test(accept) && !accept.includes('text/html')
}
