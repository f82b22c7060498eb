// The routing configuration as the admin API shows it: everything but keys.
import type { Backend, Certificate, Endpoint, Host, Route, RoutingConfig, Stream } from '../model/routing.ts'
import type { EndpointHealthFigure } from '../observe/endpoint-figures.ts'

export interface RouteView {
  readonly path: string
  readonly pathType: string
  /** Backend id; null: `status` is the answer. */
  readonly backend: string | null
  readonly status?: number
  /** Status of the redirect to https that plain HTTP gets. */
  readonly tlsRedirect?: number
  /** `Ingress dev/web`, with the field path in it. */
  readonly source: { readonly kind: string; readonly namespace: string; readonly name: string; readonly field: string }
}

export interface BackendView {
  readonly id: string
  readonly scheduler: string
  readonly endpoints: readonly EndpointView[]
}

export interface EndpointView extends Endpoint {
  /** Absent: it is simply well. */
  readonly state?: EndpointHealthFigure['state']
}

export interface CertificateView {
  readonly id: string
  readonly names: readonly string[]
  /** ISO 8601. */
  readonly notAfter: string
  readonly fingerprint: string
  /** SNI names for which it is the preferred one. */
  readonly serves: readonly string[]
}

export interface StreamView {
  readonly protocol: string
  readonly port: number
  readonly backend: string
  /** Whether clients begin with a PROXY protocol header, and whether the backend is sent one. */
  readonly proxyProtocol: { readonly in: boolean; readonly out: boolean }
  readonly source: { readonly kind: string; readonly namespace: string; readonly name: string; readonly field: string }
}

export interface RoutingView {
  readonly hosts: readonly { readonly name: string; readonly routes: readonly RouteView[] }[]
  readonly backends: readonly BackendView[]
  readonly certificates: readonly CertificateView[]
  readonly streams: readonly StreamView[]
  readonly defaultBackend: string | null
  readonly defaultCertificate: string | null
}

/** Sorted by name. With `host`, that host alone and what belongs to it. `health`: of endpoints that are not simply well. */
export function routingView(config: RoutingConfig, host?: string, health: readonly EndpointHealthFigure[] = []): RoutingView {
  const hosts = sorted([...config.hosts.values()].filter(({ name }) => host === undefined || name === host), ({ name }) => name)
  const used = host === undefined ? undefined : new Set(hosts.flatMap(({ routes }) => routes.map(({ backend }) => backend)))
  const backends = [...config.backends.values()].filter(({ id }) => used === undefined || used.has(id))
  const states = new Map(health.map((each) => [stateKey(each, each.endpoint), each.state]))
  const serves = servedNames(config)
  const certificates = [...config.certificates.values()].map((certificate) => certificateView(certificate, serves.get(certificate.id) ?? []))
  return {
    hosts: hosts.map(hostView),
    backends: sorted(backends, ({ id }) => id).map((backend) => backendView(backend, states)),
    certificates: sorted(certificates, ({ id }) => id).filter((certificate) => host === undefined || certificate.serves.includes(host)),
    streams: host === undefined ? sorted([...config.streams.values()], ({ id }) => id).map(streamView) : [],
    defaultBackend: config.defaultBackend ?? null,
    defaultCertificate: config.defaultCertificate ?? null,
  }
}

export function hostView({ name, routes, clientCertificates }: Host): RoutingView['hosts'][number] {
  const views = routes.map(routeView)
  // Whatever its routes say: nobody is let in.
  return { name, routes: clientCertificates === 'denied' ? views.map((route) => ({ ...route, backend: null, status: 403 })) : views }
}

export function routeView({ path, pathType, backend, status, policy, source }: Route): RouteView {
  const { kind, namespace, name } = source.object
  return {
    path,
    pathType,
    backend: backend ?? null,
    ...(backend === undefined ? { status } : {}),
    ...(policy.tlsRedirect === undefined ? {} : { tlsRedirect: policy.tlsRedirect.status }),
    source: { kind, namespace, name, field: source.field },
  }
}

export function streamView({ protocol, port, backend, proxyIn, proxyOut, source: { object, field } }: Stream): StreamView {
  return { protocol, port, backend, proxyProtocol: { in: proxyIn, out: proxyOut }, source: { kind: object.kind, namespace: object.namespace, name: object.name, field } }
}

export function backendView(backend: Backend, states: ReadonlyMap<string, EndpointHealthFigure['state']> = new Map()): BackendView {
  const { id, scheduler, endpoints } = backend
  if (states.size === 0) return { id, scheduler, endpoints }
  return {
    id,
    scheduler,
    endpoints: endpoints.map((endpoint) => {
      const state = states.get(stateKey(backend, endpoint.id))
      return state === undefined ? endpoint : { ...endpoint, state }
    }),
  }
}

function stateKey({ namespace, service, port }: Pick<Backend, 'namespace' | 'service' | 'port'>, endpoint: string): string {
  return `${namespace}/${service}:${port} ${endpoint}`
}

/** Field by field, so that nothing secret comes along when Certificate grows. */
export function certificateView({ id, names, notAfter, fingerprint }: Certificate, serves: readonly string[]): CertificateView {
  return { id, names, notAfter: new Date(notAfter).toISOString(), fingerprint, serves }
}

function servedNames(config: RoutingConfig): ReadonlyMap<string, readonly string[]> {
  const served = new Map<string, string[]>()
  for (const [name, { certificates }] of config.serverNames) {
    const [preferred] = certificates
    if (preferred === undefined) continue
    const names = served.get(preferred)
    if (names === undefined) served.set(preferred, [name])
    else names.push(name)
  }
  return served
}

function sorted<T>(items: readonly T[], key: (item: T) => string): T[] {
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}
