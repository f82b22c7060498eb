// Where connections and datagrams go: one scheduler over the endpoints as they are now. What is open stays with its endpoint.
import type { Clock } from '../base/clock.ts'
import { clientAffinity, moveCount, stayWith, type ClientAffinity } from '../balance/client-affinity.ts'
import type { ClientTable } from '../balance/client-table.ts'
import type { CursorSource } from '../balance/cursor.ts'
import { EndpointHealth, type Admits, type Ejection } from '../balance/endpoint-health.ts'
import { localBackendCells, type BackendCells } from '../balance/loads.ts'
import { addressKey } from '../balance/hash.ts'
import { nextBehind, type Usable } from '../balance/turns.ts'
import { createScheduler, isSameScheduler, keyedBy, type Scheduler } from '../balance/scheduler.ts'
import type { PeerAddress } from '../http/proxy-protocol/header.ts'
import type { Backend, Endpoint } from '../model/routing.ts'
import type { HealthSettings } from '../model/settings.ts'

/** An endpoint that was chosen for one connection, which counts as active until `end`. */
export interface Lease {
  readonly endpoint: Endpoint
  /** Exactly once. `reached`: the connection came about. */
  end(reached: boolean): void
  /** The endpoint did not take the connection. */
  failed?(): void
}

/** What a listener knows of a backend. */
export interface StreamBackend {
  /** `tried` holds endpoint ids. Undefined: no other endpoint is there. */
  take(client: PeerAddress, tried: ReadonlySet<string>): Lease | undefined
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
  /** When endpoints that take no connections are out of use; absent: never. */
  readonly health?: { readonly settings: HealthSettings; readonly onEjected: (ejection: Ejection) => void }
  readonly random: () => number
  readonly clock: Clock
}

export function createRoutedBackend(first: Backend, { cursors, cells = localBackendCells(), clients, health: healthParts, random, clock }: BackendParts): RoutedBackend {
  const schedulerOf = (backend: Backend): Scheduler => {
    const options = backend.schedulerOptions === undefined ? {} : { options: backend.schedulerOptions }
    return createScheduler(backend.scheduler, { cursor: cursors.of(backend.id), cells: cells.of(backend), random, clock, ...options })
  }
  let backend = first
  let scheduler = schedulerOf(first)
  const affinityOf = (backend: Backend): ClientAffinity | undefined => (clients === undefined ? undefined : clientAffinity(backend, clients))
  const healthOf = (backend: Backend): EndpointHealth | undefined => (healthParts === undefined ? undefined : new EndpointHealth(backend, { ...healthParts, cells: cells.of(backend), random }))
  let health = healthOf(first)
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
      health = healthOf(next)
      affinity = affinityOf(next)
    },
    take(client, tried) {
      const chosen = scheduler
      const { endpoints } = backend
      // The destination that dh and lblc hash is the port itself: always the same.
      const key = keyedBy(backend.scheduler) === 'source' ? addressKey(client.address, backend.schedulerOptions?.port === true ? client.port : 0) : 0
      let picked = -1
      const admits = health?.admits(clock.now())
      const usable = (admitted: Admits | undefined): Usable =>
        tried.size === 0 && admitted === undefined ? undefined : ({ id }, index) => !tried.has(id) && (admitted === undefined || admitted(index))
      const isCounting = chosen.finished !== undefined
      const among = (admitted: Admits | undefined): number =>
        tried.size === 0 || isCounting ? chosen.pick(endpoints, usable(admitted), key) : nextBehind(endpoints, lastOf(tried, endpoints), usable(admitted))
      const choose = (): number => {
        picked = among(admits)
        if (picked >= 0 || admits === undefined) return picked
        // Of a key whose own endpoint is out of use: the next one in order, where another try would go too.
        const own = tried.size > 0 || isCounting || keyedBy(backend.scheduler) === undefined ? -1 : chosen.pick(endpoints, undefined, key)
        if (own >= 0) picked = nextBehind(endpoints, own, usable(admits))
        return picked < 0 ? (picked = among(undefined)) : picked
      }
      // What is tried next after a failure does not change which endpoint is the client's.
      const index = affinity === undefined || tried.size > 0 ? choose() : stayWith(affinity, client.address, clock.now(), (held) => health?.isOut(held) !== true, choose)
      const isCounted = index === picked || moveCount(chosen, endpoints, picked, index)
      const endpoint = endpoints[index]
      if (endpoint === undefined) return undefined
      // How long a connection lasts says nothing about how fast an endpoint is.
      const found = health
      return {
        endpoint,
        end: (reached) => {
          if (isCounted) chosen.finished?.(endpoints, index, -1)
          if (reached && found?.watching === true) found.answered(index, 0, clock.now())
        },
        failed: () => found?.failed(index, 'connect-failed', clock.now()),
      }
    },
    has: ({ id }) => ids.has(id),
  }
}

/** The index of the endpoint that was tried last; -1: it is gone. */
function lastOf(tried: ReadonlySet<string>, endpoints: readonly Endpoint[]): number {
  let last = ''
  for (const id of tried) last = id
  return endpoints.findIndex(({ id }) => id === last)
}

function idsOf({ endpoints }: Backend): ReadonlySet<string> {
  return new Set(endpoints.map(({ id }) => id))
}
