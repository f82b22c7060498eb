// A Namespace that is being deleted: its contents go first, then its finalizer, then itself.
import { isApiError, messageOf, runController, splitKey, type ControllerContext, type Running } from './controller.ts'
import type { Namespace } from './object-shapes.ts'

/** Owners before what they own, so that nothing is made again while it goes. */
const FIRST = ['deployments', 'replicasets', 'services', 'pods']

export function runNamespaceController(context: ControllerContext, namespacedResources: readonly string[]): Running {
  const { registry } = context
  const resources = namespacedResources.toSorted((a, b) => rank(a) - rank(b))

  const reconcile = (key: string): void => {
    const { name } = splitKey(key)
    const namespace = registry.get('namespaces', '', name) as Namespace | undefined
    if (namespace?.metadata.deletionTimestamp === undefined) return
    let failure: unknown
    for (const resource of resources) {
      for (const object of registry.list(resource, name)) {
        if (object.metadata.deletionTimestamp !== undefined) continue
        try {
          registry.delete(resource, name, object.metadata.name)
        } catch (error) {
          if (!isApiError(error, 'NotFound')) failure = error
        }
      }
    }
    if (failure !== undefined) throw new Error(`contents could not be deleted: ${messageOf(failure)}`)
    // Pods take their grace period, other objects their finalizers: their DELETED brings the key back.
    if (resources.some((resource) => registry.list(resource, name).length > 0)) return
    const current = registry.get('namespaces', '', name)
    if (current) registry.update('namespaces', { ...current, spec: { finalizers: [] } }, { subresource: 'finalize', fieldManager: 'kube-controller-manager' })
  }

  return runController(context, {
    name: 'namespace-controller',
    sources: [
      { resource: 'namespaces', keys: (object) => (object.metadata.deletionTimestamp === undefined ? [] : [`/${object.metadata.name}`]) },
      ...resources.map((resource) => ({
        resource,
        keys: (object: { metadata: { namespace?: string } }, type: string) => (type === 'DELETED' || type === 'ADDED' ? terminating(context, object.metadata.namespace ?? '') : []),
      })),
    ],
    reconcile,
  })
}

function rank(resource: string): number {
  const at = FIRST.indexOf(resource.split('.', 1)[0] ?? '')
  return at < 0 ? FIRST.length : at
}

function terminating({ registry }: ControllerContext, namespace: string): readonly string[] {
  return registry.get('namespaces', '', namespace)?.metadata.deletionTimestamp === undefined ? [] : [`/${namespace}`]
}
