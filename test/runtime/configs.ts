// Routing configurations for the tests of the data plane.
import { NO_POLICY } from '../../src/model/policy.ts'
import { EMPTY_ROUTING, type Backend, type Host, type RoutingConfig } from '../../src/model/routing.ts'

export function backendOf(name: string, ports: readonly number[] = []): Backend {
  const endpoints = ports.map((port) => ({ id: `127.0.0.1:${port}`, address: '127.0.0.1', port, weight: 1 }))
  return { id: `dev/${name}:80`, namespace: 'dev', service: name, port: '80', scheduler: 'rr', endpoints }
}

export function hostOf(name: string, backend: Backend, ingress = name): Host {
  const object = { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'dev', name: ingress }
  const source = { object, field: 'spec.rules[0].http.paths[0]', createdAt: 0, service: backend.service, servicePort: backend.port }
  return { name, routes: [{ path: '/', pathType: 'Prefix', backend: backend.id, status: 503, policy: NO_POLICY, source }] }
}

/** Each host with a backend of the same name. */
export function configOf(hosts: Readonly<Record<string, readonly number[]>>, rest: Partial<RoutingConfig> = {}): RoutingConfig {
  const backends = Object.entries(hosts).map(([name, ports]) => [name, backendOf(name, ports)] as const)
  return {
    ...EMPTY_ROUTING,
    hosts: new Map(backends.map(([name, backend]) => [name, hostOf(name, backend)])),
    backends: new Map(backends.map(([, backend]) => [backend.id, backend])),
    ...rest,
  }
}
