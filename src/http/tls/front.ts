// From a raw connection to a TLS one: the ClientHello is read and put back, and the TLS server with the certificates and the terms of
// its host shakes hands. Bounded in time and in number.
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { Timer, type TimerWheel } from '../../base/timer-wheel.ts'
import type { HandshakeTerms } from '../../model/policy.ts'
import type { Staple } from '../../model/staple.ts'
import { withoutDot, type ClientHello } from './client-hello.ts'
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
  /** `socket` has an error handler and is at its first byte of TLS; whoever reads it hands over what comes. Undefined: it was refused. */
  accept(socket: Socket): FirstBytes | undefined
  close(): void
}

/** A connection until its ClientHello is there. */
export interface FirstBytes {
  /** Nothing more is to be handed over: the connection is TLS's or somebody else's, or it ends. */
  readonly done: boolean
  /** Keeps nothing of `buffer`. */
  received(buffer: Buffer, count: number): void
}

/** RFC 8446 section 6: fatal, decode_error. */
const DECODE_ERROR = Buffer.from([21, 3, 3, 0, 2, 2, 50])

export function createTlsFront({ contexts, wheel, protocols, helloTimeout, handshakeTimeout, handshakes }: FrontOptions, events: FrontEvents): TlsFront {
  const servers = contexts.servers(newServer)
  /** Connections from their first byte to the end of the handshake. */
  let pending = 0

  function newServer(options: TlsOptions, terms: HandshakeTerms | undefined, staple: Staple | undefined): Server {
    const server = createServer({ ...options, allowHalfOpen: true, ALPNProtocols: protocols().filter((protocol) => protocol !== 'h2' || terms?.http1Only !== true), handshakeTimeout }, (socket) => {
      pending--
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
    // Once for each connection that was handed to the server and does not get as far as `established`, also when the client just leaves.
    server.on('tlsClientError', (_error, socket) => {
      pending--
      events.failed()
      socket.destroy()
    })
    return server
  }

  class Arrival implements FirstBytes {
    done = false
    readonly #socket: Socket
    readonly #reader = new HelloReader()
    readonly #timer = new Timer(wheel, this)

    constructor(socket: Socket) {
      this.#socket = socket
      pending++
      this.#timer.set(helloTimeout)
      socket.on('end', () => this.timedOut())
      socket.on('close', () => this.#finish())
    }

    received(buffer: Buffer, count: number): void {
      const result = this.#reader.received(buffer.subarray(0, count))
      if (result.kind === 'hello') this.#shakeHands(result.hello, result.bytes)
      else if (result.kind === 'invalid') {
        this.#socket.write(DECODE_ERROR)
        this.timedOut()
      }
    }

    /** Or ended, or garbage. */
    timedOut(): void {
      if (this.done) return
      this.#finish()
      events.failed()
      this.#socket.destroySoon()
    }

    #shakeHands(hello: ClientHello, bytes: Buffer): void {
      const socket = this.#socket
      this.#finish()
      if (events.claimed?.(socket, hello.serverName, bytes) === true) return
      pending++
      // TLS takes it from there in this very call.
      socket.unshift(bytes)
      servers.serverFor(hello.serverName, hello).emit('connection', socket)
    }

    #finish(): void {
      if (this.done) return
      this.done = true
      pending--
      this.#timer.drop()
    }
  }

  return {
    accept(socket) {
      if (handshakes === 0 || pending < handshakes) return new Arrival(socket)
      events.refused(socket)
      return undefined
    },
    close: servers.close,
  }
}

/** Reads a connection that nobody reads from, and no further: what is put back then is for TLS. */
export function readFirstBytes(socket: Socket, first: FirstBytes): void {
  const read = (): void => {
    while (!first.done) {
      const chunk: unknown = socket.read()
      if (!(chunk instanceof Buffer)) return
      first.received(chunk, chunk.length)
    }
    socket.off('readable', read)
  }
  socket.on('readable', read)
}

function serverNameOf({ servername }: TLSSocket & { readonly servername?: unknown }): string | undefined {
  return typeof servername === 'string' && servername !== '' ? withoutDot(servername).toLowerCase() : undefined
}
