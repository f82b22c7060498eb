// Which Services a pod's change concerns: those that select it now and those that did before.
import type { Registry, WatchEvent } from '../api-server/registry.ts'
import type { KubeObject } from '../api-server/kind.ts'
import { keyOfObject, namespaceOf } from './controller.ts'
import { matchesLabels } from './label-selector.ts'
import type { Service } from './object-shapes.ts'

export function selectingServices(registry: Registry): (pod: KubeObject, type: WatchEvent['type']) => Iterable<string> {
  const before = new Map<string, readonly string[]>()
  return (pod, type) => {
    const key = keyOfObject(pod)
    const selecting = registry.list('services', namespaceOf(pod)).filter((service) => selects(service as Service, pod)).map(keyOfObject)
    const concerned = new Set([...(before.get(key) ?? []), ...selecting])
    if (type === 'DELETED') before.delete(key)
    else before.set(key, selecting)
    return concerned
  }
}

export function hasSelector(service: Service): boolean {
  return Object.keys(service.spec.selector ?? {}).length > 0
}

function selects(service: Service, pod: KubeObject): boolean {
  return hasSelector(service) && matchesLabels(service.spec.selector ?? {}, pod.metadata.labels)
}
