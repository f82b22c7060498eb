// Services with a selector → EndpointSlices.
import { copyJson, equalJson } from '../api-server/json-value.ts'
import { keyOfObject, namespaceOf, runController, splitKey, timestamp, type ControllerContext, type Running } from './controller.ts'
import { controllerReference, isControlledBy } from './owner.ts'
import { hasSelector, selectingServices } from './selecting-services.ts'
import { endpointGroups } from './service-endpoints.ts'
import { packSlices, type SlicePlan } from './slice-packing.ts'
import type { EndpointSlice, Pod, Service } from './object-shapes.ts'

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
export const HEADLESS_LABEL = 'service.kubernetes.io/headless'
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time'
const NAME = 'endpointslice-controller'
const MANAGED_BY = 'endpointslice-controller.k8s.io'
const MANAGER = { fieldManager: 'kube-controller-manager' } as const

export function runEndpointSliceController(context: ControllerContext): Running {
  const { registry, clock } = context

  const reconcile = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const service = registry.get('services', namespace, name) as Service | undefined
    // Slices of a Service that is gone go with it: they carry its owner reference.
    if (!service || service.metadata.deletionTimestamp !== undefined) return
    const existing = registry.list('endpointslices', namespace).map((slice) => slice as EndpointSlice).filter((slice) => isOurs(slice, name))
    if (service.spec.type === 'ExternalName' || !hasSelector(service)) {
      for (const slice of existing) registry.delete('endpointslices', namespace, slice.metadata.name)
      return
    }
    const pods = registry.list('pods', namespace).map((pod) => pod as Pod)
    const usable = existing.filter((slice) => slice.addressType === 'IPv4' && isControlledBy(slice, service))
    const { write, remove } = packSlices(usable, endpointGroups(service, pods, (node) => zoneOf(context, node)))
    for (const plan of write) writeSlice(service, plan)
    for (const slice of remove) registry.delete('endpointslices', namespace, slice.metadata.name)
    for (const slice of usable) if (!remove.includes(slice) && !write.some((plan) => plan.slice === slice)) renewLabels(service, slice)
  }

  const writeSlice = (service: Service, { slice, ports, endpoints }: SlicePlan): void => {
    const content = { addressType: 'IPv4', endpoints: [...endpoints], ports: [...ports] }
    if (slice) {
      const changed = { ...copyJson(slice), ...content }
      changed.metadata.labels = labelsFor(service)
      changed.metadata.annotations = { ...changed.metadata.annotations, [TRIGGER_TIME]: timestamp(clock.now()) }
      registry.update('endpointslices', changed, MANAGER)
      return
    }
    registry.create('endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        generateName: `${service.metadata.name}-`,
        namespace: namespaceOf(service),
        labels: labelsFor(service),
        annotations: { [TRIGGER_TIME]: timestamp(clock.now()) },
        ownerReferences: [controllerReference(service)],
      },
      ...content,
    }, MANAGER)
  }

  const renewLabels = (service: Service, slice: EndpointSlice): void => {
    const labels = labelsFor(service)
    if (equalJson(labels, { ...slice.metadata.labels })) return
    const changed = copyJson(slice)
    changed.metadata.labels = labels
    registry.update('endpointslices', changed, MANAGER)
  }

  return runController(context, {
    name: NAME,
    sources: [
      { resource: 'services', keys: (object) => [keyOfObject(object)] },
      { resource: 'pods', keys: selectingServices(registry) },
      { resource: 'endpointslices', keys: (object) => serviceOf(object as EndpointSlice) },
    ],
    reconcile,
  })
}

/** The labels of a Service's slices: its own, then those that consumers select by. */
export function labelsFor(service: Service, managedBy: string = MANAGED_BY): Record<string, string> {
  const { [SERVICE_NAME_LABEL]: _name, [MANAGED_BY_LABEL]: _by, [HEADLESS_LABEL]: _headless, ...labels } = service.metadata.labels ?? {}
  return {
    ...labels,
    [MANAGED_BY_LABEL]: managedBy,
    [SERVICE_NAME_LABEL]: service.metadata.name,
    ...(service.spec.clusterIP === 'None' && { [HEADLESS_LABEL]: '' }),
  }
}

function isOurs(slice: EndpointSlice, serviceName: string): boolean {
  const labels = slice.metadata.labels ?? {}
  return labels[SERVICE_NAME_LABEL] === serviceName && labels[MANAGED_BY_LABEL] === MANAGED_BY
}

function serviceOf(slice: EndpointSlice): readonly string[] {
  const { [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: managedBy } = slice.metadata.labels ?? {}
  return name !== undefined && managedBy === MANAGED_BY ? [`${namespaceOf(slice)}/${name}`] : []
}

function zoneOf({ registry }: ControllerContext, node: string): string | undefined {
  return registry.get('nodes', '', node)?.metadata.labels?.['topology.kubernetes.io/zone']
}
