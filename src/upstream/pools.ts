// The pools of a thread, by endpoint and by what is spoken there. An endpoint that no backend lists any more loses its idle connections
// at once, busy ones finish.
import { PLAIN_PROTOCOL, type BackendProtocol } from '../model/backend-protocol.ts'
import type { Endpoint } from '../model/routing.ts'
import type { UpstreamContext } from './context.ts'
import { Http1Pool } from './http1-pool.ts'
import { Http2Pool } from './http2-pool.ts'
import type { EndpointPool } from './pool.ts'

export class Pools {
  readonly context: UpstreamContext
  readonly #byKey = new Map<string, EndpointPool>()
  readonly #keys = new Map<EndpointPool, string>()

  constructor(context: UpstreamContext) {
    this.context = context
  }

  /** For what connections do from now on. */
  configure({ limits, timeouts, pool }: Pick<UpstreamContext, 'limits' | 'timeouts' | 'pool'>): void {
    Object.assign(this.context, { limits, timeouts, pool })
  }

  /** To be paired with `release`. */
  acquire(endpoint: Endpoint, protocol: BackendProtocol = PLAIN_PROTOCOL): EndpointPool {
    const key = protocol.id === '' ? endpoint.id : `${endpoint.id} ${protocol.id}`
    let pool = this.#byKey.get(key)
    if (pool === undefined) {
      pool = new (protocol.version === 2 ? Http2Pool : Http1Pool)(endpoint, protocol, this.context)
      this.#byKey.set(key, pool)
      this.#keys.set(pool, key)
    }
    pool.users++
    return pool
  }

  release(pool: EndpointPool): void {
    pool.users--
    if (pool.users > 0) return
    this.#byKey.delete(this.#keys.get(pool) ?? '')
    this.#keys.delete(pool)
    pool.closeIdle()
    pool.serveQueue()
  }

  counts(): { readonly open: number; readonly idle: number } {
    let open = 0
    let idle = 0
    for (const pool of this.#byKey.values()) {
      open += pool.open
      idle += pool.idle
    }
    return { open, idle }
  }

  closeIdle(): void {
    for (const pool of this.#byKey.values()) pool.closeIdle()
  }
}
