// The data plane of one thread: listeners, the routing in force, pools, and an orderly end.
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { CursorSource } from '../balance/cursor.ts'
import { addressList, canonicalAddress } from '../base/address-list.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { ReadBuffers } from '../http/read-buffers.ts'
import type { Contexts } from '../http/tls/contexts.ts'
import { WriteTurn } from '../http/write-turn.ts'
import type { RoutingDelta } from '../model/delta.ts'
import type { ClientSettings, ProxySettings } from '../model/settings.ts'
import { emptyRecord, type Recorder } from '../observe/recorder.ts'
import type { Table } from '../table/table.ts'
import { Pools } from '../upstream/pool.ts'
import { ClientConnection } from './client-connection.ts'
import type { ProxyContext } from './context.ts'
import { connectionOrigin, type ConnectionOrigin } from './origin.ts'
import { requestIds } from './request-id.ts'
import { EMPTY_LIVE_ROUTING, filterCache, nextRouting } from './routing.ts'
import { acceptShared } from './shared-read.ts'

export interface ProxyOptions {
  readonly settings: ProxySettings
  readonly cursors: CursorSource
  readonly recorder: Recorder
  readonly clock: Clock
  /** Like Math.random. */
  readonly random: () => number
  readonly log: Log
  /** Needed to listen with TLS. The owner refreshes them after `apply`. */
  readonly contexts?: Contexts
}

export interface ListenOptions {
  /** 0: any free one. */
  readonly port: number
  readonly address: string
  readonly tls: boolean
  /** Share the port with the other threads. */
  readonly reusePort: boolean
}

export interface ConnectionCounts {
  /** Of clients, tunnels included. */
  readonly clients: number
  /** Of those, without a request in flight. */
  readonly idleClients: number
  readonly tunnels: number
  readonly upstream: number
  readonly idleUpstream: number
}

export interface Proxy {
  /** The next request is served by the new routing; requests in flight keep theirs, no connection of a client closes. */
  apply(delta: RoutingDelta): void
  /** Resolves once connections are accepted; rejects with the system error (EADDRINUSE, EACCES). */
  listen(options: ListenOptions): Promise<{ readonly port: number; readonly address: string }>
  /** The routing in force. */
  table(): Table
  connections(): ConnectionCounts
  /** Closes the listeners. */
  stopAccepting(): void
  /**
   * Stops accepting, closes idle connections, ends the others with their answers; after `timeoutMs` cuts what is left.
   * Resolves with the number of connections that were cut.
   */
  drain(timeoutMs: number): Promise<number>
  /** Everything at once. */
  close(): void
}

export function createProxy(options: ProxyOptions): Proxy {
  const { settings, cursors, recorder, clock, random, log, contexts } = options
  const wheel = new TimerWheel(clock, (now) => {
    // The field has seconds; ticks come ten times as often.
    if (Math.floor(now / 1000) !== Math.floor(context.now / 1000)) context.dateField = dateField(now)
    context.now = now
  })
  const buffers = new ReadBuffers()
  const trustedProxies = addressList(settings.client.trustedProxies)
  const turn = new WriteTurn()
  const pools = new Pools({
    wheel,
    limits: settings.limits,
    timeouts: settings.timeouts,
    pool: settings.pool,
    buffers,
    turn,
  })
  const context: ProxyContext = {
    settings,
    trustedProxies,
    claimFields: claimFields(settings.client),
    wheel,
    clock,
    recorder,
    record: emptyRecord(),
    log,
    buffers,
    turn,
    newRequestId: requestIds(),
    filtersOf: filterCache(settings),
    clients: new Set(),
    routing: EMPTY_LIVE_ROUTING,
    serverField: settings.serverName === '' ? '' : `Server: ${settings.serverName}\r\n`,
    now: clock.now(),
    dateField: dateField(clock.now()),
    draining: false,
    tunnels: 0,
  }
  const servers = new Set<Server>()
  /** The sockets below TLS, shaking hands or in use. */
  const secured = new Set<Socket>()
  let plain = 0
  let onEmpty: (() => void) | undefined

  function isRefused(socket: Socket): boolean {
    const { connections } = settings.limits
    if (connections === 0 || plain + secured.size < connections) return false
    recorder.connectionRefused()
    socket.destroy()
    return true
  }

  function accept(socket: Socket, tls: boolean, port: number): ClientConnection | undefined {
    if (!tls && isRefused(socket)) return undefined
    if (!tls) plain++
    const client = new ClientConnection(socket, context, tls, originOf(socket, port, tls))
    recorder.connectionOpened(tls)
    socket.once('close', () => {
      recorder.connectionClosed(tls)
      if (!tls) plain--
      if (context.clients.size === 0) onEmpty?.()
    })
    if (context.draining) client.drain()
    return client
  }

  function originOf(socket: Socket, port: number, tls: boolean): ConnectionOrigin {
    // Without the zone of a link-local address.
    const [address = ''] = (socket.remoteAddress ?? '').split('%', 1)
    return connectionOrigin(canonicalAddress(address) ?? '', port, tls, trustedProxies)
  }

  function acceptStream(socket: Socket, tls: boolean, port: number): void {
    const client = accept(socket, tls, port)
    if (client !== undefined) socket.on('data', (chunk: Buffer) => client.received(chunk, chunk.length))
  }

  function serverFor(tls: boolean, port: () => number): Server {
    const common = { allowHalfOpen: true, noDelay: true }
    if (!tls) return createTcpServer(common, (socket) => acceptStream(socket, false, port()))
    if (contexts === undefined) throw new Error('a TLS listener needs contexts')
    const server = createTlsServer(
      { ...contexts.serverOptions(), ...common, ALPNProtocols: ['http/1.1', 'http/1.0'], handshakeTimeout: settings.timeouts.tlsHandshake },
      (socket) => acceptStream(socket, true, settings.forwardedTlsPort),
    )
    // Connections that get no further than the handshake are in nobody's list but this.
    server.on('connection', (socket: Socket) => {
      if (isRefused(socket)) return
      secured.add(socket)
      socket.once('close', () => secured.delete(socket))
    })
    server.on('tlsClientError', (_error, socket) => {
      recorder.handshakeFailed()
      socket.destroy()
    })
    const detach = contexts.attach(server)
    server.once('close', detach)
    return server
  }

  function stopAccepting(): void {
    for (const server of servers) server.close()
    servers.clear()
  }

  function close(): void {
    stopAccepting()
    for (const client of context.clients) client.destroy()
    for (const socket of secured) socket.destroy()
    pools.closeIdle()
    wheel.stop()
  }

  return {
    apply(delta) {
      context.routing = nextRouting(context.routing, delta, { pools, cursors, random, clock })
    },
    listen({ port, address, tls, reusePort }) {
      return new Promise((resolve, reject) => {
        let bound = port
        const server = serverFor(tls, () => bound)
        server.once('error', reject)
        server.listen({ port, host: address, reusePort }, () => {
          server.off('error', reject)
          server.on('error', (error) => log('error', 'listener failed', { error: error.message }))
          const at = server.address() as AddressInfo
          bound = at.port
          // Not behind TLS: there the bytes come from the TLS layer.
          if (!tls) acceptShared(server, buffers, (socket) => accept(socket, false, bound))
          servers.add(server)
          resolve({ port: at.port, address: at.address })
        })
      })
    },
    table: () => context.routing.table,
    connections() {
      let idleClients = 0
      for (const client of context.clients) if (client.idle) idleClients++
      const { open, idle } = pools.counts()
      return { clients: context.clients.size, idleClients, tunnels: context.tunnels, upstream: open, idleUpstream: idle }
    },
    stopAccepting,
    drain(timeoutMs) {
      stopAccepting()
      context.draining = true
      for (const client of context.clients) client.drain()
      return new Promise((resolve) => {
        const cancel = clock.after(timeoutMs, finish)
        onEmpty = finish
        if (context.clients.size === 0) finish()
        function finish(): void {
          const cut = context.clients.size
          cancel()
          onEmpty = undefined
          close()
          resolve(cut)
        }
      })
    },
    close,
  }
}

/** The fields that are taken away from all requests need no further care. */
function claimFields({ trustedProxies, forwardedForField }: ClientSettings): ReadonlySet<string> | undefined {
  const taken = forwardedForField === 'x-forwarded-for' || forwardedForField === 'x-real-ip'
  return trustedProxies.length === 0 || taken ? undefined : new Set([forwardedForField])
}

function dateField(now: number): string {
  return `Date: ${new Date(now).toUTCString()}\r\n`
}
