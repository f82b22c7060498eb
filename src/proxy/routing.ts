// The routing that a thread serves from: the table with, beside each backend, its scheduler and pools. Brought up to date in place,
// between two requests; a request keeps the host, the route and the backend that it found at its start.
import type { Clock } from '../base/clock.ts'
import type { CursorSource } from '../balance/cursor.ts'
import { clientAffinity, type ClientAffinity } from '../balance/client-affinity.ts'
import type { ClientTable } from '../balance/client-table.ts'
import { EndpointHealth, type Ejection } from '../balance/endpoint-health.ts'
import type { BackendCells } from '../balance/loads.ts'
import { createScheduler, isSameScheduler, type Scheduler } from '../balance/scheduler.ts'
import { applyDelta, ownRouting, type OwnRouting, type RoutingDelta } from '../model/delta.ts'
import type { Backend, Route } from '../model/routing.ts'
import type { ProxySettings } from '../model/settings.ts'
import { compileTable, forgetHosts, type Table } from '../table/table.ts'
import type { EndpointPool } from '../upstream/pool.ts'
import type { Pools } from '../upstream/pools.ts'
import { RetryBudget } from '../upstream/retry-budget.ts'
import { compileFilters, type Filter } from './filters/filter.ts'
import { requestKey, type RequestKey } from './request-key.ts'

export interface LiveBackend {
  readonly backend: Backend
  readonly scheduler: Scheduler
  /** Whether the scheduler wants to hear when a request is over. */
  readonly counts: boolean
  /** undefined: the scheduler hashes nothing. */
  readonly key: RequestKey | undefined
  /** undefined: its Service has no sessionAffinity. */
  readonly clients: ClientAffinity | undefined
  /** One for each of `backend.endpoints`, in that order. */
  readonly pools: readonly EndpointPool[]
  /** Likewise, for requests that came over TLS; mostly the same ones. */
  readonly tlsPools: readonly EndpointPool[]
  readonly health: EndpointHealth
  readonly retries: RetryBudget
  /** Milliseconds since the epoch, when a request first found that all it may try refuse the connection; -1: none has, since the backend is as it is. */
  readonly refusing: { since: number }
}

export interface Routing {
  readonly table: Table
  /** By Backend.id. */
  readonly backends: ReadonlyMap<string, LiveBackend>
}

/** Of one owner: see OwnRouting. */
export interface LiveRouting extends Routing {
  readonly config: OwnRouting
  readonly backends: Map<string, LiveBackend>
}

export function createRouting(): LiveRouting {
  const config = ownRouting()
  return { config, table: compileTable(config), backends: new Map() }
}

export interface RoutingParts {
  readonly pools: Pools
  readonly cursors: CursorSource
  readonly cells: BackendCells
  readonly clients: ClientTable
  readonly random: () => number
  readonly clock: Clock
  readonly settings: ProxySettings
  readonly onEjected: (ejection: Ejection) => void
}

/** Costs what changed. Pools of endpoints that stay are kept, those of endpoints that went lose their idle connections. */
export function updateRouting({ config, table, backends }: LiveRouting, delta: RoutingDelta, parts: RoutingParts): void {
  applyDelta(config, delta)
  forgetHosts(table, delta.hosts.deleted)
  const gone: LiveBackend[] = []
  const take = (id: string): LiveBackend | undefined => {
    const live = backends.get(id)
    if (live !== undefined) gone.push(live)
    backends.delete(id)
    return live
  }
  for (const id of delta.backends.deleted) take(id)
  for (const [id, backend] of delta.backends.set) backends.set(id, enliven(backend, take(id), parts))
  // After the new ones have acquired theirs, so that an endpoint in both keeps its connections.
  for (const live of gone) for (const pool of poolsOf(live)) parts.pools.release(pool)
}

function acquirePools({ endpoints, protocol }: Backend, pools: Pools): Pick<LiveBackend, 'pools' | 'tlsPools'> {
  const asAlways = endpoints.map((endpoint) => pools.acquire(endpoint, protocol?.asClient === true ? undefined : protocol))
  return { pools: asAlways, tlsPools: protocol?.asClient === true ? endpoints.map((endpoint) => pools.acquire(endpoint, protocol)) : asAlways }
}

function poolsOf({ pools, tlsPools }: LiveBackend): readonly EndpointPool[] {
  return pools === tlsPools ? pools : [...pools, ...tlsPools]
}

/** The scheduler stays, with what it knows, while it is asked for in the same way: weights and endpoints may change. */
function enliven(backend: Backend, before: LiveBackend | undefined, { pools, cursors, cells, clients, random, clock, settings, onEjected }: RoutingParts): LiveBackend {
  const cellsOf = cells.of(backend)
  const options = backend.schedulerOptions === undefined ? {} : { options: backend.schedulerOptions }
  const scheduler =
    before !== undefined && isSameScheduler(before.backend, backend)
      ? before.scheduler
      : createScheduler(backend.scheduler, { cursor: cursors.of(backend.id), cells: cellsOf, random, clock, ...options })
  const counts = scheduler.finished !== undefined
  return {
    backend,
    scheduler,
    counts,
    key: requestKey(backend),
    clients: clientAffinity(backend, clients),
    ...acquirePools(backend, pools),
    health: new EndpointHealth(backend, { settings: settings.health, cells: cellsOf, random, onEjected }),
    retries: before?.retries ?? new RetryBudget(settings.pool, clock.now()),
    refusing: { since: -1 },
  }
}

/** The filters of a route, compiled when it is first asked for. */
export function filterCache(settings: ProxySettings): (route: Route) => readonly Filter[] {
  const compiled = new WeakMap<Route, readonly Filter[]>()
  return (route) => {
    let filters = compiled.get(route)
    if (filters === undefined) {
      filters = compileFilters(route.policy, settings)
      compiled.set(route, filters)
    }
    return filters
  }
}
