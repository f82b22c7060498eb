// Which writes a namespace allows: nothing is created in one that is missing or going, the system's own are never deleted.
import type { ApiError } from './api-error.ts'
import { copyJson, readPath } from './json-value.ts'
import type { Kind, KubeObject } from './kind.ts'
import { forbidden, notFound } from './failures.ts'

export const systemNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'] as const

const undeletable = new Set<string>(['default', 'kube-public', 'kube-system'])

export function isNamespaceKind(kind: Kind): boolean {
  return kind.group === '' && kind.resource === 'namespaces'
}

/** The refusal of a create in `namespace`, undefined where it is allowed. */
export function refuseCreate(kind: Kind, name: string, namespace: string, stored: KubeObject | undefined): ApiError | undefined {
  if (stored === undefined) return notFound({ group: '', resource: 'namespaces', kind: 'Namespace' }, namespace)
  if (stored.metadata.deletionTimestamp === undefined) return undefined
  return forbidden(kind, name, `unable to create new content in namespace ${namespace} because it is being terminated`, [
    { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
  ])
}

export function refuseNamespaceDelete(kind: Kind, name: string): ApiError | undefined {
  return isNamespaceKind(kind) && undeletable.has(name) ? forbidden(kind, name, 'this namespace may not be deleted') : undefined
}

/** Whether something still has to be finalized before the object may go. */
export function hasFinalizers(kind: Kind, object: KubeObject): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true
  const spec = isNamespaceKind(kind) ? readPath(object, 'spec', 'finalizers') : undefined
  return Array.isArray(spec) && spec.length > 0
}

/** What deletion does to a namespace beside its timestamp. */
export function markTerminating(kind: Kind, draft: KubeObject): void {
  if (isNamespaceKind(kind)) draft['status'] = { ...asRecord(draft['status']), phase: 'Terminating' }
}

/** The live namespace with the spec.finalizers of the request and nothing else of it. */
export function finalizeNamespace(live: KubeObject, sent: KubeObject): KubeObject {
  const draft = copyJson(live)
  const finalizers = readPath(sent, 'spec', 'finalizers')
  draft['spec'] = Array.isArray(finalizers) && finalizers.length > 0 ? { finalizers } : {}
  return draft
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
