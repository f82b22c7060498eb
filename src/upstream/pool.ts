// The connections of one thread to one endpoint, and the requests that wait for one. What a connection is, its kinds know.
import { isIP } from 'node:net'
import type { Endpoint } from '../model/routing.ts'
import type { UpstreamContext } from './context.ts'
import type { UpstreamRequest } from './request.ts'
import type { ResponseSink } from './response-sink.ts'

/** A request for which there is no connection yet. */
export interface Waiter {
  /** There is one, or the endpoint is gone. It is no longer in the queue. */
  turnCame(): void
}

export abstract class EndpointPool {
  readonly endpoint: Endpoint
  /** Backends that list the endpoint. */
  users = 0
  /** Connections open or connecting, idle ones included. */
  open = 0
  /** Node throws for a port that is none, and would ask DNS for what is no address. */
  readonly connectable: boolean
  protected readonly context: UpstreamContext
  /** First come, first served. Only while the pool is full. */
  readonly #queue: Waiter[] = []

  constructor(endpoint: Endpoint, context: UpstreamContext) {
    const { address, port } = endpoint
    this.endpoint = endpoint
    this.connectable = isIP(address) !== 0 && Number.isInteger(port) && port > 0 && port < 65_536
    this.context = context
  }

  /** Open connections without a request. */
  abstract readonly idle: number

  /** No connection to spare and none may be opened. */
  abstract readonly full: boolean

  /** A way to the endpoint that is open; undefined: there is none. */
  abstract take(): UpstreamRequest | undefined

  /** Opens one, where it is `connectable` and not `full`; `sink` hears `upstreamComing`, then `upstreamReady` or `upstreamFailed`: perhaps from within. */
  abstract connect(sink: ResponseSink): void

  abstract closeIdle(): void

  get queueFull(): boolean {
    return this.#queue.length >= this.context.pool.queuePerEndpoint
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
}
