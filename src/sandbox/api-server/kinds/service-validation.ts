// The rules for Services, in the order in which the real API server checks them.
import { isIP } from 'node:net'
import type { Cause, KubeObject } from '../kind.ts'
import { duplicate, forbidden, invalid, invalids, notSupported, required } from './cause.ts'
import { validateLabels, validateMetadata } from './metadata.ts'
import { dns1035Label, dns1123Label, dns1123Subdomain, ipAddress, portName, portNumber, qualifiedName } from './names.ts'
import { hasClusterIP, isExternal, isHeadless, needsHealthCheckPort, serviceSpec } from './service-spec.ts'
import type { ServicePort, ServiceSpec } from './service-spec.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const POLICIES = ['Cluster', 'Local']
const FAMILIES = ['IPv4', 'IPv6']
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const DISTRIBUTIONS = ['PreferClose', 'PreferSameNode', 'PreferSameZone']
const DAY_SECONDS = 86_400

function validateType(spec: ServiceSpec): Cause[] {
  const causes: Cause[] = []
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(spec)) {
    causes.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  }
  if (spec.type !== 'ExternalName') return causes
  for (const field of ['clusterIPs', 'ipFamilies'] as const) {
    if ((spec[field] ?? []).length > 0) causes.push(forbidden(`spec.${field}`, 'may not be set for ExternalName services'))
  }
  if (spec.ipFamilyPolicy !== undefined) causes.push(forbidden('spec.ipFamilyPolicy', 'may not be set for ExternalName services'))
  const host = (spec.externalName ?? '').replace(/\.$/, '')
  if (host === '') causes.push(required('spec.externalName'))
  else causes.push(...invalids('spec.externalName', host, dns1123Subdomain(host)))
  return causes
}

function validatePort(port: ServicePort, needsName: boolean, names: Set<string>, field: string): Cause[] {
  const causes: Cause[] = []
  const { name = '', port: number = 0, protocol = '', targetPort = 0, appProtocol } = port
  if (name === '') {
    if (needsName) causes.push(required(`${field}.name`))
  } else {
    causes.push(...invalids(`${field}.name`, name, dns1123Label(name)))
    if (names.has(name)) causes.push(duplicate(`${field}.name`, name))
    names.add(name)
  }
  causes.push(...invalids(`${field}.port`, number, portNumber(number)))
  if (protocol === '') causes.push(required(`${field}.protocol`))
  else if (!PROTOCOLS.includes(protocol)) causes.push(notSupported(`${field}.protocol`, protocol, PROTOCOLS))
  causes.push(...invalids(`${field}.targetPort`, targetPort, typeof targetPort === 'number' ? portNumber(targetPort) : portName(targetPort)))
  if (appProtocol !== undefined) causes.push(...invalids(`${field}.appProtocol`, appProtocol, qualifiedName(appProtocol)))
  return causes
}

function validateAffinity({ sessionAffinity = '', sessionAffinityConfig }: ServiceSpec): Cause[] {
  if (!['ClientIP', 'None'].includes(sessionAffinity)) return [notSupported('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None'])]
  if (sessionAffinity === 'None') return sessionAffinityConfig === undefined ? [] : [forbidden('spec.sessionAffinityConfig', 'must not be set when session affinity is None')]
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0
  const ok = seconds > 0 && seconds <= DAY_SECONDS
  return ok ? [] : [invalid('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, `must be greater than 0 and less than ${DAY_SECONDS}`)]
}

function validateAddresses(spec: ServiceSpec): Cause[] {
  if (spec.type === 'ExternalName') return []
  const causes: Cause[] = []
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec
  if (clusterIP === '') {
    if (clusterIPs.length > 0) causes.push(invalid('spec.clusterIPs', clusterIPs, 'must be empty when `clusterIP` is not specified'))
  } else if (clusterIPs.length === 0) causes.push(required('spec.clusterIPs'))
  else if (clusterIPs[0] !== clusterIP) causes.push(invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'))
  const families = new Set<string>()
  for (const [index, family] of ipFamilies.entries()) {
    if (!FAMILIES.includes(family)) causes.push(notSupported(`spec.ipFamilies[${index}]`, family, FAMILIES))
    if (families.has(family)) causes.push(duplicate(`spec.ipFamilies[${index}]`, family))
    families.add(family)
  }
  if (ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(ipFamilyPolicy)) causes.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, FAMILY_POLICIES))
  const before = causes.length
  for (const [index, address] of clusterIPs.entries()) {
    if (index === 0 && address === 'None') {
      if (clusterIPs.length > 1) causes.push(invalid('spec.clusterIPs', clusterIPs, "'None' must be the first and only value"))
    } else causes.push(...invalids(`spec.clusterIPs[${index}]`, address, ipAddress(address)))
  }
  if (clusterIPs.length > 2) causes.push(invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'))
  if (causes.length > before) return causes
  if (clusterIPs.length === 2 && isIP(clusterIPs[0] ?? '') === isIP(clusterIPs[1] ?? '')) {
    causes.push(invalid('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family'))
  }
  if (!isHeadless(spec)) {
    for (const [index, address] of clusterIPs.entries()) {
      const family = ipFamilies[index]
      if (family !== undefined && family !== `IPv${isIP(address)}`) {
        causes.push(invalid(`spec.clusterIPs[${index}]`, address, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``))
      }
    }
  }
  return causes
}

/** A port is printed as the struct by which the real server looks for it, with Go's names. */
function duplicatePorts(ports: readonly ServicePort[]): Cause[] {
  const causes: Cause[] = []
  const nodePorts = new Set<string>()
  for (const [index, { protocol, nodePort }] of ports.entries()) {
    if (!nodePort) continue
    if (nodePorts.has(`${protocol}/${nodePort}`)) causes.push(duplicate(`spec.ports[${index}].nodePort`, nodePort))
    nodePorts.add(`${protocol}/${nodePort}`)
  }
  const numbers = new Set<string>()
  for (const [index, { protocol, port = 0 }] of ports.entries()) {
    if (numbers.has(`${protocol}/${port}`)) causes.push(duplicate(`spec.ports[${index}]`, { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }))
    numbers.add(`${protocol}/${port}`)
  }
  return causes
}

function isCidr(value: string): boolean {
  const [address = '', bits = '', ...rest] = value.trim().split('/')
  const version = isIP(address)
  return rest.length === 0 && version !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
}

function validateLoadBalancer(spec: ServiceSpec): Cause[] {
  const causes: Cause[] = []
  const only = "may only be used when `type` is 'LoadBalancer'"
  const isLoadBalancer = spec.type === 'LoadBalancer'
  const ranges = spec.loadBalancerSourceRanges ?? []
  // The capital letter is the real server's.
  if (ranges.length > 0 && !isLoadBalancer) causes.push(forbidden('spec.LoadBalancerSourceRanges', only))
  for (const [index, range] of ranges.entries()) {
    if (!isCidr(range)) causes.push(invalid(`spec.LoadBalancerSourceRanges[${index}]`, range.trim(), 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'))
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer) causes.push(forbidden('spec.allocateLoadBalancerNodePorts', only))
  if (spec.loadBalancerClass !== undefined) {
    if (isLoadBalancer) causes.push(...invalids('spec.loadBalancerClass', spec.loadBalancerClass, qualifiedName(spec.loadBalancerClass)))
    else causes.push(forbidden('spec.loadBalancerClass', only))
  }
  return causes
}

function validateTraffic(spec: ServiceSpec): Cause[] {
  const causes: Cause[] = []
  const { externalTrafficPolicy: external = '', internalTrafficPolicy: internal, healthCheckNodePort = 0, trafficDistribution } = spec
  if (!isExternal(spec)) {
    if (external !== '') causes.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'))
  } else if (!POLICIES.includes(external)) causes.push(notSupported('spec.externalTrafficPolicy', external, POLICIES))
  if (!needsHealthCheckPort(spec)) {
    if (healthCheckNodePort !== 0) causes.push(invalid('spec.healthCheckNodePort', healthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
  } else causes.push(...invalids('spec.healthCheckNodePort', healthCheckNodePort, portNumber(healthCheckNodePort)))
  if (internal === undefined) {
    if (hasClusterIP(spec)) causes.push(required('spec.internalTrafficPolicy'))
  } else if (!POLICIES.includes(internal)) causes.push(notSupported('spec.internalTrafficPolicy', internal, POLICIES))
  if (trafficDistribution !== undefined && !DISTRIBUTIONS.includes(trafficDistribution)) causes.push(notSupported('spec.trafficDistribution', trafficDistribution, DISTRIBUTIONS))
  return causes
}

function validateChange(spec: ServiceSpec, old: ServiceSpec): Cause[] {
  const causes: Cause[] = []
  const fixed = 'may not change once set'
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName' && !(isHeadless(spec) && isHeadless(old))) {
    const before = old.clusterIPs ?? []
    const after = spec.clusterIPs ?? []
    if (before.length > 0 && after.length === 0) causes.push(invalid('spec.clusterIPs[0]', after, 'primary clusterIP can not be unset'))
    for (const [index, address] of before.entries()) {
      if (after[index] !== undefined && after[index] !== address) causes.push(invalid(`spec.clusterIPs[${index}]`, after, fixed))
    }
    if (before.length > after.length && after.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
      causes.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary clusterIP"))
    }
    const family = old.ipFamilies?.[0]
    if (isHeadless(spec) === isHeadless(old) && !isHeadless(spec) && family !== undefined && spec.ipFamilies?.[0] !== family) {
      causes.push(invalid('spec.ipFamilies[0]', spec.ipFamilies, fixed))
    }
  }
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    causes.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, fixed))
  }
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    causes.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
  }
  return causes
}

/** Everything but what allocation decides. */
export function validateService(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const spec = serviceSpec(object)
  const ports = spec.ports ?? []
  const causes = validateMetadata(object, old, true, dns1035Label)
  if (old !== undefined) causes.push(...validateChange(spec, serviceSpec(old)))
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') causes.push(required('spec.ports'))
  causes.push(...validateType(spec))
  const names = new Set<string>()
  for (const [index, port] of ports.entries()) causes.push(...validatePort(port, ports.length > 1, names, `spec.ports[${index}]`))
  causes.push(...validateLabels(spec.selector, 'spec.selector'), ...validateAffinity(spec), ...validateAddresses(spec))
  for (const [index, address] of (spec.externalIPs ?? []).entries()) causes.push(...invalids(`spec.externalIPs[${index}]`, address, ipAddress(address)))
  if (!TYPES.includes(spec.type ?? '')) causes.push(notSupported('spec.type', spec.type ?? '', TYPES))
  if (spec.type === 'ClusterIP') {
    for (const [index, port] of ports.entries()) if (port.nodePort) causes.push(forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'"))
  }
  return [...causes, ...duplicatePorts(ports), ...validateLoadBalancer(spec), ...validateTraffic(spec)]
}
