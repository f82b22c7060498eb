// The endpoints of its backend that a request may still go to. One object serves all requests of a connection.
import type { Admits } from '../balance/endpoint-health.ts'
import type { Endpoint } from '../model/routing.ts'
import type { EndpointPool } from '../upstream/pool.ts'
import type { Exchange } from './exchange.ts'

export class Candidates {
  /** Pools of endpoints that were tried in vain. */
  readonly tried: EndpointPool[] = []
  /** What the health of the endpoints has to say, during a pick. */
  admits: Admits | undefined
  readonly usable = (_endpoint: Endpoint, index: number): boolean => this.isUsable(index)
  readonly waitable = (_endpoint: Endpoint, index: number): boolean => this.mayWait(index)
  readonly #exchange: Exchange

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  /** Of the next request none was tried. */
  clear(): void {
    if (this.tried.length > 0) this.tried.length = 0
  }

  poolOf(index: number): EndpointPool | undefined {
    const { backend, tls } = this.#exchange
    return (tls ? backend?.tlsPools : backend?.pools)?.[index]
  }

  /** By its index in the backend: the endpoint was not tried in vain, and takes another connection. */
  isUsable(index: number): boolean {
    const pool = this.poolOf(index)
    return pool !== undefined && !pool.full && !this.tried.includes(pool) && (this.admits === undefined || this.admits(index))
  }

  /** Whether any but the present one is. */
  others(): boolean {
    const { backend, pool } = this.#exchange
    return backend?.backend.endpoints.some(({ weight }, index) => weight > 0 && this.poolOf(index) !== pool && this.isUsable(index)) === true
  }

  /** Likewise, or may be waited for. */
  mayWait(index: number): boolean {
    const pool = this.poolOf(index)
    return pool !== undefined && !(pool.full && pool.queueFull) && !this.tried.includes(pool)
  }
}
