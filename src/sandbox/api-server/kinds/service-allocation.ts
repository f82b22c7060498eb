// Addresses and ports that the API server gives to Services: what is free follows from the stored Services alone.
import { isIPv4 } from 'node:net'
import type { Cause, KubeObject, Lookup } from '../kind.ts'
import { invalid } from './cause.ts'
import { hasClusterIP, isHeadless, needsHealthCheckPort, serviceSpec, wantsNodePorts } from './service-spec.ts'
import type { ServicePort, ServiceSpec } from './service-spec.ts'

export interface AllocationOptions {
  /** CIDR of the virtual addresses, IPv4. */
  readonly serviceRange: string
  readonly nodePorts: { readonly first: number; readonly last: number }
  /** 0 up to 1. */
  readonly random: () => number
}

export interface ServiceAllocator {
  /** Fills in families, addresses and ports that the Service needs and does not name. */
  allocate(service: KubeObject, lookup: Lookup): void
  /** What is asked for and can't be given. `old` is given on update: what a Service has, it may keep. */
  check(service: KubeObject, old: KubeObject | undefined, lookup: Lookup): Cause[]
}

interface Used {
  readonly addresses: ReadonlySet<string>
  /** `TCP/30080`; health check ports are TCP. */
  readonly ports: ReadonlySet<string>
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace
}

function portKey(protocol: string | undefined, port: number): string {
  return `${protocol ?? 'TCP'}/${port}`
}

function portsOf(spec: ServiceSpec): string[] {
  const keys = (spec.ports ?? []).flatMap(port => (port.nodePort ? [portKey(port.protocol, port.nodePort)] : []))
  return spec.healthCheckNodePort ? [...keys, portKey('TCP', spec.healthCheckNodePort)] : keys
}

function usedByOthers(service: KubeObject, lookup: Lookup): Used {
  const specs = lookup.list('services').filter(other => !isSame(other, service)).map(serviceSpec)
  return { addresses: new Set(specs.flatMap(spec => spec.clusterIPs ?? [])), ports: new Set(specs.flatMap(portsOf)) }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(value / 2 ** shift) % 256).join('.')
}

/** First free value at or after a random start, going round once; undefined when all are taken. */
function pick(first: number, count: number, random: () => number, isFree: (value: number) => boolean): number | undefined {
  const start = Math.floor(random() * count)
  for (let step = 0; step < count; step++) {
    const value = first + ((start + step) % count)
    if (isFree(value)) return value
  }
  return undefined
}

export function createServiceAllocator({ serviceRange, nodePorts, random }: AllocationOptions): ServiceAllocator {
  const [base = '', bits = ''] = serviceRange.split('/')
  const size = 2 ** (32 - Number(bits))
  if (!isIPv4(base) || !/^\d+$/.test(bits) || !(size >= 4)) throw new Error(`not an IPv4 range of addresses: ${serviceRange}`)
  const network = Math.floor(toNumber(base) / size) * size
  // Without the network's own address and the broadcast address.
  const first = network + 1
  const count = size - 2
  const portCount = nodePorts.last - nodePorts.first + 1
  const inRange = (address: string): boolean => isIPv4(address) && toNumber(address) >= first && toNumber(address) < first + count

  function allocateFamilies(spec: ServiceSpec): void {
    const anyFamily = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
    // A headless Service without a selector may get endpoints of either family from whoever writes them.
    spec.ipFamilyPolicy ??= anyFamily ? 'RequireDualStack' : 'SingleStack'
    if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = anyFamily && spec.ipFamilyPolicy !== 'SingleStack' ? ['IPv4', 'IPv6'] : ['IPv4']
  }

  function allocatePorts(ports: readonly ServicePort[], taken: Set<string>): void {
    // Looking again for a protocol whose ports are all taken would cost the whole range for every port.
    const exhausted = new Set<string | undefined>()
    for (const port of ports) {
      if (port.nodePort || exhausted.has(port.protocol)) continue
      const chosen = pick(nodePorts.first, portCount, random, value => !taken.has(portKey(port.protocol, value)))
      if (chosen === undefined) exhausted.add(port.protocol)
      else {
        port.nodePort = chosen
        taken.add(portKey(port.protocol, chosen))
      }
    }
  }

  function checkAddresses(spec: ServiceSpec, old: ServiceSpec, used: Used): Cause[] {
    if (!hasClusterIP(spec) || isHeadless(spec)) return []
    const wanted = (spec.clusterIPs ?? []).filter(address => !(old.clusterIPs ?? []).includes(address))
    return wanted.flatMap(address => {
      if (used.addresses.has(address)) return [invalid('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${address}: provided IP is already allocated`)]
      if (inRange(address)) return []
      return [invalid('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${serviceRange}`)]
    })
  }

  function checkPorts(spec: ServiceSpec, old: ServiceSpec, used: Used): Cause[] {
    const mine = new Set(portsOf(old))
    return (spec.ports ?? []).flatMap(({ protocol, nodePort }, index) => {
      if (!nodePort || mine.has(portKey(protocol, nodePort))) return []
      const field = `spec.ports[${index}].nodePort`
      if (used.ports.has(portKey(protocol, nodePort))) return [invalid(field, nodePort, 'provided port is already allocated')]
      if (nodePort >= nodePorts.first && nodePort <= nodePorts.last) return []
      return [invalid(field, nodePort, `provided port is not in the valid range. The range of valid ports is ${nodePorts.first}-${nodePorts.last}`)]
    })
  }

  return {
    allocate(service, lookup) {
      const spec = serviceSpec(service)
      if (!hasClusterIP(spec)) return
      const used = usedByOthers(service, lookup)
      allocateFamilies(spec)
      if (!spec.clusterIP && (spec.clusterIPs ?? []).length === 0) {
        const chosen = pick(first, count, random, value => !used.addresses.has(toAddress(value)))
        if (chosen !== undefined) {
          spec.clusterIP = toAddress(chosen)
          spec.clusterIPs = [spec.clusterIP]
        }
      }
      const taken = new Set([...used.ports, ...portsOf(spec)])
      if (wantsNodePorts(spec)) allocatePorts(spec.ports ?? [], taken)
      if (needsHealthCheckPort(spec) && !spec.healthCheckNodePort) {
        spec.healthCheckNodePort = pick(nodePorts.first, portCount, random, value => !taken.has(portKey('TCP', value))) ?? 0
      }
    },
    check(service, old, lookup) {
      const spec = serviceSpec(service)
      const before = old === undefined ? {} : serviceSpec(old)
      const causes: Cause[] = []
      if (spec.ipFamilyPolicy === 'RequireDualStack' && !(isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0)) {
        causes.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'))
      } else if (!isHeadless(spec)) {
        for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
          if (family === 'IPv6') causes.push(invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'))
        }
      }
      const used = usedByOthers(service, lookup)
      causes.push(...checkAddresses(spec, before, used), ...checkPorts(spec, before, used))
      if (causes.length === 0 && hasClusterIP(spec) && !spec.clusterIP) {
        causes.push({ reason: 'InternalError', message: 'Internal error: failed to allocate a serviceIP: range is full', field: 'spec.clusterIPs' })
      }
      const missing = wantsNodePorts(spec) ? (spec.ports ?? []).findIndex(port => !port.nodePort) : -1
      if (missing !== -1) causes.push({ reason: 'InternalError', message: 'Internal error: failed to allocate a nodePort: range is full', field: `spec.ports[${missing}].nodePort` })
      return causes
    },
  }
}
