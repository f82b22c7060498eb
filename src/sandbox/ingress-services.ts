// How the ingress is exposed in the sandbox: a LoadBalancer and a NodePort Service without selectors, whose slices name the
// controller's listeners. As in a cluster they are plain objects: kubectl shows them, and may change or delete them.
import { ApiError } from './api-server/api-error.ts'
import type { Registry } from './api-server/registry.ts'

export interface IngressListeners {
  /** IPv4 or IPv6 literal that the listeners answer on. */
  readonly address: string
  readonly http: number
  readonly https: number
}

export const INGRESS_NAMESPACE = 'narthex'
const SERVICES = [
  { name: 'narthex', type: 'LoadBalancer' },
  { name: 'narthex-nodeport', type: 'NodePort' },
] as const
const MANAGER = { fieldManager: 'narthex-sandbox' } as const

/** What exists already stays as it is. */
export function exposeIngress(registry: Registry, { address, http, https }: IngressListeners): void {
  const ensure = (resource: string, object: Record<string, unknown>): void => {
    try {
      registry.create(resource, object, MANAGER)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status.reason !== 'AlreadyExists') throw error
    }
  }
  ensure('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: INGRESS_NAMESPACE } })
  const labels = { 'app.kubernetes.io/name': 'narthex' }
  for (const { name, type } of SERVICES) {
    ensure('services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: INGRESS_NAMESPACE, labels },
      spec: { type, ports: [{ name: 'http', port: 80, targetPort: http }, { name: 'https', port: 443, targetPort: https }] },
    })
    ensure('endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-listeners`, namespace: INGRESS_NAMESPACE, labels: { ...labels, 'kubernetes.io/service-name': name } },
      addressType: address.includes(':') ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: 'http', port: http, protocol: 'TCP' }, { name: 'https', port: https, protocol: 'TCP' }],
    })
  }
}
