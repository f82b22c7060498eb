// Which endpoints a Service with a selector has, port by port. Pure: Service and pods in, groups of equal ports out.
import { isFinished, isReady, isTerminating } from './pod-state.ts'
import { matchesLabels } from './label-selector.ts'
import { publishedPort } from './published-port.ts'
import type { EndpointSlice, Pod, Service, ServicePort, SliceEndpoint, SlicePort } from './object-shapes.ts'

export interface EndpointGroup {
  /** In the order of the Service's ports; empty for a headless Service without ports. */
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly SliceEndpoint[]
}

/** Pods that the Service selects, that have an address and may still serve. */
export function selectedPods(service: Service, pods: readonly Pod[]): readonly Pod[] {
  const selector = service.spec.selector ?? {}
  if (Object.keys(selector).length === 0) return []
  return pods.filter((pod) => matchesLabels(selector, pod.metadata.labels) && !isFinished(pod) && (pod.status?.podIP ?? '') !== '')
}

/** Pods whose named target port has different numbers end up in different groups. */
export function endpointGroups(service: Service, pods: readonly Pod[], zoneOf: (nodeName: string) => string | undefined): readonly EndpointGroup[] {
  const groups = new Map<string, { ports: readonly SlicePort[]; endpoints: SliceEndpoint[] }>()
  for (const pod of selectedPods(service, pods)) {
    const ports = portsOf(service, pod)
    // With ports declared but none found on this pod there is nothing to connect to.
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue
    const key = JSON.stringify(ports)
    let group = groups.get(key)
    if (!group) groups.set(key, (group = { ports, endpoints: [] }))
    group.endpoints.push(endpointOf(service, pod, zoneOf))
  }
  return [...groups.values()]
}

export function portsOf(service: Service, pod: Pod): readonly SlicePort[] {
  const ports: SlicePort[] = []
  for (const port of service.spec.ports ?? []) {
    const number = targetPortOf(port, pod)
    if (number === undefined) continue
    ports.push({ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: number, ...(port.appProtocol !== undefined && { appProtocol: port.appProtocol }) })
  }
  return ports
}

function targetPortOf(port: ServicePort, pod: Pod): number | undefined {
  const protocol = port.protocol ?? 'TCP'
  const target = port.targetPort ?? port.port
  const number = typeof target === 'number' ? target : namedPort(pod, target, protocol)
  return number === undefined || protocol !== 'TCP' ? number : publishedPort(pod, number)
}

function namedPort(pod: Pod, name: string, protocol: string): number | undefined {
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = container.ports?.find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)
    if (found) return found.containerPort
  }
  return undefined
}

function endpointOf(service: Service, pod: Pod, zoneOf: (nodeName: string) => string | undefined): SliceEndpoint {
  const serving = isReady(pod)
  const terminating = isTerminating(pod)
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating)
  const { nodeName, hostname, subdomain } = pod.spec
  const zone = nodeName === undefined ? undefined : zoneOf(nodeName)
  const hints = ready ? hintsOf(service, nodeName, zone) : undefined
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready, serving, terminating },
    ...(hostname && subdomain === service.metadata.name && { hostname }),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name, uid: pod.metadata.uid },
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    ...(hints && { hints }),
  }
}

/** trafficDistribution turns into hints: each endpoint is meant for its own zone (and node). */
function hintsOf(service: Service, nodeName: string | undefined, zone: string | undefined): SliceEndpoint['hints'] {
  const { trafficDistribution } = service.spec
  if (trafficDistribution === undefined || zone === undefined) return undefined
  return { forZones: [{ name: zone }], ...(trafficDistribution === 'PreferSameNode' && nodeName && { forNodes: [{ name: nodeName }] }) }
}

/** Two endpoints are the same endpoint if address and pod are. */
export function endpointIdentity(endpoint: SliceEndpoint): string {
  return `${endpoint.addresses[0] ?? ''} ${endpoint.targetRef?.uid ?? ''}`
}

export function endpointsIn(slice: EndpointSlice): readonly SliceEndpoint[] {
  return slice.endpoints ?? []
}
