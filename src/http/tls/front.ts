// From a raw connection to a TLS one: the ClientHello is read and put back, and the TLS server with the certificates and the terms of
// its host shakes hands. Bounded in time and in number.
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { Timer, type TimerWheel } from '../../base/timer-wheel.ts'
import type { HandshakeTerms } from '../../model/policy.ts'
import type { Staple } from '../../model/staple.ts'
import type { Contexts } from './contexts.ts'
import { HelloReader } from './hello-reader.ts'
import { peerCertificate, type Handshake } from './peer-certificate.ts'

export interface FrontOptions {
  readonly contexts: Contexts
  readonly wheel: TimerWheel
  /** For ALPN, of handshakes whose servers are made from now on. */
  readonly protocols: () => readonly string[]
  /** Milliseconds, each: for the ClientHello, and for the handshake. */
  readonly helloTimeout: number
  readonly handshakeTimeout: number
  /** Handshakes at once; more are refused. 0: no limit. */
  readonly handshakes: number
}

export interface FrontEvents {
  established(socket: TLSSocket, handshake: Handshake): void
  /** The connection is destroyed. */
  failed(): void
  /** Not even tried. The connection is to be closed. */
  refused(socket: Socket): void
  /** True: the connection, paused, is somebody else's from now on. `early`: all that was read of it. Absent: none is. */
  claimed?(socket: Socket, serverName: string | undefined, early: Buffer): boolean
}

export interface TlsFront {
  /** `socket` is read from by nobody, has an error handler, and is at its first byte of TLS. */
  accept(socket: Socket): void
  close(): void
}

/** RFC 8446 section 6: fatal, decode_error. */
const DECODE_ERROR = Buffer.from([21, 3, 3, 0, 2, 2, 50])

export function createTlsFront({ contexts, wheel, protocols, helloTimeout, handshakeTimeout, handshakes }: FrontOptions, events: FrontEvents): TlsFront {
  const servers = contexts.servers(newServer)
  /** Connections that shake hands, by `peerOf`. */
  const pending = new Set<string>()

  function newServer(options: TlsOptions, terms: HandshakeTerms | undefined, staple: Staple | undefined): Server {
    const server = createServer({ ...options, allowHalfOpen: true, ALPNProtocols: protocols().filter((protocol) => protocol !== 'h2' || terms?.http1Only !== true), handshakeTimeout }, (socket) => {
      pending.delete(peerOf(socket))
      const ca = terms?.clientCa
      events.established(socket, {
        serverName: serverNameOf(socket),
        terms: terms?.id,
        certificate: ca === undefined ? undefined : peerCertificate(socket, ca),
      })
    })
    if (staple !== undefined) {
      const response = Buffer.from(staple.response)
      server.on('OCSPRequest', (_certificate, _issuer, answer: (error: null, response: Buffer | null) => void) => answer(null, Date.now() < staple.until ? response : null))
    }
    server.on('tlsClientError', (_error, socket) => {
      events.failed()
      socket.destroy()
    })
    return server
  }

  function readHello(socket: Socket): void {
    const reader = new HelloReader()
    const fail = (): void => {
      stop()
      events.failed()
      socket.destroySoon()
    }
    const timer = new Timer(wheel, { timedOut: fail })
    const stop = (): void => {
      timer.drop()
      socket.off('readable', read)
      socket.off('end', fail)
      socket.off('close', stop)
    }
    const read = (): void => {
      for (;;) {
        const chunk: unknown = socket.read()
        if (!(chunk instanceof Buffer)) return
        const result = reader.received(chunk)
        if (result.kind === 'more') continue
        if (result.kind === 'invalid') {
          socket.write(DECODE_ERROR)
          return fail()
        }
        stop()
        if (events.claimed !== undefined && claim(socket, result.hello.serverName, result.bytes)) return
        // TLS takes it from there in this very call.
        socket.unshift(result.bytes)
        servers.serverFor(result.hello.serverName, result.hello).emit('connection', socket)
        return
      }
    }
    timer.set(helloTimeout)
    socket.on('readable', read)
    socket.on('end', fail)
    socket.on('close', stop)
  }

  function claim(socket: Socket, serverName: string | undefined, early: Buffer): boolean {
    if (events.claimed?.(socket, serverName, early) !== true) return false
    pending.delete(peerOf(socket))
    return true
  }

  return {
    accept(socket) {
      if (handshakes > 0 && pending.size >= handshakes) return events.refused(socket)
      const key = peerOf(socket)
      pending.add(key)
      socket.once('close', () => pending.delete(key))
      readHello(socket)
    },
    close: servers.close,
  }
}

/** The same for a connection and the TLS socket on it, and nobody else's while it is open. */
export function peerOf(socket: Socket): string {
  return `${socket.remotePort} ${socket.remoteAddress}`
}

function serverNameOf({ servername }: TLSSocket & { readonly servername?: unknown }): string | undefined {
  return typeof servername === 'string' && servername !== '' ? servername.toLowerCase().replace(/\.$/, '') : undefined
}
