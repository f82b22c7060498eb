// TLS connections to one endpoint: what they are made with, the check of who answered, and the session that the next one resumes.
import type { X509Certificate } from 'node:crypto'
import { isIP, type OnReadOpts } from 'node:net'
import { checkServerIdentity, connect, createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls'
import { depthOf } from '../http/tls/peer-certificate.ts'
import { verifyReason } from '../http/tls/verify-reason.ts'
import type { BackendProtocol, BackendTls } from '../model/backend-protocol.ts'
import type { Endpoint } from '../model/routing.ts'

export class TlsDialer {
  readonly #tls: BackendTls
  /** Empty: nothing is offered. */
  readonly #alpn: readonly string[]
  readonly #protocol: BackendProtocol
  /** Made for the first connection. */
  #context: SecureContext | undefined
  /** Of the last handshake that was in order. */
  #session: Buffer | undefined
  /** With TLS 1.2 the session comes before its handshake could be looked at. */
  readonly #unproven = new WeakMap<TLSSocket, Buffer>()
  readonly #proven = new WeakSet<TLSSocket>()

  /** `tls` is that of `protocol`. */
  constructor(tls: BackendTls, protocol: BackendProtocol) {
    this.#tls = tls
    this.#protocol = protocol
    this.#alpn = protocol.version === 2 ? ['h2'] : []
  }

  /** The socket is to be looked at by `trouble` on its `secureConnect`, before anything is written. */
  connect({ address, port }: Endpoint, onread?: OnReadOpts): TLSSocket {
    const { name, sendName } = this.#tls
    this.#context ??= contextOf(this.#protocol.id, this.#tls)
    const options: ConnectionOptions & { readonly allowHalfOpen: boolean; readonly onread: OnReadOpts | undefined } = {
      host: address,
      port,
      secureContext: this.#context,
      // Looked at by `trouble`, which knows more.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      allowHalfOpen: true,
      ...(sendName && isIP(name) === 0 && { servername: name }),
      ...(this.#alpn.length > 0 && { ALPNProtocols: [...this.#alpn] }),
      ...(this.#session !== undefined && { session: this.#session }),
      onread,
    }
    const socket = connect(options)
    socket.setNoDelay(true)
    socket.on('session', (session) => {
      if (this.#proven.has(socket)) this.#session = session
      else this.#unproven.set(socket, session)
    })
    return socket
  }

  /** Why the backend is not to be believed; undefined: all is well, and the session may be resumed. */
  trouble(socket: TLSSocket): string | undefined {
    const trouble = socket.isSessionReused() ? undefined : this.#mistrust(socket)
    if (trouble === undefined) {
      this.#proven.add(socket)
      this.#session = this.#unproven.get(socket) ?? this.#session
    }
    return trouble
  }

  /** A session that did not lead to a handshake is not offered twice. */
  forgetSession(): void {
    this.#session = undefined
  }

  #mistrust(socket: TLSSocket): string | undefined {
    const { verify, name } = this.#tls
    if (verify === undefined) return undefined
    const certificate: X509Certificate | undefined = socket.getPeerX509Certificate()
    if (certificate === undefined) return 'no certificate'
    if (!socket.authorized) return verifyReason(String(socket.authorizationError))
    if (depthOf(certificate, verify.ca) > verify.depth) return verifyReason('CERT_CHAIN_TOO_LONG')
    return checkServerIdentity(name, socket.getPeerCertificate()) === undefined ? undefined : `not for ${name}`
  }
}

const contexts = new Map<string, WeakRef<SecureContext>>()

/** By what it is made of: every change of endpoints brings a new copy of what is asked for, and a context holds parsed certificates. */
function contextOf(id: string, tls: BackendTls): SecureContext {
  const known = contexts.get(id)?.deref()
  if (known !== undefined) return known
  for (const [key, each] of contexts) if (each.deref() === undefined) contexts.delete(key)
  const { verify, certificate, ciphers, versions } = tls
  const made = createSecureContext({
    // An empty list keeps Node from loading the roots of the web, which vouch for nobody here.
    ca: verify === undefined ? [] : verify.ca.certificates,
    minVersion: versions?.minVersion ?? 'TLSv1.2',
    maxVersion: versions?.maxVersion ?? 'TLSv1.3',
    ...(verify?.ca.revoked !== undefined && { crl: verify.ca.revoked }),
    ...(certificate !== undefined && { cert: certificate.chain, key: certificate.key }),
    ...(ciphers !== undefined && { ciphers }),
  })
  contexts.set(id, new WeakRef(made))
  return made
}
