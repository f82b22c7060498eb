// The routing that Narthex is measured with: the host asked for, the gRPC host, and others beside them.
import type { BackendProtocol } from '../../src/model/backend-protocol.ts'
import { NO_POLICY, type Policy } from '../../src/model/policy.ts'
import { EMPTY_ROUTING, type Backend, type Host, type RoutingConfig } from '../../src/model/routing.ts'
import { GRPC_HOST, HOST, type Work } from '../peer.ts'
import type { NarthexOptions } from '../peers/narthex.ts'

/** Every policy there is; the compiler asks for those to come. */
const EVERY_POLICY: Required<Policy> = {
  tlsRedirect: { status: 308 },
  affinity: { mode: 'balanced', name: 'INGRESSCOOKIE', path: '/' },
  timeouts: { connect: 5000, read: 60_000, send: 60_000 },
  retries: { tries: 3, within: 60_000, on: { error: true, timeout: true, invalidHeader: false, nonIdempotent: false, statuses: [] } },
}

const POLICIES: Readonly<Record<NonNullable<NarthexOptions['policy']>, Policy>> = {
  filter: { tlsRedirect: EVERY_POLICY.tlsRedirect },
  every: EVERY_POLICY,
}

/** As backend-protocol GRPC. */
const GRPC: BackendProtocol = { id: 'grpc', version: 2 }

/** With this setting the redirect to https runs, and lets all requests go on. */
export const LETS_ALL_PASS: readonly string[] = ['/']

export function benchRouting(work: Pick<Work, 'backendPorts' | 'grpcPorts'>, options: NarthexOptions): RoutingConfig {
  const hosts = new Map<string, Host>()
  const { count, policies } = options.others ?? { count: 0, policies: false }
  for (let i = 0; i < count; i++) {
    const other = hostOf(`other-${i}.example.com`, 'bench/web:80', policies ? EVERY_POLICY : NO_POLICY)
    hosts.set(other.name, policies ? { ...other, clientCertificates: { verify: 'on', depth: 1, passCertificate: true } } : other)
  }
  hosts.set(HOST, hostOf(HOST, 'bench/web:80', options.policy === undefined ? NO_POLICY : POLICIES[options.policy]))
  hosts.set(GRPC_HOST, hostOf(GRPC_HOST, 'bench/grpc:80', NO_POLICY))
  const backends = [backendOf('web', work.backendPorts), { ...backendOf('grpc', work.grpcPorts), protocol: GRPC }]
  return { ...EMPTY_ROUTING, hosts, backends: new Map(backends.map((backend) => [backend.id, backend])) }
}

function hostOf(name: string, backend: string, policy: Policy): Host {
  const object = { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'bench', name: 'bench' }
  const source = { object, field: 'spec.rules[0].http.paths[0]', createdAt: 0, service: backend, servicePort: '80' }
  return { name, routes: [{ path: '/', pathType: 'Prefix', backend, status: 503, policy, source }] }
}

function backendOf(service: string, ports: readonly number[]): Backend {
  const endpoints = ports.map((port) => ({ id: `127.0.0.1:${port}`, address: '127.0.0.1', port, weight: 1 }))
  return { id: `bench/${service}:80`, namespace: 'bench', service, port: '80', scheduler: 'rr', endpoints }
}
