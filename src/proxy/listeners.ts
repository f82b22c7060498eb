// The ports of one thread and every connection on them from accept to its first request: limits, PROXY protocol, TLS.
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { canonicalAddress } from '../base/address-list.ts'
import type { Proxied } from '../http/proxy-protocol/header.ts'
import type { Contexts } from '../http/tls/contexts.ts'
import { createTlsFront, readFirstBytes, type FirstBytes, type TlsFront } from '../http/tls/front.ts'
import type { PassOn } from '../http/tls/passthrough.ts'
import type { Handshake } from '../http/tls/peer-certificate.ts'
import type { ProxyProtocolSettings } from '../model/settings.ts'
import { hostFor } from '../table/table.ts'
import type { Admission } from './admission.ts'
import { ClientConnection } from './client-connection.ts'
import type { Client, ProxyContext } from './context.ts'
import { readDirectly } from './direct-read.ts'
import { Http2Client } from './http2-connection.ts'
import { connectionOrigin, type ConnectionOrigin } from './origin.ts'
import { PrefaceReader } from './preface-reader.ts'
import { ProxyHeaderReader } from './proxy-header-reader.ts'
import { acceptFirstBytes, acceptShared, type Reader } from './shared-read.ts'

export interface ListenOptions {
  /** 0: any free one. */
  readonly port: number
  readonly address: string
  readonly tls: boolean
  /** Share the port with the other threads. */
  readonly reusePort: boolean
}

export interface Listeners {
  /** Resolves once connections are accepted; rejects with the system error (EADDRINUSE, EACCES). */
  listen(options: ListenOptions): Promise<{ readonly port: number; readonly address: string }>
  stopAccepting(): void
  /** Destroys the connections that are no client's yet. */
  closeUnready(): void
}

export interface ListenerParts {
  readonly context: ProxyContext
  readonly admission: Admission
  /** Undefined: no TLS listener can be had. */
  readonly contexts: Contexts | undefined
  /** Takes the TLS connections that are not ended here; undefined: they are closed. */
  readonly passOn: PassOn | undefined
}

/** `onClosed` is told of each client's connection that closed. */
export function createListeners({ context, admission, contexts, passOn }: ListenerParts, onClosed: () => void): Listeners {
  const { recorder, log, wheel } = context
  const servers = new Set<Server>()
  /** Below TLS, shaking hands or in use, and those whose PROXY header is not there yet. */
  const raw = new Set<Socket>()
  /** Of connections below TLS, by `peerOf`: what their headers said. */
  const proxiedOf = new Map<string, Proxied>()

  /** As it is now: each connection keeps to what it was accepted with. */
  const headers = (): ProxyProtocolSettings | undefined => context.settings.client.proxyProtocol

  function refuse(socket: Socket): void {
    recorder.connectionRefused()
    socket.on('error', ignore)
    socket.destroy()
  }

  /** To be asked once for every accepted socket; false: it was closed. */
  function admit(socket: Socket): boolean {
    const proxyProtocol = headers()
    if ((proxyProtocol !== undefined && !context.headerSenders.has(plainAddress(socket))) || !admission.enter()) {
      refuse(socket)
      return false
    }
    socket.on('close', admission.leave)
    return proxyProtocol !== undefined || admitClient(socket, undefined)
  }

  /** As soon as it is known whose the connection is. Trusted proxies are no clients. */
  function admitClient(socket: Socket, proxied: Proxied | undefined): boolean {
    if (context.settings.limits.connectionsPerClient === 0) return true
    const address = clientAddress(socket, proxied)
    if (context.trustedProxies.has(address)) return true
    if (!admission.enterClient(address)) {
      refuse(socket)
      return false
    }
    socket.on('close', () => admission.leaveClient(address))
    return true
  }

  function track(socket: Socket): void {
    raw.add(socket)
    socket.on('close', () => raw.delete(socket))
  }

  /** `handshake`: undefined without TLS. */
  function begin(socket: Socket, handshake: Handshake | undefined, port: number, proxied: Proxied | undefined, http2: boolean): Client {
    const tls = handshake !== undefined
    const client = new (http2 ? Http2Client : ClientConnection)(socket, context, tls, originOf(socket, handshake, port, proxied))
    recorder.connectionOpened(tls)
    socket.on('close', () => {
      recorder.connectionClosed(tls)
      onClosed()
    })
    if (context.draining) client.drain()
    return client
  }

  function originOf(socket: Socket, handshake: Handshake | undefined, port: number, proxied: Proxied | undefined): ConnectionOrigin {
    return connectionOrigin(clientAddress(socket, proxied), proxied?.destination.port ?? port, handshake, context.trustedProxies)
  }

  function readHeader(socket: Socket, timeout: number, complete: (proxied: Proxied | undefined, rest: Buffer) => void): ProxyHeaderReader {
    return new ProxyHeaderReader(socket, wheel, timeout, { complete, refused: () => refuse(socket) })
  }

  // === plain

  function beginPlain(socket: Socket, listened: number, proxied: Proxied | undefined): Reader {
    const { http2, timeouts, publicHttpPort } = context.settings
    const port = publicHttpPort === 0 ? listened : publicHttpPort
    if (!http2.cleartext) return begin(socket, undefined, port, proxied, false)
    track(socket)
    socket.on('error', ignore)
    return new PrefaceReader(socket, wheel, timeouts.requestHead, (isHttp2) => {
      raw.delete(socket)
      return begin(socket, undefined, port, proxied, isHttp2)
    })
  }

  function acceptPlain(socket: Socket, port: number): Reader | undefined {
    if (!admit(socket)) return undefined
    const proxyProtocol = headers()
    if (proxyProtocol === undefined) return beginPlain(socket, port, undefined)
    track(socket)
    socket.on('error', ignore)
    let client: Reader | undefined
    const header = readHeader(socket, proxyProtocol.headerTimeout, (proxied, rest) => {
      raw.delete(socket)
      if (!admitClient(socket, proxied)) return
      client = beginPlain(socket, port, proxied)
      if (rest.length > 0) client.received(rest, rest.length)
    })
    return {
      received(buffer, count) {
        if (client !== undefined) return client.received(buffer, count)
        header.received(buffer, count)
        return false
      },
    }
  }

  function plainServer(port: () => number): Server {
    return createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const reader = acceptPlain(socket, port())
      if (reader !== undefined) socket.on('data', (chunk: Buffer) => reader.received(chunk, chunk.length))
    })
  }

  // === TLS

  /** Of hosts with passthrough; false: TLS ends here. */
  function passThrough(socket: Socket, serverName: string | undefined, early: Buffer): boolean {
    const host = hostFor(context.routing.table, serverName ?? '')
    if (host?.passthrough === undefined) return false
    // Whoever takes it keeps it through a drain, too.
    raw.delete(socket)
    if (passOn === undefined) refuse(socket)
    else passOn({ socket: socket.pause(), host: host.name, target: host.passthrough, early, proxied: proxiedBelow(socket) })
    return true
  }

  function tlsFront(): TlsFront {
    const { settings } = context
    if (contexts === undefined) throw new Error('a TLS listener needs contexts')
    return createTlsFront(
      {
        contexts,
        wheel,
        protocols: () => (context.settings.http2.overTls ? ['h2', 'http/1.1', 'http/1.0'] : ['http/1.1', 'http/1.0']),
        helloTimeout: settings.timeouts.clientHello,
        handshakeTimeout: settings.timeouts.tlsHandshake,
        handshakes: settings.limits.handshakes,
      },
      {
        established(socket, handshake) {
          readDirectly(socket, begin(socket, handshake, context.settings.publicHttpsPort, proxiedBelow(socket), socket.alpnProtocol === 'h2'))
        },
        failed: () => recorder.handshakeFailed(),
        refused: refuse,
        claimed: passThrough,
      },
    )
  }

  function acceptTls(socket: Socket, front: TlsFront): FirstBytes | undefined {
    if (!admit(socket)) return undefined
    // Connections that get no further than the handshake are in nobody's list but this.
    track(socket)
    socket.on('error', ignore)
    const proxyProtocol = headers()
    return proxyProtocol === undefined ? front.accept(socket) : headerBelowTls(socket, proxyProtocol.headerTimeout, front)
  }

  function tlsServer(front: TlsFront): Server {
    const server = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const first = acceptTls(socket, front)
      if (first !== undefined) readFirstBytes(socket, first)
    })
    return server.once('close', front.close)
  }

  function headerBelowTls(socket: Socket, timeout: number, front: TlsFront): FirstBytes {
    let hello: FirstBytes | undefined
    const header = readHeader(socket, timeout, (proxied, rest) => {
      if (!admitClient(socket, proxied)) return
      if (proxied !== undefined) {
        const key = peerOf(socket)
        proxiedOf.set(key, proxied)
        socket.on('close', () => proxiedOf.delete(key))
      }
      hello = front.accept(socket)
      if (rest.length > 0) hello?.received(rest, rest.length)
    })
    return {
      get done() {
        return header.done && hello?.done !== false
      },
      received(buffer, count) {
        if (header.done) hello?.received(buffer, count)
        else header.received(buffer, count)
      },
    }
  }

  function proxiedBelow(socket: Socket): Proxied | undefined {
    return proxiedOf.size === 0 ? undefined : proxiedOf.get(peerOf(socket))
  }

  return {
    listen({ port, address, tls, reusePort }) {
      return new Promise((resolve, reject) => {
        let bound = port
        const front = tls ? tlsFront() : undefined
        const server = front === undefined ? plainServer(() => bound) : tlsServer(front)
        server.once('error', reject)
        server.listen({ port, host: address, reusePort }, () => {
          server.off('error', reject)
          server.on('error', (error) => log('error', 'listener failed', { error: error.message }))
          const at = server.address() as AddressInfo
          bound = at.port
          if (front === undefined) acceptShared(server, context.buffers, (socket) => acceptPlain(socket, bound))
          else acceptFirstBytes(server, context.buffers, (socket) => acceptTls(socket, front))
          servers.add(server)
          resolve({ port: at.port, address: at.address })
        })
      })
    },
    stopAccepting() {
      for (const server of servers) server.close()
      servers.clear()
    },
    closeUnready() {
      for (const socket of raw) socket.destroy()
    },
  }
}

function ignore(): void {
  // What follows an error is the close.
}

/** The same for a connection and the TLS socket on it, and nobody else's while it is open. */
function peerOf(socket: Socket): string {
  return `${socket.remotePort} ${socket.remoteAddress}`
}

function clientAddress(socket: Socket, proxied: Proxied | undefined): string {
  return proxied === undefined ? plainAddress(socket) : (canonicalAddress(proxied.source.address) ?? '')
}

/** Of the peer, without the zone of a link-local address; empty: the connection is gone already. */
function plainAddress(socket: Socket): string {
  const [address = ''] = (socket.remoteAddress ?? '').split('%', 1)
  return canonicalAddress(address) ?? ''
}
