// Hand-made Endpoints of a Service without a selector → EndpointSlices, so that consumers need to read slices only.
import { copyJson } from '../api-server/json-value.ts'
import { keyOfObject, namespaceOf, runController, splitKey, type ControllerContext, type Running } from './controller.ts'
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from './endpointslice.ts'
import { controllerReference } from './owner.ts'
import { hasSelector } from './selecting-services.ts'
import { packSlices, type SlicePlan } from './slice-packing.ts'
import type { EndpointGroup } from './service-endpoints.ts'
import type { EndpointAddress, Endpoints, EndpointSlice, EndpointSubset, Service, SliceEndpoint } from './object-shapes.ts'

const NAME = 'endpointslicemirroring-controller'
const MANAGED_BY = 'endpointslicemirroring-controller.k8s.io'
const SKIP_MIRROR = 'endpointslice.kubernetes.io/skip-mirror'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** Of one subset; the rest is left out, as upstream's --mirroring-max-endpoints-per-subset does. */
const MOST_MIRRORED = 1000
const MANAGER = { fieldManager: 'kube-controller-manager' } as const
type AddressType = 'IPv4' | 'IPv6'

export function runEndpointSliceMirroringController(context: ControllerContext): Running {
  const { registry } = context

  const reconcile = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const endpoints = registry.get('endpoints', namespace, name) as Endpoints | undefined
    const service = registry.get('services', namespace, name) as Service | undefined
    const existing = registry.list('endpointslices', namespace).map((slice) => slice as EndpointSlice).filter((slice) => isOurs(slice, name))
    if (!endpoints || !service || !shouldMirror(endpoints, service)) {
      for (const slice of existing) registry.delete('endpointslices', namespace, slice.metadata.name)
      return
    }
    for (const type of ['IPv4', 'IPv6'] as const) {
      const own = existing.filter((slice) => slice.addressType === type)
      const groups = groupsOf(endpoints.subsets ?? [], type)
      const { write, remove } = groups.length > 0 ? packSlices(own, groups) : { write: [], remove: own }
      for (const plan of write) writeSlice(endpoints, type, plan)
      for (const slice of remove) registry.delete('endpointslices', namespace, slice.metadata.name)
    }
  }

  const writeSlice = (endpoints: Endpoints, addressType: AddressType, plan: SlicePlan): void => {
    const content = { addressType, endpoints: [...plan.endpoints], ports: [...plan.ports] }
    const labels = { ...endpoints.metadata.labels, [MANAGED_BY_LABEL]: MANAGED_BY, [SERVICE_NAME_LABEL]: endpoints.metadata.name }
    const { [LAST_APPLIED]: _, ...annotations } = endpoints.metadata.annotations ?? {}
    if (plan.slice) {
      const changed = { ...copyJson(plan.slice), ...content }
      changed.metadata.labels = labels
      changed.metadata.annotations = annotations
      registry.update('endpointslices', changed, MANAGER)
      return
    }
    registry.create('endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        generateName: `${endpoints.metadata.name}-`,
        namespace: namespaceOf(endpoints),
        labels,
        ...(Object.keys(annotations).length > 0 && { annotations }),
        ownerReferences: [controllerReference(endpoints)],
      },
      ...content,
    }, MANAGER)
  }

  return runController(context, {
    name: NAME,
    sources: [
      { resource: 'endpoints', keys: (object) => [keyOfObject(object)] },
      { resource: 'services', keys: (object) => [keyOfObject(object)] },
      { resource: 'endpointslices', keys: (object) => endpointsOf(object as EndpointSlice) },
    ],
    reconcile,
  })
}

function shouldMirror(endpoints: Endpoints, service: Service): boolean {
  return endpoints.metadata.labels?.[SKIP_MIRROR] !== 'true'
    && endpoints.metadata.deletionTimestamp === undefined
    && service.spec.type !== 'ExternalName'
    && !hasSelector(service)
}

function groupsOf(subsets: readonly EndpointSubset[], type: AddressType): readonly EndpointGroup[] {
  const groups: EndpointGroup[] = []
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const endpoints = [
      ...addresses.map((address) => endpointOf(address, true)),
      ...notReadyAddresses.map((address) => endpointOf(address, false)),
    ].filter((endpoint) => (endpoint.addresses[0]?.includes(':') ? 'IPv6' : 'IPv4') === type)
    if (endpoints.length === 0) continue
    const slicePorts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({ name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) }))
    const same = groups.findIndex((group) => JSON.stringify(group.ports) === JSON.stringify(slicePorts))
    if (same < 0) groups.push({ ports: slicePorts, endpoints: endpoints.slice(0, MOST_MIRRORED) })
    else groups[same] = { ports: slicePorts, endpoints: [...(groups[same]?.endpoints ?? []), ...endpoints].slice(0, MOST_MIRRORED) }
  }
  return groups
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): SliceEndpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(targetRef && { targetRef }),
    ...(nodeName && { nodeName }),
  }
}

function isOurs(slice: EndpointSlice, name: string): boolean {
  const labels = slice.metadata.labels ?? {}
  return labels[SERVICE_NAME_LABEL] === name && labels[MANAGED_BY_LABEL] === MANAGED_BY
}

function endpointsOf(slice: EndpointSlice): readonly string[] {
  const { [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: managedBy } = slice.metadata.labels ?? {}
  return name !== undefined && managedBy === MANAGED_BY ? [`${namespaceOf(slice)}/${name}`] : []
}
