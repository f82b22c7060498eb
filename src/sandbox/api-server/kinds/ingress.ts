// Ingress: its class by default, how it is printed, its older versions.
import type { Kind, KubeObject, Lookup } from '../kind.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { isDefaultClass } from './ingress-class.ts'
import { LEGACY_INGRESS } from './ingress-legacy.ts'
import { ingressSpec, ingressStatus } from './ingress-spec.ts'
import { CLASS_ANNOTATION, validateIngress } from './ingress-validation.ts'

const HOSTS_SHOWN = 3

/** The newest of the classes that are marked as default; of two as new, the first by name. */
function defaultClass(lookup: Lookup): string | undefined {
  const classes = lookup.list('ingressclasses').filter(isDefaultClass)
  const [first] = classes.toSorted((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp) || a.metadata.name.localeCompare(b.metadata.name))
  return first?.metadata.name
}

function hostsCell(object: KubeObject): string {
  const hosts = (ingressSpec(object).rules ?? []).flatMap(rule => (rule.host ? [rule.host] : []))
  if (hosts.length === 0) return '*'
  const shown = hosts.slice(0, HOSTS_SHOWN).join(',')
  return hosts.length > HOSTS_SHOWN ? `${shown} + ${hosts.length - HOSTS_SHOWN} more...` : shown
}

function addressCell(object: KubeObject): string {
  const addresses = (ingressStatus(object).loadBalancer?.ingress ?? []).map(ingress => ingress.ip || ingress.hostname || '').filter(address => address !== '')
  return [...new Set(addresses)].sort().join(',')
}

export const ingressKind: Kind = {
  group: 'networking.k8s.io', version: 'v1', kind: 'Ingress', resource: 'ingresses', singular: 'ingress', shortNames: ['ing'], categories: [],
  namespaced: true, subresources: ['status'], schemaName: 'io.k8s.api.networking.v1.Ingress', generation: true,
  legacy: LEGACY_INGRESS,
  defaults(draft) {
    draft['spec'] ??= {}
    draft['status'] ??= {}
    ingressStatus(draft).loadBalancer ??= {}
    const spec = ingressSpec(draft)
    const backends = [spec.defaultBackend, ...(spec.rules ?? []).flatMap(rule => (rule.http?.paths ?? []).map(path => path.backend))]
    // Structs, not pointers, in the real server: they are in every answer.
    for (const backend of backends) {
      if (backend?.service === undefined) continue
      backend.service.port ??= {}
      if (backend.service.port.number === 0) delete backend.service.port.number
      if (backend.service.port.name === '') delete backend.service.port.name
    }
  },
  prepareForCreate(draft, lookup) {
    draft['status'] = { loadBalancer: {} }
    const spec = ingressSpec(draft)
    if (spec.ingressClassName !== undefined || draft.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return
    const name = defaultClass(lookup)
    if (name !== undefined) spec.ingressClassName = name
  },
  validate: validateIngress,
  warnings(object, old) {
    const isDeprecated = old === undefined && object.metadata.annotations?.[CLASS_ANNOTATION] !== undefined && ingressSpec(object).ingressClassName === undefined
    return isDeprecated ? [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`] : []
  },
  columns: [
    NAME,
    column('Class', 'The name of the IngressClass resource that should be used for additional configuration'),
    column('Hosts', 'Hosts that incoming requests are matched against before the ingress rule'),
    column('Address', 'Address is a list containing ingress points for the load-balancer'),
    column('Ports', 'Ports of TLS configurations that open'),
    AGE,
  ],
  row: (object, now) => [
    object.metadata.name, ingressSpec(object).ingressClassName ?? '<none>', hostsCell(object), addressCell(object),
    (ingressSpec(object).tls ?? []).length > 0 ? '80, 443' : '80', ageCell(object, now),
  ],
  fields: {},
}
