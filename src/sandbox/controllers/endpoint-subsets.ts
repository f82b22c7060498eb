// Endpoints subsets: ports that the same addresses have stand together. Pure (pkg/api/v1/endpoints RepackSubsets).
import { isReady, isTerminating } from './pod-state.ts'
import { portsOf, selectedPods } from './service-endpoints.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from './object-shapes.ts'

export const MOST_ADDRESSES = 1000

export interface Subsets {
  readonly subsets: readonly EndpointSubset[]
  /** Addresses were left out: the object holds 1,000. */
  readonly truncated: boolean
}

interface PortAddresses {
  readonly port: EndpointPort | undefined
  readonly ready: Map<string, EndpointAddress>
  readonly notReady: Map<string, EndpointAddress>
}

export function endpointSubsets(service: Service, pods: readonly Pod[]): Subsets {
  const tolerant = service.spec.publishNotReadyAddresses === true
  const eligible = selectedPods(service, pods).filter((pod) => tolerant || !isTerminating(pod))
  // Ready ones are kept first when there are too many.
  const kept = eligible.length <= MOST_ADDRESSES ? eligible : eligible.toSorted((a, b) => Number(isReady(b)) - Number(isReady(a))).slice(0, MOST_ADDRESSES)
  const byPort = new Map<string, PortAddresses>()
  for (const pod of kept) {
    const ports = portsOf(service, pod)
    const portless = (service.spec.ports ?? []).length === 0
    for (const port of portless ? [undefined] : ports.map(endpointPort)) {
      const key = JSON.stringify(port ?? null)
      let entry = byPort.get(key)
      if (!entry) byPort.set(key, (entry = { port, ready: new Map(), notReady: new Map() }))
      const list = tolerant || isReady(pod) ? entry.ready : entry.notReady
      list.set(pod.metadata.uid, addressOf(service, pod))
    }
  }
  return { subsets: merge([...byPort.values()]), truncated: kept.length < eligible.length }
}

function merge(entries: readonly PortAddresses[]): readonly EndpointSubset[] {
  const bySet = new Map<string, { ready: EndpointAddress[]; notReady: EndpointAddress[]; ports: EndpointPort[] }>()
  for (const { port, ready, notReady } of entries) {
    const key = JSON.stringify([[...ready.keys()].toSorted(), [...notReady.keys()].toSorted()])
    let subset = bySet.get(key)
    if (!subset) bySet.set(key, (subset = { ready: sorted(ready), notReady: sorted(notReady), ports: [] }))
    if (port) subset.ports.push(port)
  }
  return [...bySet.values()].map(({ ready, notReady, ports }) => ({
    ...(ready.length > 0 && { addresses: ready }),
    ...(notReady.length > 0 && { notReadyAddresses: notReady }),
    ...(ports.length > 0 && { ports: ports.toSorted((a, b) => (a.name ?? '').localeCompare(b.name ?? '') || a.port - b.port) }),
  }))
}

function sorted(addresses: ReadonlyMap<string, EndpointAddress>): EndpointAddress[] {
  return [...addresses.values()].toSorted((a, b) => a.ip.localeCompare(b.ip, 'en', { numeric: true }) || (a.targetRef?.uid ?? '').localeCompare(b.targetRef?.uid ?? ''))
}

function endpointPort({ name, port, protocol, appProtocol }: { name?: string; port?: number; protocol?: string; appProtocol?: string }): EndpointPort {
  return { ...(name !== undefined && name !== '' && { name }), port: port ?? 0, protocol: protocol ?? 'TCP', ...(appProtocol !== undefined && { appProtocol }) }
}

function addressOf(service: Service, pod: Pod): EndpointAddress {
  const { nodeName, hostname, subdomain } = pod.spec
  return {
    ip: pod.status?.podIP ?? '',
    ...(hostname && subdomain === service.metadata.name && { hostname }),
    ...(nodeName && { nodeName }),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name, uid: pod.metadata.uid },
  }
}
