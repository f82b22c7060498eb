// Where connections and datagrams go: one scheduler over the endpoints as they are now. What is open stays with its endpoint.
import type { Clock } from '../base/clock.ts'
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
  readonly random: () => number
  readonly clock: Clock
}

export function createRoutedBackend(first: Backend, { cursors, cells = localBackendCells(), random, clock }: BackendParts): RoutedBackend {
  const schedulerOf = (backend: Backend): Scheduler => {
    const options = backend.schedulerOptions === undefined ? {} : { options: backend.schedulerOptions }
    return createScheduler(backend.scheduler, { cursor: cursors.of(backend.id), cells: cells.of(backend), random, clock, ...options })
  }
  let backend = first
  let scheduler = schedulerOf(first)
  let ids = idsOf(first)
  return {
    get backend() {
      return backend
    },
    update(next) {
      if (!isSameScheduler(next, backend)) scheduler = schedulerOf(next)
      backend = next
      ids = idsOf(next)
    },
    take(client, tried) {
      const chosen = scheduler
      const { endpoints } = backend
      // The destination that dh and lblc hash is the port itself: always the same.
      const key = keyedBy(backend.scheduler) === 'source' ? addressKey(client) : 0
      const index = chosen.pick(endpoints, tried.size === 0 ? undefined : ({ id }) => !tried.has(id), key)
      const endpoint = endpoints[index]
      // How long a connection lasts says nothing about how fast an endpoint is.
      return endpoint === undefined ? undefined : { endpoint, end: () => chosen.finished?.(endpoints, index, -1) }
    },
    has: ({ id }) => ids.has(id),
  }
}

function idsOf({ endpoints }: Backend): ReadonlySet<string> {
  return new Set(endpoints.map(({ id }) => id))
}
