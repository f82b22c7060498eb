// auth-tls-*: whether the client's certificate lets a request in, and what the backend is told of it. Holds for all paths of a host,
// so it is asked before its routes are. Answers as nginx does, after a handshake that is completed whatever the certificate is.
import { RE2JS } from 're2js'
import type { FailureKind } from '../../base/failure.ts'
import { fieldLine, withoutFields } from '../../http/http1/field-lines.ts'
import type { RequestHead } from '../../http/http1/request-head.ts'
import type { Handshake, PeerCertificate } from '../../http/tls/peer-certificate.ts'
import { verifyReason } from '../../http/tls/verify-reason.ts'
import type { ClientCertificateRules } from '../../model/policy.ts'
import type { Host } from '../../model/routing.ts'
import { redirectAnswer, textAnswer, type Answer } from '../answer.ts'

/** What a client says of itself counts for nothing. */
const FIELDS: ReadonlySet<string> = new Set(['ssl-client-verify', 'ssl-client-subject-dn', 'ssl-client-issuer-dn', 'ssl-client-cert'])

/** nginx: what optional_no_ca lets pass. Anything else, an expired certificate for one, is wrong whoever issued it. */
const UNKNOWN_ISSUER: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const CHAIN_TOO_LONG = 'CERT_CHAIN_TOO_LONG'

/** Undefined: the request may go on. An answer is the last one on its connection, a failure anyway. */
export function checkClient(host: Host, request: RequestHead, handshake: Handshake | undefined): Answer | FailureKind | undefined {
  const rules = host.clientCertificates
  if (rules === undefined) return undefined
  if (rules === 'denied') return textAnswer(403, 'client certificates can not be checked')
  request.fields = withoutFields(request.fields, FIELDS)
  if (handshake !== undefined && rules.verify !== 'off') {
    const isOfHost = handshake.terms !== undefined && handshake.terms === host.handshake?.id
    // A handshake for another name, or from before the terms changed. The client may come again over a new connection.
    if (!isOfHost && handshake.serverName !== undefined) return 'misdirected'
    const refusal = refuse(rules, isOfHost ? handshake.certificate : undefined)
    if (refusal !== undefined) return refusal
  }
  const certificate = rules.verify === 'off' ? undefined : handshake?.certificate
  if (rules.matchSubject !== undefined && !patternOf(rules.matchSubject).matcher(certificate?.subject ?? '').find()) {
    return textAnswer(403, 'client certificate unauthorized')
  }
  if (handshake !== undefined) request.fields += fieldsFor(rules, certificate)
  return undefined
}

function refuse(rules: ClientCertificateRules, certificate: PeerCertificate | undefined): Answer | undefined {
  if (certificate === undefined) return rules.verify === 'on' ? badRequest(rules, 'No required SSL certificate was sent') : undefined
  const problem = problemOf(rules, certificate)
  if (problem === undefined || (rules.verify === 'optional_no_ca' && UNKNOWN_ISSUER.has(problem))) return undefined
  return badRequest(rules, 'The SSL certificate error')
}

function problemOf({ depth }: ClientCertificateRules, { problem, intermediates }: PeerCertificate): string | undefined {
  return problem ?? (intermediates > depth ? CHAIN_TOO_LONG : undefined)
}

function badRequest({ errorPage }: ClientCertificateRules, text: string): Answer {
  return errorPage === undefined ? textAnswer(400, text) : redirectAnswer(302, errorPage)
}

/** As ingress-nginx sends them; an empty value is not sent. */
function fieldsFor(rules: ClientCertificateRules, certificate: PeerCertificate | undefined): string {
  if (certificate === undefined) return fieldLine('ssl-client-verify', 'NONE')
  const problem = problemOf(rules, certificate)
  const verify = problem === undefined ? 'SUCCESS' : `FAILED:${verifyReason(problem)}`
  const cert = rules.passCertificate ? fieldLine('ssl-client-cert', encodeURIComponent(`${certificate.pem.trimEnd()}\n`)) : ''
  const subject = certificate.subject === '' ? '' : fieldLine('ssl-client-subject-dn', certificate.subject)
  const issuer = certificate.issuer === '' ? '' : fieldLine('ssl-client-issuer-dn', certificate.issuer)
  return `${cert}${fieldLine('ssl-client-verify', verify)}${subject}${issuer}`
}

const patterns = new Map<string, RE2JS>()
const MOST_PATTERNS = 256

/** The engine of Go's regexp, by which such patterns were checked before: linear in the length of the subject. */
function patternOf(text: string): RE2JS {
  let pattern = patterns.get(text)
  if (pattern === undefined) {
    if (patterns.size >= MOST_PATTERNS) patterns.clear()
    pattern = RE2JS.compile(text)
    patterns.set(text, pattern)
  }
  return pattern
}
