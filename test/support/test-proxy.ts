// A proxy of one thread with the routes that a test names, and what it recorded.
import { localCursors } from '../../src/balance/cursor.ts'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { wholeRouting, diffRouting } from '../../src/model/delta.ts'
import { NO_POLICY, type Policy } from '../../src/model/policy.ts'
import { EMPTY_ROUTING, type Backend, type Endpoint, type Route, type RoutingConfig } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS, type HealthSettings, type Limits, type PoolSettings, type ProxySettings, type Timeouts } from '../../src/model/settings.ts'
import { silentRecorder, type RequestRecord } from '../../src/observe/recorder.ts'
import { createProxy, type Proxy, type ProxyOptions } from '../../src/proxy/proxy.ts'

export interface SettingsOverrides extends Partial<Omit<ProxySettings, 'limits' | 'timeouts' | 'pool' | 'health'>> {
  readonly limits?: Partial<Limits>
  readonly timeouts?: Partial<Timeouts>
  readonly pool?: Partial<PoolSettings>
  readonly health?: Partial<HealthSettings>
}

/** The defaults, but that no request waits for other endpoints unless its test wants it to. */
export function settingsWith({ limits, timeouts, pool, health, ...rest }: SettingsOverrides): ProxySettings {
  return {
    ...DEFAULT_SETTINGS,
    ...rest,
    limits: { ...DEFAULT_SETTINGS.limits, ...limits },
    timeouts: { ...DEFAULT_SETTINGS.timeouts, ...timeouts },
    pool: { ...DEFAULT_SETTINGS.pool, changeWait: 0, ...pool },
    health: { ...DEFAULT_SETTINGS.health, ...health },
  }
}

export interface RouteSpec {
  readonly host: string
  readonly path?: string
  readonly pathType?: 'Exact' | 'Prefix'
  /** Backend id; left out: no backend, `status` answers. */
  readonly backend?: string
  readonly status?: 404 | 503
  readonly policy?: Policy
}

/** `backends`: by id, `address:port` of the endpoints. */
export function routing(routes: readonly RouteSpec[], backends: Readonly<Record<string, readonly string[]>>): RoutingConfig {
  const hosts = new Map<string, { name: string; routes: Route[] }>()
  for (const { host, path = '/', pathType = 'Prefix', backend, status = 503, policy = NO_POLICY } of routes) {
    const entry = hosts.get(host) ?? { name: host, routes: [] }
    entry.routes.push({ path, pathType, backend, status, policy, source: SOURCE })
    hosts.set(host, entry)
  }
  return { ...EMPTY_ROUTING, hosts, backends: new Map(Object.entries(backends).map(([id, endpoints]) => [id, backendOf(id, endpoints)])) }
}

const SOURCE = {
  object: { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'test', name: 'web' },
  field: 'spec.rules[0].http.paths[0]',
  createdAt: 0,
  service: 'web',
  servicePort: '80',
}

function backendOf(id: string, endpoints: readonly string[]): Backend {
  return { id, namespace: 'test', service: id, port: '80', scheduler: 'rr', endpoints: endpoints.map(endpointOf) }
}

function endpointOf(id: string): Endpoint {
  const colon = id.lastIndexOf(':')
  return { id, address: id.slice(0, colon), port: Number(id.slice(colon + 1)), weight: 1 }
}

export interface TestProxy {
  readonly proxy: Proxy
  readonly port: number
  readonly records: readonly RequestRecord[]
  /** Connections closed at accept. */
  refused(): number
  /** Tries on further endpoints that were not allowed. */
  retriesRefused(): number
  /** In place of the routing before. */
  route(config: RoutingConfig): void
  /** Until a record that meets the condition was made. */
  recorded(condition: (record: RequestRecord) => boolean): Promise<RequestRecord>
}

export interface TestProxyOptions extends SettingsOverrides {
  readonly clock?: Clock
  /** Listens with TLS. */
  readonly contexts?: NonNullable<ProxyOptions['contexts']>
  /** Where schedulers count. */
  readonly cells?: NonNullable<ProxyOptions['cells']>
  readonly onEjected?: NonNullable<ProxyOptions['onEjected']>
  readonly random?: () => number
}

export async function startProxy(config: RoutingConfig, { clock = systemClock, contexts, cells, onEjected, random = () => 0.5, ...settings }: TestProxyOptions = {}): Promise<TestProxy> {
  const records: RequestRecord[] = []
  let waiting: (() => void)[] = []
  let refused = 0
  let retriesRefused = 0
  const proxy = createProxy({
    settings: settingsWith(settings),
    cursors: localCursors(),
    recorder: {
      ...silentRecorder,
      connectionRefused: () => refused++,
      retryRefused: () => retriesRefused++,
      request(record) {
        records.push({ ...record })
        const woken = waiting
        waiting = []
        for (const wake of woken) wake()
      },
    },
    clock,
    random,
    log: silentLog,
    ...(contexts === undefined ? {} : { contexts }),
    ...(cells === undefined ? {} : { cells }),
    ...(onEjected === undefined ? {} : { onEjected }),
  })
  let current = config
  proxy.apply(wholeRouting(config))
  const { port } = await proxy.listen({ port: 0, address: '127.0.0.1', tls: contexts !== undefined, reusePort: false })
  return {
    proxy,
    port,
    records,
    refused: () => refused,
    retriesRefused: () => retriesRefused,
    route(next) {
      proxy.apply(diffRouting(current, next))
      current = next
    },
    async recorded(condition) {
      for (;;) {
        const found = records.find(condition)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  }
}

/** Host `a` and any path to one endpoint. */
export function toUpstream(port: number): RoutingConfig {
  return routing([{ host: 'a', backend: 'web' }], { web: [`127.0.0.1:${port}`] })
}
