// Which requests are counted together: those of one Service of one Ingress. Bounded by the objects that exist.
import type { RouteSource, RoutingConfig } from '../model/routing.ts'

export interface SeriesLabels {
  readonly namespace: string
  readonly ingress: string
  readonly service: string
}

/** Requests that no route took. */
export const UNMATCHED: SeriesLabels = Object.freeze({ namespace: '', ingress: '', service: '' })

export function labelsOf({ object, service }: RouteSource): SeriesLabels {
  return { namespace: object.namespace, ingress: object.name, service }
}

/** Kubernetes names hold no slash. */
export function seriesKey({ namespace, ingress, service }: SeriesLabels): string {
  return `${namespace}/${ingress}/${service}`
}

/** The keys of all series that a configuration can produce. */
export function liveSeries(config: RoutingConfig): ReadonlySet<string> {
  const keys = new Set([seriesKey(UNMATCHED)])
  for (const host of config.hosts.values()) for (const route of host.routes) keys.add(seriesKey(labelsOf(route.source)))
  return keys
}
