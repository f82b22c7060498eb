// Endpoints: the deprecated list of a Service's addresses, still written by hand for Services without a selector.
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { duplicate, invalids, notSupported, required } from './cause.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Label, dns1123Subdomain, ipAddress, portNumber } from './names.ts'
import { describe } from '../schemas/table.ts'

const SHOWN = 3
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

interface Address {
  ip?: string
  hostname?: string
}

interface Port {
  name?: string
  port?: number
  protocol?: string
}

interface Subset {
  addresses?: Address[]
  notReadyAddresses?: Address[]
  ports?: Port[]
}

function subsets(object: KubeObject): Subset[] {
  return (object['subsets'] ?? []) as Subset[]
}

// A real server also refuses loopback addresses; in the sandbox every address is one.
function validateAddress(address: Address, field: string): Cause[] {
  const causes = invalids(`${field}.ip`, address.ip ?? '', ipAddress(address.ip ?? ''))
  if (address.hostname) causes.push(...invalids(`${field}.hostname`, address.hostname, dns1123Label(address.hostname)))
  return causes
}

function validateSubset(subset: Subset, field: string): Cause[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset
  const causes: Cause[] = []
  if (addresses.length === 0 && notReadyAddresses.length === 0) causes.push(required(field, 'must specify `addresses` or `notReadyAddresses`'))
  for (const [index, address] of addresses.entries()) causes.push(...validateAddress(address, `${field}.addresses[${index}]`))
  for (const [index, address] of notReadyAddresses.entries()) causes.push(...validateAddress(address, `${field}.notReadyAddresses[${index}]`))
  const names = new Set<string>()
  for (const [index, { name = '', port = 0, protocol = '' }] of ports.entries()) {
    const at = `${field}.ports[${index}]`
    if (name === '' && ports.length > 1) causes.push(required(`${at}.name`))
    else if (name !== '') {
      causes.push(...invalids(`${at}.name`, name, dns1123Label(name)))
      if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
    }
    names.add(name)
    causes.push(...invalids(`${at}.port`, port, portNumber(port)))
    if (!PROTOCOLS.includes(protocol)) causes.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS))
  }
  return causes
}

function hostPort(address: string, port: number | undefined): string {
  return address.includes(':') ? `[${address}]:${port ?? 0}` : `${address}:${port ?? 0}`
}

function endpointsCell(object: KubeObject): string {
  if (subsets(object).length === 0) return '<none>'
  const all = subsets(object).flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0 ? addresses.map(address => address.ip ?? '') : ports.flatMap(port => addresses.map(address => hostPort(address.ip ?? '', port.port))),
  )
  const shown = all.slice(0, SHOWN).join(',')
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown
}

export const endpointsKind: Kind = {
  group: '', version: 'v1', kind: 'Endpoints', resource: 'endpoints', singular: 'endpoints', shortNames: ['ep'], categories: [],
  namespaced: true, subresources: [], schemaName: 'io.k8s.api.core.v1.Endpoints', generation: false,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  defaults(draft) {
    for (const subset of subsets(draft)) for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
  },
  validate: (object, old) => [
    ...validateMetadata(object, old, true, dns1123Subdomain),
    ...subsets(object).flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`)),
  ],
  columns: [
    NAME,
    column('Endpoints', describe('core.v1.Endpoints', 'subsets')),
    AGE,
  ],
  row: (object, now) => [object.metadata.name, endpointsCell(object), ageCell(object, now)],
  fields: {},
}
