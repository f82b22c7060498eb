// What a cluster's DNS says of a name: Services, headless sets, their ports, pods and external names, as the specification
// "Kubernetes DNS-Based Service Discovery" (1.1.0) and CoreDNS' kubernetes plugin have it. Pure over the registry; knows no wire.
import { isIPv6 } from 'node:net'
import type { Registry } from '../api-server/registry.ts'
import type { EndpointSlice, Service, SliceEndpoint } from '../controllers/object-shapes.ts'

export type ZoneRecord =
  | { readonly name: string; readonly type: 'A' | 'AAAA' | 'CNAME' | 'PTR' | 'TXT'; readonly data: string }
  | { readonly name: string; readonly type: 'SRV'; readonly data: { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string } }

export interface ZoneAnswer {
  /** refused: the name is outside the zone, and nobody is asked on its behalf. */
  readonly outcome: 'found' | 'no-such-name' | 'refused'
  /** Empty with `found`: the name exists, but not with that type. */
  readonly answers: readonly ZoneRecord[]
  /** Addresses of the targets in `answers`. */
  readonly additionals: readonly ZoneRecord[]
}

export const CLUSTER_DOMAIN = 'cluster.local'
const SERVICE_LABEL = 'kubernetes.io/service-name'
const SCHEMA_VERSION = '1.1.0'
const REVERSE = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/

const NO_SUCH_NAME: ZoneAnswer = Object.freeze({ outcome: 'no-such-name', answers: [], additionals: [] })
const NO_DATA: ZoneAnswer = Object.freeze({ outcome: 'found', answers: [], additionals: [] })
const REFUSED: ZoneAnswer = Object.freeze({ outcome: 'refused', answers: [], additionals: [] })

/** An endpoint of a Service under the name that it has below the Service's. */
interface Member {
  readonly label: string
  readonly address: string
  readonly slice: EndpointSlice
}

/** `name` without a trailing dot, in any case; `type` as DNS writes it. */
export function lookUp(registry: Registry, name: string, type: string): ZoneAnswer {
  const asked = name.toLowerCase()
  const reverse = REVERSE.exec(asked)
  if (reverse !== null) return pointer(registry, asked, reverse.slice(1).toReversed().join('.'), type)
  if (asked === CLUSTER_DOMAIN) return NO_DATA
  if (!asked.endsWith(`.${CLUSTER_DOMAIN}`)) return REFUSED
  const labels = asked.slice(0, -CLUSTER_DOMAIN.length - 1).split('.')
  const kind = labels.pop()
  if (kind === 'dns-version' && labels.length === 0) return found(type, [{ name: asked, type: 'TXT', data: SCHEMA_VERSION }])
  if (kind !== 'svc' && kind !== 'pod') return NO_SUCH_NAME
  const namespace = labels.pop()
  if (namespace === undefined) return NO_DATA
  if (registry.get('namespaces', '', namespace) === undefined) return NO_SUCH_NAME
  if (labels.length === 0) return NO_DATA
  return kind === 'pod' ? pod(asked, labels, type) : service(registry, asked, namespace, labels, type)
}

/** `10-0-0-1.ns.pod`: the address that the name says, whether or not a pod has it (CoreDNS: `pods insecure`, as kubeadm sets it up). */
function pod(name: string, labels: readonly string[], type: string): ZoneAnswer {
  const [dashed = '', ...more] = labels
  const address = dashed.replaceAll('-', '.')
  const isAddress = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/.test(address) && !address.endsWith('.')
  return isAddress && more.length === 0 ? found(type, [{ name, type: 'A', data: address }]) : NO_SUCH_NAME
}

function service(registry: Registry, asked: string, namespace: string, labels: readonly string[], type: string): ZoneAnswer {
  const name = labels.at(-1) ?? ''
  const below = labels.slice(0, -1)
  const object = registry.get('services', namespace, name) as Service | undefined
  if (object === undefined) return NO_SUCH_NAME
  const own = `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`
  if (object.spec.type === 'ExternalName') return below.length === 0 ? external(registry, asked, object, type) : NO_SUCH_NAME
  const isHeadless = object.spec.clusterIP === 'None'
  const [first = '', second = ''] = below
  if (below.length === 2) {
    const ports = isHeadless ? headlessPorts(registry, object, own) : clusterPorts(object, own)
    const chosen = ports.filter((port) => `_${port.name}` === first && `_${port.protocol.toLowerCase()}` === second)
    if (chosen.length === 0) return NO_SUCH_NAME
    return type === 'SRV' ? serviceRecords(asked, chosen) : NO_DATA
  }
  if (below.length === 1) {
    const members = membersOf(registry, object).filter(({ label }) => label === first)
    return members.length === 0 ? NO_SUCH_NAME : found(type, members.map(({ address }) => addressRecord(asked, address)))
  }
  if (below.length > 2) return NO_SUCH_NAME
  if (type === 'SRV') return serviceRecords(asked, isHeadless ? headlessPorts(registry, object, own) : clusterPorts(object, own))
  const addresses = isHeadless ? membersOf(registry, object).map(({ address }) => address) : [object.spec.clusterIP ?? '']
  return found(type, [...new Set(addresses)].filter((address) => address !== '').map((address) => addressRecord(asked, address)))
}

/** The alias, and what it leads to where that is in the cluster too. */
function external(registry: Registry, asked: string, { spec: { externalName = '' } }: Service, type: string): ZoneAnswer {
  const target = externalName.toLowerCase().replace(/\.$/, '')
  const alias: ZoneRecord = { name: asked, type: 'CNAME', data: target }
  if (type === 'CNAME' || target === asked) return { ...NO_DATA, answers: [alias] }
  const further = isAlias(registry, target) ? REFUSED : lookUp(registry, target, type)
  return { outcome: 'found', answers: [alias, ...further.answers], additionals: further.additionals }
}

/** Aliases of aliases are not followed: two of them could lead to each other. */
function isAlias(registry: Registry, target: string): boolean {
  const [name = '', namespace = ''] = target.split('.')
  return (registry.get('services', namespace, name) as Service | undefined)?.spec.type === 'ExternalName'
}

interface PortTarget {
  readonly name: string
  readonly protocol: string
  readonly port: number
  readonly target: string
  readonly address: string
}

function clusterPorts({ spec: { ports = [], clusterIP = '' } }: Service, own: string): readonly PortTarget[] {
  return ports.map(({ name = '', protocol = 'TCP', port }) => ({ name, protocol, port, target: own, address: clusterIP }))
}

function headlessPorts(registry: Registry, object: Service, own: string): readonly PortTarget[] {
  return membersOf(registry, object).flatMap(({ label, address, slice }) =>
    (slice.ports ?? []).flatMap(({ name = '', protocol = 'TCP', port }) => (port === undefined ? [] : [{ name, protocol, port, target: `${label}.${own}`, address }])))
}

function serviceRecords(asked: string, ports: readonly PortTarget[]): ZoneAnswer {
  const weight = Math.max(1, Math.floor(100 / Math.max(1, ports.length)))
  const targets = new Map(ports.map(({ target, address }) => [target, address]))
  return {
    outcome: 'found',
    answers: ports.map(({ port, target }) => ({ name: asked, type: 'SRV', data: { priority: 0, weight, port, target } })),
    additionals: [...targets].map(([target, address]) => addressRecord(target, address)),
  }
}

/** Ready endpoints (those of publishNotReadyAddresses are), each under its hostname or its address with dashes. */
function membersOf(registry: Registry, { metadata: { name, namespace = '' } }: Service): readonly Member[] {
  return registry.list('endpointslices', namespace)
    .map((slice) => slice as EndpointSlice)
    .filter((slice) => slice.metadata.labels?.[SERVICE_LABEL] === name && slice.addressType !== 'FQDN')
    .flatMap((slice) => (slice.endpoints ?? []).filter(({ conditions }) => conditions.ready !== false).map((endpoint) => memberOf(endpoint, slice)))
}

function memberOf({ hostname, addresses: [address = ''] }: SliceEndpoint, slice: EndpointSlice): Member {
  return { label: (hostname ?? address.replaceAll(/[.:]/g, '-')).toLowerCase(), address, slice }
}

function pointer(registry: Registry, asked: string, address: string, type: string): ZoneAnswer {
  const named = registry.list('services').map((each) => each as Service).filter(({ spec }) => spec.clusterIP === address).map(nameOf)
  const names = named.length > 0 ? named : memberNames(registry, address)
  return names.length === 0 ? NO_SUCH_NAME : found(type, names.map((data) => ({ name: asked, type: 'PTR', data })))
}

/** The names that an endpoint has in the Services that have it. */
function memberNames(registry: Registry, address: string): readonly string[] {
  const slices = registry.list('endpointslices').map((slice) => slice as EndpointSlice)
  const holding = slices.filter(({ endpoints }) => endpoints?.some(({ addresses }) => addresses[0] === address))
  const services = new Set(holding.flatMap(({ metadata: { namespace = '', labels } }) => registry.get('services', namespace, labels?.[SERVICE_LABEL] ?? '') ?? []))
  return [...services].flatMap((each) => membersOf(registry, each as Service).filter((member) => member.address === address).map(({ label }) => `${label}.${nameOf(each as Service)}`))
}

function nameOf({ metadata: { name, namespace = '' } }: Service): string {
  return `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`
}

function addressRecord(name: string, address: string): ZoneRecord {
  return { name, type: isIPv6(address) ? 'AAAA' : 'A', data: address }
}

function found(type: string, records: readonly ZoneRecord[]): ZoneAnswer {
  return { outcome: 'found', answers: records.filter((record) => record.type === type), additionals: [] }
}
