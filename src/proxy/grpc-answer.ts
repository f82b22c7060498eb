// Answers of our own to gRPC clients, who read no status of HTTP: 200, and the status of gRPC in a head without a body (trailers-only).
import { fieldValue } from '../http/http1/field-lines.ts'
import type { RequestHead } from '../http/http1/request-head.ts'
import type { Answer } from './answer.ts'

const INTERNAL = 13
const UNAUTHENTICATED = 16
const PERMISSION_DENIED = 7
const UNIMPLEMENTED = 12
const UNAVAILABLE = 14
const UNKNOWN = 2

/** As the gRPC specification has clients read a status of HTTP (doc/http-grpc-status-mapping.md). */
const STATUSES: Readonly<Record<number, number>> = {
  400: INTERNAL,
  401: UNAUTHENTICATED,
  403: PERMISSION_DENIED,
  404: UNIMPLEMENTED,
  429: UNAVAILABLE,
  502: UNAVAILABLE,
  503: UNAVAILABLE,
  504: UNAVAILABLE,
}

/** `application/grpc`, `application/grpc+proto`, `application/grpc-web+json`. */
const GRPC = /^application\/grpc(?:-web)?(?:-text)?(?:\+[\w.-]{1,40})?$/i

export function isGrpc(request: RequestHead): boolean {
  return grpcType(request) !== undefined
}

function grpcType(request: RequestHead): string | undefined {
  if (request.method !== 'POST') return undefined
  const type = fieldValue(request.fields, 'content-type')?.replace(/[ \t]*;.*/, '')
  return type !== undefined && GRPC.test(type) ? type : undefined
}

/** `answer` in the words of who asked; `message`: what a person reads. */
export function inWordsOf(request: RequestHead, answer: Answer, message: string): Answer {
  // Redirects are left to whom they may tell something.
  const type = answer.status < 400 ? undefined : grpcType(request)
  if (type === undefined) return answer
  // RFC 3986 escapes, for what is no printable ASCII: the messages have no others.
  const fields = `Content-Type: ${type}\r\nGrpc-Status: ${STATUSES[answer.status] ?? UNKNOWN}\r\nGrpc-Message: ${message.replace(/[^ -$&-~]/g, (character) => encodeURIComponent(character))}\r\n`
  return { status: 200, fields, body: '' }
}
