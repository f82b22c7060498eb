// The connections of one thread to one endpoint: idle ones are reused last in, first out, so that the surplus grows old and closes.
import { isIP } from 'node:net'
import type { Endpoint } from '../model/routing.ts'
import { UpstreamConnection } from './connection.ts'
import type { UpstreamContext } from './context.ts'
import type { ResponseSink } from './response-sink.ts'

/** A request for which there is no connection yet. */
export interface Waiter {
  /** There is one, or the endpoint is gone. It is no longer in the queue. */
  turnCame(): void
}

export class EndpointPool {
  readonly endpoint: Endpoint
  /** Backends that list the endpoint. */
  users = 0
  /** Open or connecting, idle ones included. */
  open = 0
  /** Node throws for a port that is none, and would ask DNS for what is no address. */
  readonly connectable: boolean
  readonly #idle: UpstreamConnection[] = []
  /** First come, first served. Only while the pool is full. */
  readonly #queue: Waiter[] = []
  readonly #context: UpstreamContext

  constructor(endpoint: Endpoint, context: UpstreamContext) {
    const { address, port } = endpoint
    this.endpoint = endpoint
    this.connectable = isIP(address) !== 0 && Number.isInteger(port) && port > 0 && port < 65_536
    this.#context = context
  }

  get idle(): number {
    return this.#idle.length
  }

  /** No connection to spare and none may be opened. */
  get full(): boolean {
    const limit = this.#context.pool.connectionsPerEndpoint
    return limit > 0 && this.open >= limit && this.#idle.length === 0
  }

  get queueFull(): boolean {
    return this.#queue.length >= this.#context.pool.queuePerEndpoint
  }

  /** Until `turnCame` or `leave`. */
  join(waiter: Waiter): void {
    this.#queue.push(waiter)
  }

  leave(waiter: Waiter): void {
    const index = this.#queue.indexOf(waiter)
    if (index >= 0) this.#queue.splice(index, 1)
  }

  /** To be called when a connection became free or closed. */
  serveQueue(): void {
    while (this.#queue.length > 0 && (!this.full || this.users === 0)) this.#queue.shift()?.turnCame()
  }

  /** The connection that was idle for the shortest time; undefined: none is. */
  take(): UpstreamConnection | undefined {
    return this.#idle.pop()
  }

  /** Opens one, where it is `connectable`; `sink` hears `upstreamReady` or `upstreamFailed`. */
  connect(sink: ResponseSink): UpstreamConnection {
    // Who wants a new connection while there are idle ones must not make them too many.
    const limit = this.#context.pool.connectionsPerEndpoint
    if (limit > 0 && this.open >= limit) this.#idle.shift()?.destroy()
    this.open++
    return new UpstreamConnection(this, this.#context, sink)
  }

  /** False: it is surplus, or its endpoint is gone, and must be closed. */
  keep(connection: UpstreamConnection): boolean {
    if (this.users === 0 || this.#idle.length >= this.#context.pool.idlePerEndpoint) return false
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

/** The pools of a thread by endpoint id. An endpoint that no backend lists any more loses its idle connections at once, busy ones finish. */
export class Pools {
  readonly context: UpstreamContext
  readonly #byEndpoint = new Map<string, EndpointPool>()

  constructor(context: UpstreamContext) {
    this.context = context
  }

  /** For what connections do from now on. */
  configure({ limits, timeouts, pool }: Pick<UpstreamContext, 'limits' | 'timeouts' | 'pool'>): void {
    Object.assign(this.context, { limits, timeouts, pool })
  }

  /** To be paired with `release`. */
  acquire(endpoint: Endpoint): EndpointPool {
    let pool = this.#byEndpoint.get(endpoint.id)
    if (pool === undefined) {
      pool = new EndpointPool(endpoint, this.context)
      this.#byEndpoint.set(endpoint.id, pool)
    }
    pool.users++
    return pool
  }

  release(pool: EndpointPool): void {
    pool.users--
    if (pool.users > 0) return
    this.#byEndpoint.delete(pool.endpoint.id)
    pool.closeIdle()
    pool.serveQueue()
  }

  counts(): { readonly open: number; readonly idle: number } {
    let open = 0
    let idle = 0
    for (const pool of this.#byEndpoint.values()) {
      open += pool.open
      idle += pool.idle
    }
    return { open, idle }
  }

  closeIdle(): void {
    for (const pool of this.#byEndpoint.values()) pool.closeIdle()
  }
}
