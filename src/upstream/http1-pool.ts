// Connections of HTTP/1.1 to one endpoint: idle ones are reused last in, first out, so that the surplus grows old and closes.
import type { BackendProtocol } from '../model/backend-protocol.ts'
import type { Endpoint } from '../model/routing.ts'
import { UpstreamConnection } from './connection.ts'
import type { UpstreamContext } from './context.ts'
import { dialTo, type Dial } from './dial.ts'
import { EndpointPool } from './pool.ts'
import type { ResponseSink } from './response-sink.ts'

export class Http1Pool extends EndpointPool {
  readonly dial: Dial
  readonly #idle: UpstreamConnection[] = []

  constructor(endpoint: Endpoint, protocol: BackendProtocol, context: UpstreamContext) {
    super(endpoint, context)
    this.dial = dialTo(endpoint, protocol, context)
  }

  get idle(): number {
    return this.#idle.length
  }

  get full(): boolean {
    const limit = this.context.pool.connectionsPerEndpoint
    return limit > 0 && this.open >= limit && this.#idle.length === 0
  }

  /** The connection that was idle for the shortest time. */
  take(): UpstreamConnection | undefined {
    return this.#idle.pop()
  }

  connect(sink: ResponseSink): void {
    // Who wants a new connection while there are idle ones must not make them too many.
    const limit = this.context.pool.connectionsPerEndpoint
    if (limit > 0 && this.open >= limit) this.#idle.shift()?.destroy()
    this.open++
    sink.upstreamComing(new UpstreamConnection(this, this.context, sink))
  }

  /** False: it is surplus, worn out, or its endpoint is gone, and must be closed. */
  keep(connection: UpstreamConnection): boolean {
    const { idlePerEndpoint, requestsPerConnection, connectionAge } = this.context.pool
    if (this.users === 0 || this.#idle.length >= idlePerEndpoint) return false
    if (requestsPerConnection > 0 && connection.served >= requestsPerConnection) return false
    if (connectionAge > 0 && this.context.wheel.now - connection.bornAt >= connectionAge) return false
    this.#idle.push(connection)
    return true
  }

  /** A connection closed. */
  closed(connection: UpstreamConnection): void {
    this.open--
    const index = this.#idle.lastIndexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    this.serveQueue()
  }

  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy()
  }
}
