// Namespace: a name label that can't be taken off, the finalizer that keeps it until it is empty, a phase.
import type { Kind, KubeObject } from '../kind.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Label } from './names.ts'

const NAME_LABEL = 'kubernetes.io/metadata.name'

function phase(object: KubeObject): string {
  const status = object['status'] as { phase?: string } | undefined
  return status?.phase ?? ''
}

export const namespaceKind: Kind = {
  group: '', version: 'v1', kind: 'Namespace', resource: 'namespaces', singular: 'namespace', shortNames: ['ns'], categories: [],
  namespaced: false, subresources: ['status'], schemaName: 'io.k8s.api.core.v1.Namespace', generation: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  defaults(draft) {
    draft['spec'] ??= {}
    draft['status'] ??= {}
    if (draft.metadata.name) draft.metadata.labels = { ...draft.metadata.labels, [NAME_LABEL]: draft.metadata.name }
  },
  prepareForCreate(draft) {
    const spec = draft['spec'] as { finalizers?: string[] }
    if (!spec.finalizers?.includes('kubernetes')) spec.finalizers = [...(spec.finalizers ?? []), 'kubernetes']
    draft['status'] = { phase: 'Active' }
  },
  // Finalizers have a subresource of their own, which does not come through here.
  prepareForUpdate(draft, old) {
    draft['spec'] = structuredClone(old['spec'])
  },
  validate: (object, old) => validateMetadata(object, old, false, dns1123Label),
  columns: [NAME, column('Status', 'The status of the namespace'), AGE],
  row: (object, now) => [object.metadata.name, phase(object), ageCell(object, now)],
  fields: { 'name': object => object.metadata.name, 'status.phase': phase },
}
