// What a finished handshake says of its client: the certificate, and what OpenSSL found wrong with it. Decides nothing: the handshake
// is completed whatever it is, so that the client can be told.
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ClientCa } from '../../model/policy.ts'
import { rfc2253 } from './distinguished-name.ts'

export interface PeerCertificate {
  /** OpenSSL's code (`CERT_HAS_EXPIRED`); undefined: the chain leads to a trusted root, and nothing in it is revoked. */
  readonly problem: string | undefined
  /** Between the certificate and the root; infinite with a problem. */
  readonly intermediates: number
  /** RFC 2253. */
  readonly subject: string
  readonly issuer: string
  readonly pem: string
}

/** Of the handshake that a connection began with. */
export interface Handshake {
  /** Lower case; undefined: the client named none. */
  readonly serverName: string | undefined
  /** HandshakeTerms.id; undefined: the defaults. */
  readonly terms: string | undefined
  /** Undefined: none was asked for, or the client has none. */
  readonly certificate: PeerCertificate | undefined
}

const LONGEST_CHAIN = 20

export function peerCertificate(socket: TLSSocket, ca: ClientCa): PeerCertificate | undefined {
  // Asked first: Node takes a resumed TLS 1.3 session for authorised even when there is no certificate.
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const problem = socket.authorized ? undefined : String(socket.authorizationError)
  return {
    problem,
    intermediates: problem === undefined ? depthOf(certificate, ca) : Number.POSITIVE_INFINITY,
    subject: rfc2253(certificate.subject),
    issuer: rfc2253(certificate.issuer),
    pem: certificate.toString(),
  }
}

/** Intermediates between a certificate that OpenSSL has found right and its trusted root. */
export function depthOf(certificate: X509Certificate, ca: ClientCa): number {
  return intermediatesOf(certificate, sentWith(certificate), trustedIn(ca))
}

/** In the order in which they were sent, which need not be that of the chain. */
function sentWith(certificate: X509Certificate): readonly X509Certificate[] {
  const sent: X509Certificate[] = []
  for (let next = certificate.issuerCertificate; next !== undefined && sent.length < LONGEST_CHAIN; next = next.issuerCertificate) sent.push(next)
  return sent
}

/** Node can't limit the depth, so the way that OpenSSL went is gone again; signatures count, since names can be anybody's. */
function intermediatesOf(leaf: X509Certificate, sent: readonly X509Certificate[], trusted: readonly X509Certificate[]): number {
  let last = leaf
  for (let count = 0; count <= LONGEST_CHAIN; count++) {
    if (isRoot(last, trusted)) return Math.max(0, count - 1)
    const issuer = [...trusted, ...sent].find((candidate) => candidate !== last && issued(candidate, last))
    if (issuer === undefined) break
    last = issuer
  }
  return Number.POSITIVE_INFINITY
}

function isRoot(certificate: X509Certificate, trusted: readonly X509Certificate[]): boolean {
  return trusted.some((each) => each.fingerprint256 === certificate.fingerprint256) && certificate.checkIssued(certificate)
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

const parsed = new WeakMap<ClientCa, readonly X509Certificate[]>()

function trustedIn(ca: ClientCa): readonly X509Certificate[] {
  let certificates = parsed.get(ca)
  if (certificates === undefined) {
    certificates = certificateBlocks(ca.certificates).map((block) => new X509Certificate(block))
    parsed.set(ca, certificates)
  }
  return certificates
}

export function certificateBlocks(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? []
}
