// A kube-proxy in user space: listens on the addresses of Services (on loopback) and carries what comes to their endpoints.
import type { Clock } from '../../base/clock.ts'
import { TimerWheel } from '../../base/timer-wheel.ts'
import { ReadBuffers } from '../../http/read-buffers.ts'
import { DEFAULT_SETTINGS } from '../../model/settings.ts'
import { newStreamCells, streamCounters } from '../../observe/stream-counters.ts'
import type { Listener, StreamContext } from '../../stream/destination.ts'
import { listenTcp } from '../../stream/tcp-listener.ts'
import { listenUdp } from '../../stream/udp-listener.ts'
import type { Registry } from '../api-server/registry.ts'
import { keyOfObject, namespaceOf, runController, splitKey } from '../controllers/controller.ts'
import type { EndpointSlice, Service } from '../controllers/object-shapes.ts'
import { createAffinity, type Affinity } from './affinity.ts'
import { createOpenTroubles } from './open-troubles.ts'
import { createRealServers, type RealServer, type RealServers } from './real-servers.ts'
import { virtualServers, type VirtualServer } from './virtual-servers.ts'

export interface KubeProxyOptions {
  readonly registry: Registry
  readonly clock: Clock
  /** One line for the person who runs it. */
  readonly log: (line: string) => void
}

export interface ListedServer {
  readonly server: VirtualServer
  readonly realServers: readonly RealServer[]
  /** Why nothing listens; undefined: it listens. */
  readonly closed: string | undefined
}

export interface KubeProxy {
  /** By service, then address. */
  list(): readonly ListedServer[]
  close(): void
}

interface Live {
  server: VirtualServer
  readonly realServers: RealServers
  listener: Listener | undefined
  /** Code of the error. */
  trouble: string | undefined
  opening: boolean
  removed: boolean
}

const SERVICE_LABEL = 'kubernetes.io/service-name'
const RETRY_MS = 3000
/** Endpoints of pods answer at once or never. */
const CONNECT_TIMEOUT_MS = 2000
const TRIES = 5
/** As conntrack has it. */
const IDLE_MS = 86_400_000
const MOST_CONNECTIONS = 16_384

export function startKubeProxy({ registry, clock, log }: KubeProxyOptions): KubeProxy {
  const wheel = new TimerWheel(clock)
  const context: StreamContext = { wheel, buffers: new ReadBuffers(), settings: { ...DEFAULT_SETTINGS.streams, idleTimeout: IDLE_MS, connectionsPerPort: MOST_CONNECTIONS }, connectTimeout: CONNECT_TIMEOUT_MS, tries: TRIES }
  const troubles = createOpenTroubles(log)
  /** By `namespace/name` of the Service, then id. */
  const live = new Map<string, Map<string, Live>>()
  const affinities = new Map<string, Affinity>()
  /** Stopped ones with connections yet. */
  const leaving = new Set<Listener>()

  const affinityOf = (key: string): Affinity => {
    const known = affinities.get(key) ?? createAffinity(clock)
    affinities.set(key, known)
    return known
  }

  const reconcile = (key: string, later: (ms: number) => void): void => {
    const { namespace, name } = splitKey(key)
    const service = registry.get('services', namespace, name) as Service | undefined
    const servers = service === undefined ? [] : virtualServers(service, slicesOf(namespace, name))
    const ofService = live.get(key) ?? new Map<string, Live>()
    live.set(key, ofService)
    const ids = new Set(servers.map(({ id }) => id))
    for (const [id, each] of ofService) {
      if (ids.has(id)) continue
      ofService.delete(id)
      stop(each)
      each.removed = true
    }
    for (const server of servers) {
      const each = ofService.get(server.id) ?? begin(server)
      ofService.set(server.id, each)
      each.server = server
      each.realServers.update(server)
      if (server.endpoints.length === 0) stop(each)
      else if (each.listener === undefined && !each.opening) open(each, () => later(RETRY_MS))
    }
    if (ofService.size === 0) live.delete(key)
    const keys = new Set(servers.map(({ affinity }) => affinity?.key))
    for (const each of affinities.keys()) if (each.startsWith(`${key} `) && !keys.has(each)) affinities.delete(each)
  }

  const begin = (server: VirtualServer): Live => ({ server, realServers: createRealServers(server, affinityOf, clock), listener: undefined, trouble: undefined, opening: false, removed: false })

  const open = (each: Live, retry: () => void): void => {
    const { protocol, port, address } = each.server
    const listen = protocol === 'TCP' ? listenTcp : listenUdp
    const destination = { backend: each.realServers, proxyIn: false, proxyOut: false }
    each.opening = true
    listen({ port, address, reusePort: false }, destination, { context, counters: streamCounters(newStreamCells()), onIdle: sweep }).then((listener) => {
      each.opening = false
      each.trouble = undefined
      troubles.opened(each.server)
      each.listener = listener
      if (each.removed || each.server.endpoints.length === 0) stop(each)
    }, (error: unknown) => {
      each.opening = false
      each.trouble = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      troubles.failed(each.server, each.trouble)
      // What another program has, it may give back; rights and addresses do not come by waiting.
      if (each.trouble === 'EADDRINUSE') retry()
    })
  }

  const stop = (each: Live): void => {
    each.listener?.stop()
    if (each.listener !== undefined && each.listener.open > 0) leaving.add(each.listener)
    each.listener = undefined
  }

  const sweep = (): void => {
    for (const listener of leaving) if (listener.open === 0) leaving.delete(listener)
  }

  const slicesOf = (namespace: string, name: string): readonly EndpointSlice[] =>
    registry.list('endpointslices', namespace).map((slice) => slice as EndpointSlice).filter(({ metadata }) => metadata.labels?.[SERVICE_LABEL] === name)

  const controller = runController({ registry, clock, log }, {
    name: 'kube-proxy',
    sources: [
      { resource: 'services', keys: (object) => [keyOfObject(object)] },
      {
        resource: 'endpointslices',
        keys: (object) => {
          const name = object.metadata.labels?.[SERVICE_LABEL]
          return name === undefined ? [] : [`${namespaceOf(object)}/${name}`]
        },
      },
    ],
    reconcile,
  })

  return {
    list() {
      const all = [...live.values()].flatMap((ofService) => [...ofService.values()])
      return all
        .map(({ server, realServers, listener, trouble }) => ({ server, realServers: realServers.list(), closed: listener === undefined ? (trouble ?? 'no endpoints') : undefined }))
        .sort((a, b) => (a.server.service === b.server.service ? 0 : a.server.service < b.server.service ? -1 : 1))
    },
    close() {
      controller.close()
      for (const ofService of live.values()) {
        for (const each of ofService.values()) {
          each.removed = true
          each.listener?.close()
          each.listener = undefined
        }
      }
      for (const listener of leaving) listener.close()
      wheel.stop()
    },
  }
}
