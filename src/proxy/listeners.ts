// The ports of one thread and every connection on them from accept to its first request: limits, PROXY protocol, TLS.
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { canonicalAddress } from '../base/address-list.ts'
import type { Proxied } from '../http/proxy-protocol/header.ts'
import type { Contexts } from '../http/tls/contexts.ts'
import { createTlsFront, peerOf } from '../http/tls/front.ts'
import type { PassOn } from '../http/tls/passthrough.ts'
import type { Handshake } from '../http/tls/peer-certificate.ts'
import type { ProxyProtocolSettings } from '../model/settings.ts'
import { hostFor } from '../table/table.ts'
import type { Admission } from './admission.ts'
import { ClientConnection } from './client-connection.ts'
import type { Client, ProxyContext } from './context.ts'
import { Http2Client } from './http2-connection.ts'
import { connectionOrigin, type ConnectionOrigin } from './origin.ts'
import { PrefaceReader } from './preface-reader.ts'
import { ProxyHeaderReader } from './proxy-header-reader.ts'
import { acceptShared, type Reader } from './shared-read.ts'

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
    socket.on('error', () => undefined)
    socket.destroy()
  }

  /** To be asked once for every accepted socket; false: it was closed. */
  function admit(socket: Socket): boolean {
    const proxyProtocol = headers()
    if ((proxyProtocol !== undefined && !context.headerSenders.has(plainAddress(socket))) || !admission.enter()) {
      refuse(socket)
      return false
    }
    socket.once('close', admission.leave)
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
    socket.once('close', () => admission.leaveClient(address))
    return true
  }

  function track(socket: Socket): void {
    raw.add(socket)
    socket.once('close', () => raw.delete(socket))
  }

  /** `handshake`: undefined without TLS. */
  function begin(socket: Socket, handshake: Handshake | undefined, port: number, proxied: Proxied | undefined, http2: boolean): Client {
    const tls = handshake !== undefined
    const client = new (http2 ? Http2Client : ClientConnection)(socket, context, tls, originOf(socket, handshake, port, proxied))
    recorder.connectionOpened(tls)
    socket.once('close', () => {
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
    socket.on('error', () => undefined)
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
    socket.on('error', () => undefined)
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
    else passOn({ socket: socket.pause(), host: host.name, target: host.passthrough, early, proxied: proxiedOf.get(peerOf(socket)) })
    return true
  }

  function tlsServer(): Server {
    const { settings } = context
    if (contexts === undefined) throw new Error('a TLS listener needs contexts')
    const front = createTlsFront(
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
          const client = begin(socket, handshake, context.settings.publicHttpsPort, proxiedOf.get(peerOf(socket)), socket.alpnProtocol === 'h2')
          socket.on('data', (chunk: Buffer) => client.received(chunk, chunk.length))
        },
        failed: () => recorder.handshakeFailed(),
        refused: refuse,
        claimed: passThrough,
      },
    )
    const server = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (!admit(socket)) return
      // Connections that get no further than the handshake are in nobody's list but this.
      track(socket)
      socket.on('error', () => undefined)
      const proxyProtocol = headers()
      if (proxyProtocol === undefined) front.accept(socket)
      else readHeaderBelowTls(socket, proxyProtocol.headerTimeout, front.accept)
    })
    server.once('close', front.close)
    return server
  }

  function readHeaderBelowTls(socket: Socket, timeout: number, complete: (socket: Socket) => void): void {
    const key = peerOf(socket)
    socket.once('close', () => proxiedOf.delete(key))
    // No further than the header: what is put back is for TLS.
    const read = (): void => {
      while (!header.done) {
        const chunk: unknown = socket.read()
        if (!(chunk instanceof Buffer)) return
        header.received(chunk, chunk.length)
      }
    }
    const header = readHeader(socket, timeout, (proxied, rest) => {
      socket.off('readable', read)
      if (!admitClient(socket, proxied)) return
      if (proxied !== undefined) proxiedOf.set(key, proxied)
      if (rest.length > 0) socket.unshift(rest)
      complete(socket)
    })
    socket.on('readable', read)
  }

  return {
    listen({ port, address, tls, reusePort }) {
      return new Promise((resolve, reject) => {
        let bound = port
        const server = tls ? tlsServer() : plainServer(() => bound)
        server.once('error', reject)
        server.listen({ port, host: address, reusePort }, () => {
          server.off('error', reject)
          server.on('error', (error) => log('error', 'listener failed', { error: error.message }))
          const at = server.address() as AddressInfo
          bound = at.port
          // Not behind TLS: there the bytes come from the TLS layer.
          if (!tls) acceptShared(server, context.buffers, (socket) => acceptPlain(socket, bound))
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

function clientAddress(socket: Socket, proxied: Proxied | undefined): string {
  return proxied === undefined ? plainAddress(socket) : (canonicalAddress(proxied.source.address) ?? '')
}

/** Of the peer, without the zone of a link-local address; empty: the connection is gone already. */
function plainAddress(socket: Socket): string {
  const [address = ''] = (socket.remoteAddress ?? '').split('%', 1)
  return canonicalAddress(address) ?? ''
}
