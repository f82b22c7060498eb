// Routes as a table for people, from the view that the admin API gives.
import type { RoutingView } from '../admin/routing-view.ts'
import type { ReachableHost } from './host-lines.ts'

const HEADER = ['HOST', 'PATH', 'TYPE', 'BACKEND', 'ENDPOINTS', 'FROM']

/** Columns padded to their widest cell, two blanks between. */
export function routeTable(view: RoutingView): string {
  const endpoints = new Map(view.backends.map((backend) => [backend.id, backend.endpoints.length]))
  const rows = view.hosts.flatMap((host) =>
    host.routes.map((route) => [
      host.name,
      route.path,
      route.pathType,
      route.backend ?? `answers ${route.status ?? 503}`,
      route.backend === null ? '-' : String(endpoints.get(route.backend) ?? 0),
      `${route.source.kind} ${route.source.namespace}/${route.source.name}`,
    ]),
  )
  for (const { protocol, port, backend, proxyProtocol, source } of view.streams) {
    const proxy = [proxyProtocol.in ? 'PROXY in' : '', proxyProtocol.out ? 'PROXY out' : ''].filter((word) => word !== '')
    rows.push([`port ${port}`, proxy.length === 0 ? '-' : proxy.join(', '), protocol, backend, String(endpoints.get(backend) ?? 0), `${source.kind} ${source.namespace}/${source.name}`])
  }
  if (rows.length === 0) return 'No routes: no Ingress is served.\n'
  return columns([HEADER, ...rows])
}

/** Hosts with a path to try, TLS where a certificate covers the name or plain HTTP is redirected. */
export function reachableHosts(view: RoutingView): ReachableHost[] {
  const certain = new Set(view.certificates.flatMap((certificate) => certificate.serves))
  return view.hosts
    .filter((host) => host.routes.length > 0)
    .map((host) => ({
      name: host.name,
      tls: certain.has(host.name) || host.routes.some((route) => route.tlsRedirect !== undefined),
      path: host.routes.toSorted((a, b) => a.path.length - b.path.length)[0]?.path ?? '/',
    }))
}

export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), [])
  return `${rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ')).join('\n')}\n`
}
