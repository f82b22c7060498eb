// Builders of hosts and routes for the tests of the table.
import { NO_POLICY } from '../../src/model/policy.ts'
import { EMPTY_ROUTING, type Host, type PathType, type Route, type RoutingConfig } from '../../src/model/routing.ts'

export interface RouteOptions {
  readonly createdAt?: number
  readonly ingress?: string
  readonly namespace?: string
  readonly field?: string
}

export function route(pathType: PathType, path: string, backend = `${pathType} ${path}`, options: RouteOptions = {}): Route {
  const { createdAt = 0, ingress = 'web', namespace = 'dev', field = 'spec.rules[0].http.paths[0]' } = options
  return {
    path,
    pathType,
    backend,
    status: 503,
    policy: NO_POLICY,
    source: {
      object: { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace, name: ingress },
      field,
      createdAt,
      service: 'web',
      servicePort: '80',
    },
  }
}

export const exact = (path: string, backend?: string, options?: RouteOptions) => route('Exact', path, backend, options)
export const prefix = (path: string, backend?: string, options?: RouteOptions) => route('Prefix', path, backend, options)

export function hostsOf(hosts: Readonly<Record<string, readonly Route[]>>): ReadonlyMap<string, Host> {
  return new Map(Object.entries(hosts).map(([name, routes]) => [name, { name, routes }]))
}

export function configOf(hosts: Readonly<Record<string, readonly Route[]>>, rest: Partial<RoutingConfig> = {}): RoutingConfig {
  return { ...EMPTY_ROUTING, hosts: hostsOf(hosts), ...rest }
}
