// Kinds without schema, defaults or validation: what controllers do must not depend on them.
import type { Kind, KubeObject } from '../../../src/sandbox/api-server/kind.ts'

function open(group: string, version: string, kind: string, resource: string, more: Partial<Kind> = {}): Kind {
  return {
    group, version, kind, resource,
    singular: kind.toLowerCase(), shortNames: [], categories: [], namespaced: true, subresources: ['status'], schemaName: kind, generation: true,
    defaults: () => undefined, validate: () => [], columns: [], row: () => [], fields: {}, ...more,
  }
}

const cluster = { namespaced: false } as const
const plain = { subresources: [], generation: false } as const

export const openKinds: readonly Kind[] = [
  open('', 'v1', 'Namespace', 'namespaces', { ...cluster, generation: false, prepareForCreate: (draft) => void Object.assign(draft, { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }) }),
  open('', 'v1', 'Node', 'nodes', cluster),
  open('', 'v1', 'Pod', 'pods', { prepareForCreate: (draft) => void (draft['status'] = { phase: 'Pending' }), gracePeriod: podGrace }),
  open('', 'v1', 'Service', 'services', { generation: false }),
  open('', 'v1', 'Endpoints', 'endpoints', plain),
  open('', 'v1', 'Event', 'events', plain),
  open('', 'v1', 'ConfigMap', 'configmaps', plain),
  open('', 'v1', 'ServiceAccount', 'serviceaccounts', plain),
  open('apps', 'v1', 'Deployment', 'deployments', { subresources: ['status', 'scale'] }),
  open('apps', 'v1', 'ReplicaSet', 'replicasets', { subresources: ['status', 'scale'] }),
  open('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices', { subresources: [] }),
  open('networking.k8s.io', 'v1', 'IngressClass', 'ingressclasses', { ...cluster, subresources: [] }),
]

function podGrace(object: KubeObject, requested: number | undefined): number {
  const spec = object['spec'] as { nodeName?: string; terminationGracePeriodSeconds?: number }
  return spec.nodeName === undefined || spec.nodeName === '' ? 0 : (requested ?? spec.terminationGracePeriodSeconds ?? 30)
}
