// IngressClass: which controller a class of Ingresses belongs to; the controller can't be changed.
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { forbidden, invalid, invalids, notSupported, required, tooLong } from './cause.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Label, dns1123Subdomain, pathSegment } from './names.ts'

const MOST_CONTROLLER_BYTES = 250

interface Parameters {
  apiGroup?: string
  kind?: string
  name?: string
  namespace?: string
  scope?: string
}

interface IngressClassSpec {
  controller?: string
  parameters?: Parameters
}

function spec(object: KubeObject): IngressClassSpec {
  return (object['spec'] ?? {}) as IngressClassSpec
}

export function isDefaultClass(object: KubeObject): boolean {
  return object.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true'
}

/** Reference to an object by group, kind and name, with the rules that class parameters and resource backends share. */
export function validateReference(reference: Parameters, field: string): Cause[] {
  const causes: Cause[] = []
  if (reference.apiGroup !== undefined) causes.push(...invalids(`${field}.apiGroup`, reference.apiGroup, dns1123Subdomain(reference.apiGroup)))
  for (const name of ['kind', 'name'] as const) {
    const value = reference[name] ?? ''
    if (value === '') causes.push(required(`${field}.${name}`))
    else causes.push(...invalids(`${field}.${name}`, value, pathSegment(value)))
  }
  return causes
}

function validateParameters(parameters: Parameters): Cause[] {
  const field = 'spec.parameters'
  const causes = validateReference(parameters, field)
  if (parameters.scope === undefined) return [...causes, required(`${field}.scope`)]
  if (parameters.scope === 'Namespace') {
    if (parameters.namespace === undefined) causes.push(required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"))
    else causes.push(...invalids(`${field}.namespace`, parameters.namespace, dns1123Label(parameters.namespace)))
  } else if (parameters.scope === 'Cluster') {
    if (parameters.namespace !== undefined) causes.push(forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  } else causes.push(notSupported(`${field}.scope`, parameters.scope, ['Cluster', 'Namespace']))
  return causes
}

/** `acme.io/foo`: a DNS name, a slash, a path. */
function validateController(controller: string): Cause[] {
  const field = 'spec.controller'
  const slash = controller.indexOf('/')
  if (slash < 1 || slash === controller.length - 1) return [invalid(field, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  const host = controller.slice(0, slash)
  const causes = invalids(field, host, dns1123Subdomain(host))
  const path = controller.slice(slash + 1)
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path)) {
    causes.push(invalid(field, path, "Invalid path (e.g. 'my/path',  or 'my/path-with-dashes', regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"))
  }
  return causes
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes = validateMetadata(object, old, false, dns1123Subdomain)
  const { controller = '', parameters } = spec(object)
  if (old !== undefined && controller !== (spec(old).controller ?? '')) causes.push(invalid('spec.controller', controller, 'field is immutable'))
  if (controller === '') causes.push(required('spec.controller'))
  else {
    if (Buffer.byteLength(controller) > MOST_CONTROLLER_BYTES) causes.push(tooLong('spec.controller', MOST_CONTROLLER_BYTES))
    causes.push(...validateController(controller))
  }
  if (parameters !== undefined) causes.push(...validateParameters(parameters))
  return causes
}

function parametersCell({ parameters }: IngressClassSpec): string {
  if (parameters === undefined) return '<none>'
  return `${parameters.kind ?? ''}${parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`}/${parameters.name ?? ''}`
}

export const ingressClassKind: Kind = {
  group: 'networking.k8s.io', version: 'v1', kind: 'IngressClass', resource: 'ingressclasses', singular: 'ingressclass', shortNames: [], categories: [],
  namespaced: false, subresources: [], schemaName: 'io.k8s.api.networking.v1.IngressClass', generation: true,
  defaults(draft) {
    draft['spec'] ??= {}
    const { parameters } = spec(draft)
    if (parameters !== undefined) parameters.scope ??= 'Cluster'
  },
  validate,
  columns: [
    NAME,
    column('Controller', 'Controller that is responsible for handling this class'),
    column('Parameters', 'A reference to a resource with additional parameters'),
    AGE,
  ],
  row: (object, now) => [
    isDefaultClass(object) ? `${object.metadata.name} (default)` : object.metadata.name,
    spec(object).controller ?? '',
    parametersCell(spec(object)),
    ageCell(object, now),
  ],
  fields: {},
}
