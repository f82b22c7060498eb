// Where connections and datagrams go: one scheduler over the endpoints as they are now. What is open stays with its endpoint.
import type { Clock } from '../base/clock.ts'
import { clientAffinity, moveCount, stayWith, type ClientAffinity } from '../balance/client-affinity.ts'
import type { ClientTable } from '../balance/client-table.ts'
import type { CursorSource } from '../balance/cursor.ts'
import { localBackendCells, type BackendCells } from '../balance/loads.ts'
import { addressKey } from '../balance/hash.ts'
import { createScheduler, isSameScheduler, keyedBy, type Scheduler } from '../balance/scheduler.ts'
import type { Backend, Endpoint } from '../model/routing.ts'

/** An endpoint that was chosen for one connection, which counts as active until `end`. */
export interface Lease {
  readonly endpoint: Endpoint
  /** Exactly once. `reached`: the connection came about. */
  end(reached: boolean): void
}

/** What a listener knows of a backend. */
export interface StreamBackend {
  /** `client` is an IP literal, `tried` holds endpoint ids. Undefined: no other endpoint is there. */
  take(client: string, tried: ReadonlySet<string>): Lease | undefined
  /** Whether it is still one of the endpoints. */
  has(endpoint: Endpoint): boolean
}

export interface RoutedBackend extends StreamBackend {
  readonly backend: Backend
  /** In place of the endpoints before. */
  update(backend: Backend): void
}

export interface BackendParts {
  readonly cursors: CursorSource
  /** Where schedulers count; absent: for this backend alone. */
  readonly cells?: BackendCells
  /** Which endpoint each client had; absent: sessionAffinity means nothing here. */
  readonly clients?: ClientTable
  readonly random: () => number
  readonly clock: Clock
}

export function createRoutedBackend(first: Backend, { cursors, cells = localBackendCells(), clients, random, clock }: BackendParts): RoutedBackend {
  const schedulerOf = (backend: Backend): Scheduler => {
    const options = backend.schedulerOptions === undefined ? {} : { options: backend.schedulerOptions }
    return createScheduler(backend.scheduler, { cursor: cursors.of(backend.id), cells: cells.of(backend), random, clock, ...options })
  }
  let backend = first
  let scheduler = schedulerOf(first)
  const affinityOf = (backend: Backend): ClientAffinity | undefined => (clients === undefined ? undefined : clientAffinity(backend, clients))
  let ids = idsOf(first)
  let affinity = affinityOf(first)
  return {
    get backend() {
      return backend
    },
    update(next) {
      if (!isSameScheduler(next, backend)) scheduler = schedulerOf(next)
      backend = next
      ids = idsOf(next)
      affinity = affinityOf(next)
    },
    take(client, tried) {
      const chosen = scheduler
      const { endpoints } = backend
      // The destination that dh and lblc hash is the port itself: always the same.
      const key = keyedBy(backend.scheduler) === 'source' ? addressKey(client) : 0
      let picked = -1
      const choose = (): number => (picked = chosen.pick(endpoints, tried.size === 0 ? undefined : ({ id }) => !tried.has(id), key))
      // What is tried next after a failure does not change which endpoint is the client's.
      const index = affinity === undefined || tried.size > 0 ? choose() : stayWith(affinity, client, clock.now(), () => true, choose)
      const isCounted = index === picked || moveCount(chosen, endpoints, picked, index)
      const endpoint = endpoints[index]
      if (endpoint === undefined) return undefined
      // How long a connection lasts says nothing about how fast an endpoint is.
      return { endpoint, end: () => (isCounted ? chosen.finished?.(endpoints, index, -1) : undefined) }
    },
    has: ({ id }) => ids.has(id),
  }
}

function idsOf({ endpoints }: Backend): ReadonlySet<string> {
  return new Set(endpoints.map(({ id }) => id))
}
