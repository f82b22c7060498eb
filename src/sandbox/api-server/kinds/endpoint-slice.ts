// EndpointSlice: the addresses of a Service that proxies read.
import { isIPv4, isIPv6 } from 'node:net'
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { duplicate, invalid, invalids, notSupported, required, tooMany } from './cause.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Label, dns1123Subdomain, portNumber } from './names.ts'
import { describe } from '../schemas/table.ts'

const SHOWN = 3
const MOST_ENDPOINTS = 1000
const MOST_ADDRESSES = 100
const MOST_PORTS = 20_000
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

interface Endpoint {
  addresses?: string[]
  hostname?: string
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }
}

interface Port {
  name?: string
  port?: number
  protocol?: string
}

interface SliceParts {
  addressType?: string
  endpoints?: Endpoint[] | null
  ports?: Port[] | null
}

function parts(object: KubeObject): SliceParts {
  return object as SliceParts & KubeObject
}

function validateAddress(address: string, type: string, field: string): Cause[] {
  if (type === 'IPv4') return isIPv4(address) ? [] : [invalid(field, address, 'must be an IPv4 address')]
  if (type === 'IPv6') return isIPv6(address) ? [] : [invalid(field, address, 'must be an IPv6 address')]
  return type === 'FQDN' ? invalids(field, address, dns1123Subdomain(address)) : []
}

function validateEndpoints(endpoints: readonly Endpoint[], type: string): Cause[] {
  if (endpoints.length > MOST_ENDPOINTS) return [tooMany('endpoints', endpoints.length, MOST_ENDPOINTS)]
  const causes: Cause[] = []
  for (const [index, { addresses = [], hostname }] of endpoints.entries()) {
    const at = `endpoints[${index}]`
    if (addresses.length === 0) causes.push(required(`${at}.addresses`, 'must contain at least 1 address'))
    else if (addresses.length > MOST_ADDRESSES) causes.push(tooMany(`${at}.addresses`, addresses.length, MOST_ADDRESSES))
    for (const [position, address] of addresses.entries()) causes.push(...validateAddress(address, type, `${at}.addresses[${position}]`))
    if (hostname) causes.push(...invalids(`${at}.hostname`, hostname, dns1123Label(hostname)))
  }
  return causes
}

function validatePorts(ports: readonly Port[]): Cause[] {
  if (ports.length > MOST_PORTS) return [tooMany('ports', ports.length, MOST_PORTS)]
  const causes: Cause[] = []
  const names = new Set<string>()
  for (const [index, { name = '', port, protocol = '' }] of ports.entries()) {
    const at = `ports[${index}]`
    if (name !== '') causes.push(...invalids(`${at}.name`, name, dns1123Label(name)))
    if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
    names.add(name)
    if (port !== undefined) causes.push(...invalids(`${at}.port`, port, portNumber(port)))
    if (!PROTOCOLS.includes(protocol)) causes.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS))
  }
  return causes
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes = validateMetadata(object, old, true, dns1123Subdomain)
  const { addressType = '', endpoints, ports } = parts(object)
  if (addressType === '') causes.push(required('addressType'))
  else if (!ADDRESS_TYPES.includes(addressType)) causes.push(notSupported('addressType', addressType, ADDRESS_TYPES))
  causes.push(...validateEndpoints(endpoints ?? [], addressType), ...validatePorts(ports ?? []))
  if (old !== undefined && parts(old).addressType !== addressType) causes.push(invalid('addressType', addressType, 'field is immutable'))
  return causes
}

function listCell(values: readonly string[]): string {
  if (values.length === 0) return '<unset>'
  const shown = values.slice(0, SHOWN).join(',')
  return values.length > SHOWN ? `${shown} + ${values.length - SHOWN} more...` : shown
}

const SLICE = 'discovery.v1.EndpointSlice'

export const endpointSliceKind: Kind = {
  group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice', resource: 'endpointslices', singular: 'endpointslice', shortNames: [], categories: [],
  namespaced: true, subresources: [], schemaName: 'io.k8s.api.discovery.v1.EndpointSlice', generation: true,
  defaults(draft) {
    const slice = parts(draft)
    slice.endpoints ??= null
    slice.ports ??= null
    for (const port of slice.ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
    for (const endpoint of slice.endpoints ?? []) endpoint.conditions ??= {}
  },
  validate,
  columns: [
    NAME,
    column('AddressType', describe(SLICE, 'addressType')),
    column('Ports', describe(SLICE, 'ports')),
    column('Endpoints', describe(SLICE, 'endpoints')),
    AGE,
  ],
  row(object, now) {
    const { addressType = '', endpoints, ports } = parts(object)
    const portTexts = (ports ?? []).map(({ port, name }) => (port === undefined ? name || '*' : String(port)))
    return [object.metadata.name, addressType, listCell(portTexts), listCell((endpoints ?? []).flatMap(endpoint => endpoint.addresses ?? [])), ageCell(object, now)]
  },
  fields: {},
}
