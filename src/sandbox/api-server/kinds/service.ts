// Service: defaults, addresses that stay what they are, fields that go when the type changes, and how it is printed.
import type { Kind, KubeObject } from '../kind.ts'
import { AGE, NAME, ageCell, column, labelsCell } from './column.ts'
import { createServiceAllocator } from './service-allocation.ts'
import type { AllocationOptions } from './service-allocation.ts'
import { defaultService, hasClusterIP, hasNodePorts, isExternal, isHeadless, needsHealthCheckPort, serviceSpec, serviceStatus } from './service-spec.ts'
import type { ServiceSpec } from './service-spec.ts'
import { validateService } from './service-validation.ts'
import { describe } from '../schemas/table.ts'

function sameList(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  return JSON.stringify(a ?? []) === JSON.stringify(b ?? [])
}

/** Clients may leave out what was given to them: then they mean what they have. */
function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIP(spec) && hasClusterIP(old)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP
    if ((spec.clusterIPs ?? []).length === 0 && old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs]
    spec.ipFamilyPolicy ??= old.ipFamilyPolicy ?? 'SingleStack'
    if ((spec.ipFamilies ?? []).length === 0 && old.ipFamilies !== undefined) spec.ipFamilies = [...old.ipFamilies]
  }
  if (hasNodePorts(spec) && hasNodePorts(old)) {
    const named = new Set((spec.ports ?? []).map(port => port.nodePort ?? 0))
    const byName = new Map((old.ports ?? []).map(port => [port.name ?? '', port.nodePort ?? 0]))
    for (const port of spec.ports ?? []) {
      const before = byName.get(port.name ?? '') ?? 0
      if (!port.nodePort && before !== 0 && !named.has(before)) {
        port.nodePort = before
        named.add(before)
      }
    }
  }
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old) && !spec.healthCheckNodePort && old.healthCheckNodePort) spec.healthCheckNodePort = old.healthCheckNodePort
}

/** `clusterIP` and `clusterIPs` say the same; whoever changes one means both. */
function alignAddresses(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  if (old === undefined) {
    if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP]
    return
  }
  if ((spec.clusterIP ?? '') === (old.clusterIP ?? '') || !sameList(spec.clusterIPs, old.clusterIPs)) return
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP]
  else delete spec.clusterIPs
}

/** Fields that only the old type had go with it, unless the client changed them in the same write (then validation speaks). */
function dropOldType(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIP(old) && !hasClusterIP(spec) && (spec.clusterIP ?? '') === (old.clusterIP ?? '') && sameList(spec.clusterIPs, old.clusterIPs)) {
    delete spec.clusterIP
    delete spec.clusterIPs
    if (sameList(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy
    delete spec.internalTrafficPolicy
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    const before = new Set((old.ports ?? []).map(port => port.nodePort))
    for (const port of spec.ports ?? []) if (before.has(port.nodePort)) delete port.nodePort
  }
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (isExternal(old) && !isExternal(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy) delete spec.externalTrafficPolicy
}

function externalCell(object: KubeObject): string {
  const spec = serviceSpec(object)
  const external = (spec.externalIPs ?? []).join(',')
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  if (spec.type !== 'LoadBalancer') return external === '' ? '<none>' : external
  const balancer = (serviceStatus(object).loadBalancer?.ingress ?? []).map(ingress => ingress.ip || ingress.hostname || '').filter(address => address !== '')
  const addresses = [[...new Set(balancer)].sort().join(','), external].filter(part => part !== '')
  return addresses.length === 0 ? '<pending>' : addresses.join(',')
}

function portsCell({ ports = [] }: ServiceSpec): string {
  const texts = ports.map(({ port = 0, nodePort = 0, protocol = '' }) => (nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`))
  return texts.length === 0 ? '<none>' : texts.join(',')
}

const SPEC = 'core.v1.ServiceSpec'

export function createServiceKind(options: AllocationOptions): Kind {
  const allocator = createServiceAllocator(options)
  return {
    group: '', version: 'v1', kind: 'Service', resource: 'services', singular: 'service', shortNames: ['svc'], categories: ['all'],
    namespaced: true, subresources: ['status'], schemaName: 'io.k8s.api.core.v1.Service', generation: false,
    defaults(draft) {
      draft['spec'] ??= {}
      draft['status'] ??= {}
      const balancer = (serviceStatus(draft).loadBalancer ??= {})
      if (serviceSpec(draft).type === 'LoadBalancer') for (const ingress of balancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP'
      defaultService(serviceSpec(draft))
    },
    prepareForCreate(draft, lookup) {
      draft['status'] = { loadBalancer: {} }
      alignAddresses(serviceSpec(draft), undefined)
      allocator.allocate(draft, lookup)
    },
    prepareForUpdate(draft, old, lookup, subresource) {
      if (subresource === 'status') return
      const spec = serviceSpec(draft)
      const before = serviceSpec(old)
      keepAllocated(spec, before)
      alignAddresses(spec, before)
      dropOldType(spec, before)
      if (before.type === 'ExternalName') alignAddresses(spec, undefined)
      allocator.allocate(draft, lookup)
    },
    validate(object, old, lookup) {
      const causes = validateService(object, old)
      return causes.length > 0 ? causes : allocator.check(object, old, lookup)
    },
    warnings(object) {
      const spec = serviceSpec(object)
      if (!isHeadless(spec)) return []
      const ignored = [(spec.externalIPs ?? []).length > 0 ? ['externalIPs'] : [], spec.sessionAffinity === 'None' ? [] : ['SessionAffinity']].flat()
      return ignored.map(field => `spec.${field} is ignored for headless services`)
    },
    columns: [
      NAME,
      column('Type', describe(SPEC, 'type')),
      column('Cluster-IP', describe(SPEC, 'clusterIP')),
      column('External-IP', describe(SPEC, 'externalIPs')),
      column('Port(s)', describe(SPEC, 'ports')),
      AGE,
      column('Selector', describe(SPEC, 'selector'), { priority: 1 }),
    ],
    row: (object, now) => [
      object.metadata.name, serviceSpec(object).type ?? '', serviceSpec(object).clusterIPs?.[0] ?? '<none>', externalCell(object), portsCell(serviceSpec(object)),
      ageCell(object, now), labelsCell(serviceSpec(object).selector),
    ],
    fields: { 'spec.clusterIP': object => serviceSpec(object).clusterIP ?? '', 'spec.type': object => serviceSpec(object).type ?? '' },
  }
}
