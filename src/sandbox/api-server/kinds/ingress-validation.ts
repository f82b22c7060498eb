// The rules for Ingresses, in the order and words of the real API server.
import { isIP } from 'node:net'
import type { Cause, KubeObject } from '../kind.ts'
import { invalid, invalids, notSupported, required } from './cause.ts'
import { validateReference } from './ingress-class.ts'
import { ingressSpec, ingressStatus } from './ingress-spec.ts'
import type { IngressBackend, IngressPath, IngressRule, IngressSpec } from './ingress-spec.ts'
import { validateMetadata } from './metadata.ts'
import { dns1035Label, dns1123Label, dns1123Subdomain, ipAddress, portName, portNumber, wildcardSubdomain } from './names.ts'
import type { NameCheck } from './names.ts'

export const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F']
const BAD_SUFFIXES = ['/..', '/.']

function validateBackend(backend: IngressBackend, field: string, serviceName: NameCheck): Cause[] {
  const { service, resource } = backend
  if (service !== undefined && resource !== undefined) return [invalid(field, '', 'cannot set both resource and service backends')]
  if (resource !== undefined) return validateReference(resource, `${field}.resource`)
  if (service === undefined) return [invalid(field, '', 'resource or service backend is required')]
  const causes: Cause[] = []
  if (!service.name) causes.push(required(`${field}.service.name`))
  else causes.push(...invalids(`${field}.service.name`, service.name, serviceName(service.name)))
  const { name = '', number = 0 } = service.port ?? {}
  if (name !== '' && number !== 0) causes.push(invalid(field, '', 'cannot set both port name & port number'))
  else if (name !== '') causes.push(...invalids(`${field}.service.port.name`, name, portName(name)))
  else if (number !== 0) causes.push(...invalids(`${field}.service.port.number`, number, portNumber(number)))
  else causes.push(required(field, 'port name or number is required'))
  return causes
}

function validatePath({ path = '', pathType, backend = {} }: IngressPath, field: string, serviceName: NameCheck): Cause[] {
  const causes: Cause[] = []
  const wrong = (detail: string): void => void causes.push(invalid(`${field}.path`, path, detail))
  if (pathType === undefined) return [required(`${field}.pathType`, 'pathType must be specified')]
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) wrong('must be an absolute path')
    for (const sequence of BAD_SEQUENCES) if (path.includes(sequence)) wrong(`must not contain '${sequence}'`)
    for (const suffix of BAD_SUFFIXES) if (path.endsWith(suffix)) wrong(`cannot end with '${suffix}'`)
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) wrong('must be an absolute path')
  } else causes.push(notSupported(`${field}.pathType`, pathType, PATH_TYPES))
  return [...causes, ...validateBackend(backend, `${field}.backend`, serviceName)]
}

function validateHttp({ http }: IngressRule, field: string, serviceName: NameCheck): Cause[] {
  if (http === undefined) return []
  const paths = http.paths ?? []
  if (paths.length === 0) return [required(`${field}.http.paths`)]
  return paths.flatMap((path, index) => validatePath(path, `${field}.http.paths[${index}]`, serviceName))
}

function validateHost(host: string, field: string): Cause[] {
  const causes = isIP(host) === 0 ? [] : [invalid(field, host, 'must be a DNS name, not an IP address')]
  return [...causes, ...invalids(field, host, host.includes('*') ? wildcardSubdomain(host) : dns1123Subdomain(host))]
}

function validateTls({ tls = [] }: IngressSpec, checkSecrets: boolean): Cause[] {
  return tls.flatMap(({ hosts = [], secretName = '' }, index) => {
    const field = `spec.tls[${index}]`
    const causes = hosts.flatMap((host, position) => invalids(`${field}.hosts[${position}]`, host, host.includes('*') ? wildcardSubdomain(host) : dns1123Subdomain(host)))
    if (secretName !== '' && checkSecrets) causes.push(...invalids(`${field}.secretName`, secretName, dns1123Subdomain(secretName)))
    return causes
  })
}

function validateStatus(object: KubeObject): Cause[] {
  return (ingressStatus(object).loadBalancer?.ingress ?? []).flatMap(({ ip = '', hostname = '' }, index) => {
    const field = `status.loadBalancer.ingress[${index}]`
    const causes = ip === '' ? [] : invalids(`${field}.ip`, ip, ipAddress(ip))
    if (hostname !== '') causes.push(...invalids(`${field}.hostname`, hostname, dns1123Subdomain(hostname)))
    if (isIP(hostname) !== 0) causes.push(invalid(`${field}.hostname`, hostname, 'must be a DNS name, not an IP address'))
    return causes
  })
}

/** What was let in before stays writable: names of Services and Secrets are not checked again where the old object breaks the rule. */
function leniency(old: KubeObject | undefined): { serviceName: NameCheck; checkSecrets: boolean } {
  if (old === undefined) return { serviceName: dns1035Label, checkSecrets: true }
  const spec = ingressSpec(old)
  const backends = [spec.defaultBackend, ...(spec.rules ?? []).flatMap(rule => (rule.http?.paths ?? []).map(path => path.backend))]
  const relaxed = backends.some(backend => {
    const name = backend?.service?.name ?? ''
    return name !== '' && dns1035Label(name).length > 0 && dns1123Label(name).length === 0
  })
  const checkSecrets = !(spec.tls ?? []).some(({ secretName = '' }) => secretName !== '' && dns1123Subdomain(secretName).length > 0)
  return { serviceName: relaxed ? dns1123Label : dns1035Label, checkSecrets }
}

export function validateIngress(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const spec = ingressSpec(object)
  const { serviceName, checkSecrets } = leniency(old)
  const causes = validateMetadata(object, old, true, dns1123Subdomain)
  if ((spec.rules ?? []).length === 0 && spec.defaultBackend === undefined) causes.push(invalid('spec', spec.rules, 'either `defaultBackend` or `rules` must be specified'))
  if (spec.defaultBackend !== undefined) causes.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend', serviceName))
  for (const [index, rule] of (spec.rules ?? []).entries()) {
    const field = `spec.rules[${index}]`
    if (rule.host) causes.push(...validateHost(rule.host, `${field}.host`))
    causes.push(...validateHttp(rule, field, serviceName))
  }
  causes.push(...validateTls(spec, checkSecrets))
  if (spec.ingressClassName !== undefined) causes.push(...invalids('spec.ingressClassName', spec.ingressClassName, dns1123Subdomain(spec.ingressClassName)))
  const annotation = object.metadata.annotations?.[CLASS_ANNOTATION]
  if (old === undefined && annotation !== undefined && spec.ingressClassName !== undefined && annotation !== spec.ingressClassName) {
    causes.push(invalid(`annotations.${CLASS_ANNOTATION}`, annotation, 'must match `ingressClassName` when both are specified'))
  }
  if (old !== undefined) causes.push(...validateStatus(object))
  return causes
}
