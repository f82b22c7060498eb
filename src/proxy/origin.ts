// Where a request comes from, as the backend, the policies and the log are told. What a client says of itself counts for nothing;
// what a trusted proxy says of its clients does.
import type { AddressList } from '../base/address-list.ts'
import type { Handshake } from '../http/tls/peer-certificate.ts'

export interface Origin {
  /** IP literal; IPv4 never as IPv6. */
  readonly address: string
  /** Of the port that the client asked. */
  readonly port: number
  /** The client asked with https, here or at a trusted proxy. */
  readonly secure: boolean
  /** X-Real-IP, X-Forwarded-For and so on for the backend, serialised; X-Forwarded-Host is the request's. */
  readonly fields: string
}

/** Of a connection: holds for all its requests, unless a trusted proxy sends them for others. */
export interface ConnectionOrigin extends Origin {
  readonly isTrusted: boolean
  /** Undefined: the connection is a plain one. */
  readonly handshake: Handshake | undefined
}

export function connectionOrigin(address: string, port: number, handshake: Handshake | undefined, trusted: AddressList): ConnectionOrigin {
  return { ...originOf(address, port, handshake !== undefined, address), isTrusted: trusted.has(address), handshake }
}

/** `forwardedFor`: the value of that field. */
export function originOf(address: string, port: number, secure: boolean, forwardedFor: string): Origin {
  const scheme = secure ? 'https' : 'http'
  const fields =
    `X-Real-IP: ${address}\r\nX-Forwarded-For: ${forwardedFor}\r\nX-Forwarded-Port: ${port}\r\n` +
    `X-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Scheme: ${scheme}\r\nX-Scheme: ${scheme}\r\n`
  return { address, port, secure, fields }
}
