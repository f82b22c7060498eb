// The request line: method, target in one of its forms (RFC 9112 §3.2), version.
import type { FailureKind } from '../../base/failure.ts'
import { IN_TARGET, TOKEN } from './characters.ts'
import type { HeadScan } from './head-scan.ts'
import type { RequestHead } from './request-head.ts'

const SP = 32
const SLASH = 47
const ABSOLUTE = /^https?:\/\/([^/?]*)/i
// ` HTTP/1.1`
const VERSION_LENGTH = 9

/** The same strings for all requests are compared at once. */
const USUAL_METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']

/** `end` is the index of the line's CR. */
export function parseRequestLine({ text, bytes, offset }: HeadScan, end: number, head: RequestHead): FailureKind | undefined {
  let methodEnd = 0
  while (TOKEN[bytes[offset + methodEnd] ?? 0] !== 0) methodEnd++
  const targetEnd = end - VERSION_LENGTH
  if (methodEnd === 0 || bytes[offset + methodEnd] !== SP || targetEnd <= methodEnd + 1) return 'bad-request'
  if (!text.startsWith(' HTTP/1.', targetEnd)) return 'bad-request'
  const minor = bytes[offset + end - 1]
  if (minor === 49) head.minorVersion = 1
  else if (minor === 48) head.minorVersion = 0
  else return 'bad-request'
  const method = methodOf(text, methodEnd)
  let legalEnd = methodEnd + 1
  while (legalEnd < targetEnd && IN_TARGET[bytes[offset + legalEnd] ?? 0] === 1) legalEnd++
  if (legalEnd < targetEnd) return 'bad-request'
  const target = text.slice(methodEnd + 1, targetEnd)
  head.method = method
  // TRACE would echo credentials back; CONNECT would make the proxy a way into the cluster.
  if (method === 'CONNECT' || method === 'TRACE') return 'method-not-allowed'
  if (target.charCodeAt(0) === SLASH) return setTarget(head, target)
  if (target === '*') return method === 'OPTIONS' ? setTarget(head, target) : 'bad-request'
  return setAbsolute(head, target)
}

function methodOf(text: string, end: number): string {
  for (let i = 0; i < USUAL_METHODS.length; i++) {
    const usual = USUAL_METHODS[i] ?? ''
    if (usual.length === end && text.startsWith(usual)) return usual
  }
  return text.slice(0, end)
}

export function setTarget(head: RequestHead, target: string): undefined {
  head.target = target
  const query = target.indexOf('?')
  head.path = query < 0 ? target : target.slice(0, query)
}

/** RFC 9112 §3.2.2: its authority is the host whatever Host says; the backend gets origin-form. */
function setAbsolute(head: RequestHead, target: string): FailureKind | undefined {
  const match = ABSOLUTE.exec(target)
  const authority = match?.[1]
  if (match === null || authority === undefined || authority === '' || authority.includes('@')) return 'bad-request'
  head.host = authority
  head.hasAuthority = true
  const rest = target.slice(match[0].length)
  if (rest === '' && head.method === 'OPTIONS') return setTarget(head, '*')
  return setTarget(head, rest.charCodeAt(0) === SLASH ? rest : `/${rest}`)
}
