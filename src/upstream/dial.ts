// Opens connections to one endpoint in the way of its backend: TCP, or TLS in TCP, which counts as open once the backend has shown who it is.
import { connect, type OnReadOpts, type Socket } from 'node:net'
import type { FailureKind } from '../base/failure.ts'
import type { BackendProtocol } from '../model/backend-protocol.ts'
import type { Endpoint } from '../model/routing.ts'
import type { UpstreamContext } from './context.ts'
import { TlsDialer } from './tls-dialer.ts'

export interface Dialled {
  connected(): void
  /** In place of `connected`, of failures of TLS only: others are seen by the socket's `close`. The socket is to be destroyed. */
  refused(kind: FailureKind): void
}

export type Dial = (onread: OnReadOpts, owner: Dialled) => Socket

/** A log line in so many milliseconds for one endpoint. */
const LOG_INTERVAL = 10_000

export function dialTo(endpoint: Endpoint, protocol: BackendProtocol, context: UpstreamContext): Dial {
  return protocol.tls === undefined ? tcp(endpoint) : overTls(endpoint, new TlsDialer(protocol.tls, protocol), context)
}

function tcp({ address, port }: Endpoint): Dial {
  return (onread, owner) => {
    const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true, onread })
    socket.on('connect', () => owner.connected())
    return socket
  }
}

function overTls(endpoint: Endpoint, dialer: TlsDialer, { wheel, log }: UpstreamContext): Dial {
  let loggedAt = -LOG_INTERVAL
  const refuse = (owner: Dialled, kind: FailureKind, reason: string): void => {
    if (wheel.now - loggedAt >= LOG_INTERVAL) {
      loggedAt = wheel.now
      log('warn', 'no TLS connection to an endpoint', { endpoint: endpoint.id, failure: kind, reason })
    }
    owner.refused(kind)
  }
  return (onread, owner) => {
    let shakes = false
    const socket = dialer.connect(endpoint, onread)
    const failed = (error: unknown): void => {
      if (!shakes) return
      shakes = false
      dialer.forgetSession()
      refuse(owner, 'handshake-failed', codeOf(error))
    }
    socket.on('connect', () => (shakes = true))
    socket.on('error', failed)
    // A backend that hangs up on a ClientHello says nothing else.
    socket.on('end', () => failed(undefined))
    socket.on('secureConnect', () => {
      shakes = false
      const trouble = dialer.trouble(socket)
      if (trouble !== undefined) refuse(owner, 'certificate-refused', trouble)
      else owner.connected()
    })
    return socket
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'closed'
}
