// What is spoken to the endpoints of a backend.
import type { ClientCa } from './policy.ts'
import type { TlsVersions } from './tls.ts'

export interface BackendProtocol {
  /** Equal ones are spoken alike. */
  readonly id: string
  /** 2: HTTP/2, which gRPC is made of; in the clear by prior knowledge, in TLS by ALPN. */
  readonly version: 1 | 2
  readonly tls?: BackendTls
  /** TLS for requests that came over TLS themselves, and for no others. */
  readonly asClient?: true
}

export interface BackendTls {
  /** The certificate has to be for it; also what SNI says, if that is sent. */
  readonly name: string
  readonly sendName: boolean
  /** Undefined: whoever answers is believed. */
  readonly verify?: { readonly ca: ClientCa; /** Most intermediates between the certificate and a trusted root. */ readonly depth: number }
  /** Shown to a backend that asks. PEM; never logged, never in the admin API. */
  readonly certificate?: { readonly chain: string; readonly key: string }
  /** OpenSSL's names of suites for TLS 1.2. */
  readonly ciphers?: string
  /** Undefined: 1.2 and 1.3. */
  readonly versions?: TlsVersions
}

/** Like HTTP/1.1 in the clear, for a backend without a protocol. */
export const PLAIN_PROTOCOL: BackendProtocol = Object.freeze({ id: '', version: 1 })
