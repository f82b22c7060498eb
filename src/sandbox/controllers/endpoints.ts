// Services with a selector → the old Endpoints objects, which `kubectl get ep` and older clients read.
import { copyJson, equalJson } from '../api-server/json-value.ts'
import { keyOfObject, runController, splitKey, timestamp, type ControllerContext, type Running } from './controller.ts'
import { endpointSubsets } from './endpoint-subsets.ts'
import { HEADLESS_LABEL, TRIGGER_TIME } from './endpointslice.ts'
import { hasSelector, selectingServices } from './selecting-services.ts'
import type { Endpoints, Pod, Service } from './object-shapes.ts'

const NAME = 'endpoint-controller'
export const ENDPOINTS_MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
const MANAGER = { fieldManager: 'kube-controller-manager' } as const

export function runEndpointsController(context: ControllerContext): Running {
  const { registry, clock } = context

  const reconcile = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const service = registry.get('services', namespace, name) as Service | undefined
    const stored = registry.get('endpoints', namespace, name) as Endpoints | undefined
    if (!service) {
      // An Endpoints object has no owner reference; it goes with its Service by name, also a hand-made one.
      if (stored) registry.delete('endpoints', namespace, name, { preconditions: { uid: stored.metadata.uid } })
      return
    }
    if (service.spec.type === 'ExternalName' || !hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return
    const { subsets, truncated } = endpointSubsets(service, registry.list('pods', namespace).map((pod) => pod as Pod))
    const labels = labelsFor(service)
    const content = subsets.length > 0 ? { subsets: [...subsets] } : {}
    if (!stored) {
      registry.create('endpoints', {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { name, namespace, labels, annotations: annotationsFor({}, truncated, clock.now()) },
        ...content,
      }, MANAGER)
      return
    }
    const same = equalJson(stored.subsets ?? [], [...subsets])
    const overCapacity = stored.metadata.annotations?.[OVER_CAPACITY] !== undefined
    if (same && equalJson({ ...stored.metadata.labels }, labels) && overCapacity === truncated) return
    const { subsets: _, ...rest } = copyJson(stored)
    const metadata = { ...rest.metadata, labels, annotations: same ? { ...rest.metadata.annotations } : annotationsFor(rest.metadata.annotations ?? {}, truncated, clock.now()) }
    registry.update('endpoints', { ...rest, metadata, ...content }, MANAGER)
  }

  return runController(context, {
    name: NAME,
    sources: [
      { resource: 'services', keys: (object) => [keyOfObject(object)] },
      { resource: 'pods', keys: selectingServices(registry) },
      { resource: 'endpoints', keys: (object) => (object.metadata.labels?.[ENDPOINTS_MANAGED_BY] === NAME ? [keyOfObject(object)] : []) },
    ],
    reconcile,
  })
}

function labelsFor(service: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {}
  return { ...labels, [ENDPOINTS_MANAGED_BY]: NAME, ...(service.spec.clusterIP === 'None' && { [HEADLESS_LABEL]: '' }) }
}

function annotationsFor(current: Readonly<Record<string, string>>, truncated: boolean, now: number): Record<string, string> {
  const { [OVER_CAPACITY]: _, ...rest } = current
  return { ...rest, [TRIGGER_TIME]: timestamp(now), ...(truncated && { [OVER_CAPACITY]: 'truncated' }) }
}
