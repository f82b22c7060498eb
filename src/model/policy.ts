// What a route asks of the exchange beyond forwarding. Absent: the route pays nothing for it.
import type { Timeouts } from './settings.ts'
import type { TlsVersions } from './tls.ts'

export interface Policy {
  readonly tlsRedirect?: TlsRedirect
  readonly affinity?: CookieAffinity
  readonly timeouts?: RouteTimeouts
  readonly retries?: RouteRetries
}

/** In place of the settings', in milliseconds: what the endpoints of a route have time for. `read` is also for tunnels without a byte. */
export type RouteTimeouts = Partial<Pick<Timeouts, 'connect' | 'read' | 'send'>>

/** When a request is sent to another endpoint, in place of the settings. */
export interface RouteRetries {
  /** The first one included; 0: as many as there are endpoints. */
  readonly tries?: number
  /** Milliseconds from the request on, after which none begins. */
  readonly within?: number
  /** Absent: when nothing of the request was acted on, as far as can be known. */
  readonly on?: RetryConditions
}

/** What is not named here is answered as it is. */
export interface RetryConditions {
  /** No connection, or none any more before the head of the response. */
  readonly error: boolean
  /** Likewise in time. */
  readonly timeout: boolean
  readonly invalidHeader: boolean
  /** Methods that may act twice, too. */
  readonly nonIdempotent: boolean
  readonly statuses: readonly number[]
}

/** A cookie that leads each client to the endpoint it had before. */
export interface CookieAffinity {
  /**
   * persistent: the cookie means one endpoint, and a session leaves it only when the endpoint is gone. balanced: it is hashed over the
   * endpoints there are, so that some sessions move to new ones.
   */
  readonly mode: 'balanced' | 'persistent'
  readonly name: string
  readonly path: string
  readonly domain?: string
  /** Seconds from now; below 0: in the past. */
  readonly expires?: number
  /** Seconds. */
  readonly maxAge?: number
  readonly sameSite?: 'None' | 'Lax' | 'Strict'
  /** No SameSite=None for user agents that take it for Strict. */
  readonly conditionalSameSiteNone?: true
  /** Over plain HTTP too; without it, over TLS alone. */
  readonly secure?: true
  /** Another endpoint and a new cookie when the endpoint fails; without it the same one is tried again. */
  readonly changeOnFailure?: true
}

/** Plain HTTP is answered with a redirect to https. */
export interface TlsRedirect {
  readonly status: 301 | 302 | 307 | 308
}

/** Shared by all routes without a policy, so that equal stays identical. */
export const NO_POLICY: Policy = Object.freeze({})

/** What a host asks of the handshakes that are made for it, beyond the defaults. */
export interface HandshakeTerms {
  /** A hash of the rest: equal ones shake hands alike. */
  readonly id: string
  /** Clients are asked for a certificate; undefined: they are not. */
  readonly clientCa?: ClientCa
  /** OpenSSL's names of suites for TLS 1.2 and before. */
  readonly ciphers?: string
  /** Undefined: the default order. */
  readonly preferServerCiphers?: boolean
  readonly versions?: TlsVersions
  /** HTTP/2 is not offered. */
  readonly http1Only?: true
}

/** PEM. */
export interface ClientCa {
  readonly certificates: string
  readonly revoked?: string
}

/** What a host asks of the certificates of its clients; `denied`: nobody is let in, since what was asked for can't be had. */
export type ClientCertificatePolicy = 'denied' | ClientCertificateRules

export interface ClientCertificateRules {
  /** optional: none is as good as a right one. optional_no_ca: so is one of an unknown issuer. */
  readonly verify: 'on' | 'off' | 'optional' | 'optional_no_ca'
  /** Most intermediates between a client's certificate and the trusted root. */
  readonly depth: number
  /** http(s) URL for those without a right one; undefined: they get 400. */
  readonly errorPage?: string
  /** The certificate goes to the backend too. */
  readonly passCertificate: boolean
  /** RE2 pattern to be found in the subject (RFC 2253 text). */
  readonly matchSubject?: string
}
