// Which endpoints of a Service port get requests: those that are ready, of one address family, as near as the Service asks.
// Follows kube-proxy (pkg/proxy/topology.go, CategorizeEndpoints), and decides over all slices of the Service together.
import { isIP } from 'node:net'
import type { EndpointSlice, SliceEndpoint } from '../kube/objects.ts'
import type { Endpoint } from '../model/routing.ts'
import { isSpecialAddress } from './external-name.ts'
import type { Place, TranslateOptions } from './options.ts'

/** What a Service asks for of the endpoints that its traffic may reach. */
export interface TrafficPolicy {
  /** internalTrafficPolicy Local. */
  readonly nodeLocal: boolean
  /** trafficDistribution. */
  readonly prefers: 'zone' | 'node' | undefined
}

export interface Wanted {
  /** Name of the Service port. */
  readonly portName: string
  readonly protocol: 'TCP' | 'UDP'
  readonly policy: TrafficPolicy
}

export interface Choice {
  readonly endpoints: readonly Endpoint[]
  /** There are endpoints, but on other nodes, where the Service wants none to be used. */
  readonly onlyElsewhere: boolean
}

interface Candidate {
  readonly endpoint: Endpoint
  readonly source: SliceEndpoint
}

/**
 * Ready endpoints; if there are none, those that still serve while they terminate (the rule of kube-proxy, KEP-1669).
 * IPv4 before IPv6, never both: in a dual-stack Service they are the same pods.
 */
export function chooseEndpoints(slices: readonly EndpointSlice[], wanted: Wanted, { allowLoopback, ignoreTrafficPolicies, place }: TranslateOptions): Choice {
  const families = (['IPv4', 'IPv6'] as const).map((family) => candidates(slices, family, wanted, allowLoopback))
  const { nodeLocal, prefers } = wanted.policy
  const isLocal = nodeLocal && !ignoreTrafficPolicies
  for (const usable of [isReady, isServing]) {
    for (const family of families) {
      const all = family.filter(({ source }) => usable(source))
      const near = isLocal ? all.filter(({ source }) => isOn(source, place)) : ignoreTrafficPolicies || usable !== isReady ? all : nearest(all, prefers, place)
      if (near.length > 0) return { endpoints: near.map(({ endpoint }) => endpoint).sort(byAddress), onlyElsewhere: false }
    }
  }
  return { endpoints: [], onlyElsewhere: isLocal && families.some((family) => family.some(({ source }) => isReady(source) || isServing(source))) }
}

function isReady(source: SliceEndpoint): boolean {
  return source.ready
}

function isServing(source: SliceEndpoint): boolean {
  return source.serving && source.terminating
}

function isOn(source: SliceEndpoint, { node }: Place): boolean {
  return node !== undefined && source.nodeName === node
}

/**
 * Those that are meant for our node or zone, as long as every ready endpoint says for whom it is meant: hints are written in steps, and
 * half of them would send all traffic to a few. Without them, those that are on our node or in our zone where the Service asks for it.
 * All of them when none is near.
 */
function nearest(ready: readonly Candidate[], prefers: TrafficPolicy['prefers'], place: Place): readonly Candidate[] {
  const { node, zone } = place
  const some = (chosen: readonly Candidate[]): readonly Candidate[] | undefined => (chosen.length > 0 ? chosen : undefined)
  const meantFor = (kind: 'nodes' | 'zones', name: string | undefined): readonly Candidate[] | undefined =>
    name === undefined ? undefined : some(ready.filter(({ source }) => source.hints?.[kind].includes(name) === true))
  const inZone = (): readonly Candidate[] | undefined => (zone === undefined ? undefined : some(ready.filter(({ source }) => source.zone === zone)))
  if (ready.length > 0 && haveHints(ready, 'nodes')) {
    const own = meantFor('nodes', node)
    if (own !== undefined) return own
  }
  if (ready.length > 0 && haveHints(ready, 'zones')) return meantFor('zones', zone) ?? ready
  if (prefers === 'node') return some(ready.filter(({ source }) => isOn(source, place))) ?? inZone() ?? ready
  return (prefers === 'zone' ? inZone() : undefined) ?? ready
}

function haveHints(ready: readonly Candidate[], kind: 'nodes' | 'zones'): boolean {
  return ready.every(({ source }) => source.hints !== undefined && source.hints[kind].length > 0)
}

/** One candidate an address and port: during moves an endpoint is in two slices, and the ready copy counts. */
function candidates(slices: readonly EndpointSlice[], family: 'IPv4' | 'IPv6', { portName, protocol }: Wanted, allowLoopback: boolean): readonly Candidate[] {
  const byId = new Map<string, Candidate>()
  const version = family === 'IPv4' ? 4 : 6
  for (const slice of slices) {
    if (slice.addressType !== family || slice.meta.deleting) continue
    const port = slice.ports.find((port) => port.name === portName && port.protocol === protocol)?.port
    if (port === undefined) continue
    for (const source of slice.endpoints) {
      if (isIP(source.address) !== version || (!allowLoopback && isSpecialAddress(source.address))) continue
      const endpoint = endpointOf(source.address, port, source)
      const known = byId.get(endpoint.id)
      if (known === undefined || (!known.source.ready && (source.ready || isServing(source)))) byId.set(endpoint.id, { endpoint, source })
    }
  }
  return [...byId.values()]
}

/** `address` is an IP literal. */
export function endpointOf(address: string, port: number, source?: SliceEndpoint): Endpoint {
  return {
    id: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    address,
    port,
    weight: 1,
    ...(source?.podName !== undefined && { podName: source.podName }),
    ...(source?.nodeName !== undefined && { nodeName: source.nodeName }),
    ...(source?.zone !== undefined && { zone: source.zone }),
  }
}

export function byAddress(a: Endpoint, b: Endpoint): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1
  return a.port - b.port
}
