// One client of a TCP service: its PROXY header if it has to send one, an endpoint that takes the connection, then bytes both ways.
import { connect, type Socket } from 'node:net'
import { Timer } from '../base/timer-wheel.ts'
import type { Proxied } from '../http/proxy-protocol/header.ts'
import { parseProxyHeader } from '../http/proxy-protocol/parse.ts'
import { plainAddress, proxyHeaderV1 } from '../http/proxy-protocol/write.ts'
import { SocketReader } from '../http/read-buffers.ts'
import type { StreamCounters } from '../observe/stream-counters.ts'
import type { Destination, StreamContext } from './destination.ts'
import { Splice } from './splice.ts'
import type { Lease } from './stream-backend.ts'

const NOTHING = Buffer.alloc(0)
const KEEP_ALIVE_MS = 60_000

export interface TcpConnectionParts {
  readonly context: StreamContext
  readonly destination: Destination
  readonly counters: StreamCounters
  /** What somebody else has read of it before: bytes for the backend, and whom the client is. */
  readonly begun?: { readonly early: Buffer; readonly proxied: Proxied | undefined }
  readonly onClosed: (connection: TcpConnection) => void
}

export class TcpConnection {
  readonly #client: Socket
  readonly #parts: TcpConnectionParts
  readonly #timer: Timer
  readonly #tried = new Set<string>()
  /** Whom the client is, as the header or the connection says. */
  #proxied: Proxied
  /** Of the client, before there is anybody to send it to. */
  #early: Buffer = NOTHING
  #lease: Lease | undefined
  #upstream: Socket | undefined
  #splice: Splice | undefined
  #open = true

  /** `client` is paused. */
  constructor(client: Socket, parts: TcpConnectionParts) {
    this.#client = client
    this.#parts = parts
    this.#timer = new Timer(parts.context.wheel, { timedOut: () => this.#timedOut() })
    this.#proxied = {
      source: { address: plainAddress(client.remoteAddress ?? ''), port: client.remotePort ?? 0 },
      destination: { address: plainAddress(client.localAddress ?? ''), port: client.localPort ?? 0 },
    }
    client.on('error', () => undefined)
    client.on('close', () => {
      if (this.#splice === undefined) this.#refuse()
    })
    if (parts.begun !== undefined) {
      this.#early = parts.begun.early
      this.#proxied = parts.begun.proxied ?? this.#proxied
    }
    if (parts.destination.proxyIn) this.#readHeader()
    else this.#connect()
  }

  /** Ends it now. */
  close(): void {
    if (this.#splice !== undefined) this.#splice.close()
    else this.#refuse()
  }

  #readHeader(): void {
    this.#timer.set(this.#parts.context.settings.headerTimeout)
    const received = (chunk: Buffer): void => {
      this.#early = this.#early.length === 0 ? chunk : Buffer.concat([this.#early, chunk])
      const header = parseProxyHeader(this.#early)
      if (header.kind === 'more') return
      this.#client.off('data', received)
      this.#client.off('end', ended)
      this.#client.pause()
      if (header.kind === 'invalid') {
        this.#parts.counters.refused()
        return this.#refuse()
      }
      this.#early = this.#early.subarray(header.length)
      this.#proxied = header.proxied ?? this.#proxied
      this.#connect()
    }
    const ended = (): void => this.#refuse()
    this.#client.on('data', received)
    this.#client.on('end', ended)
    this.#client.resume()
  }

  #connect(): void {
    const { context, destination, counters } = this.#parts
    const lease = this.#tried.size < context.tries ? destination.backend.take(this.#proxied.source, this.#tried) : undefined
    if (lease === undefined) {
      counters.failed()
      return this.#refuse()
    }
    const { endpoint } = lease
    this.#tried.add(endpoint.id)
    this.#lease = lease
    this.#timer.set(context.connectTimeout)
    const upstream = connect({
      host: endpoint.address,
      port: endpoint.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      allowHalfOpen: true,
      onread: new SocketReader(context.buffers, (buffer, count) => {
        this.#splice?.fromUpstream(buffer, count)
        return true
      }).onread,
    })
    this.#upstream = upstream
    upstream.on('error', () => undefined)
    upstream.once('connect', () => this.#connected(upstream))
    upstream.once('close', () => {
      if (this.#upstream === upstream && this.#splice === undefined) this.#next()
    })
  }

  /** Nothing was sent, so another endpoint may have the connection. */
  #next(): void {
    this.#lease?.failed?.()
    this.#leave(false)
    if (this.#open) this.#connect()
  }

  #connected(upstream: Socket): void {
    const { context, destination, counters } = this.#parts
    this.#timer.drop()
    if (destination.proxyOut) upstream.write(proxyHeaderV1(this.#proxied), 'latin1')
    const splice = new Splice(this.#client, upstream, {
      wheel: context.wheel,
      buffers: context.buffers,
      idleTimeout: context.settings.idleTimeout,
      counters,
      onClosed: () => this.#finish(true),
    })
    this.#splice = splice
    if (this.#early.length > 0) {
      counters.received(this.#early.length)
      upstream.write(this.#early)
      this.#early = NOTHING
    }
    splice.start()
  }

  #timedOut(): void {
    const upstream = this.#upstream
    if (upstream === undefined) {
      this.#parts.counters.refused()
      this.#refuse()
    } else upstream.destroy()
  }

  /** The client is told that there was no connection. */
  #refuse(): void {
    if (!this.#open) return
    this.#finish(false)
    this.#client.resetAndDestroy()
  }

  #finish(reached: boolean): void {
    if (!this.#open) return
    this.#open = false
    this.#timer.drop()
    this.#leave(reached)
    this.#parts.onClosed(this)
  }

  #leave(reached: boolean): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    if (!reached) upstream?.destroy()
    this.#lease?.end(reached)
    this.#lease = undefined
  }
}
