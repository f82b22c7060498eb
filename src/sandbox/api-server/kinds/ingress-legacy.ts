// The Ingress of extensions/v1beta1 and networking.k8s.io/v1beta1 to and from networking.k8s.io/v1, as API servers converted it until 1.21.
import type { KubeObject, LegacyVersion } from '../kind.ts'
import type { IngressBackend, IngressPath, IngressSpec } from './ingress-spec.ts'

interface LegacyBackend {
  serviceName?: string
  servicePort?: number | string
  resource?: { apiGroup?: string; kind?: string; name?: string }
}

interface LegacyPath {
  path?: string
  pathType?: string
  backend?: LegacyBackend
}

interface LegacySpec extends Omit<IngressSpec, 'defaultBackend' | 'rules'> {
  backend?: LegacyBackend
  rules?: { host?: string; http?: { paths?: LegacyPath[] } }[]
}

function toBackend({ serviceName, servicePort, resource }: LegacyBackend): IngressBackend {
  const backend: IngressBackend = {}
  if (serviceName !== undefined || servicePort !== undefined) {
    const port = servicePort === undefined ? {} : typeof servicePort === 'string' ? { name: servicePort } : { number: servicePort }
    backend.service = { name: serviceName ?? '', port }
  }
  if (resource !== undefined) backend.resource = resource
  return backend
}

function fromBackend({ service, resource }: IngressBackend): LegacyBackend {
  if (service === undefined) return resource === undefined ? {} : { resource }
  return { serviceName: service.name ?? '', servicePort: service.port?.name || (service.port?.number ?? 0), ...(resource && { resource }) }
}

function toPath(path: LegacyPath): IngressPath {
  return { ...path, pathType: path.pathType ?? 'ImplementationSpecific', backend: toBackend(path.backend ?? {}) }
}

function fromPath(path: IngressPath): LegacyPath {
  return { ...path, backend: fromBackend(path.backend ?? {}) }
}

function toSpec({ backend, rules, ...rest }: LegacySpec): IngressSpec {
  const spec: IngressSpec = { ...rest }
  if (backend !== undefined) spec.defaultBackend = toBackend(backend)
  if (rules !== undefined) spec.rules = rules.map(({ http, ...rule }) => (http === undefined ? rule : { ...rule, http: { paths: (http.paths ?? []).map(toPath) } }))
  return spec
}

function fromSpec({ defaultBackend, rules, ...rest }: IngressSpec): LegacySpec {
  const spec: LegacySpec = { ...rest }
  if (defaultBackend !== undefined) spec.backend = fromBackend(defaultBackend)
  if (rules !== undefined) spec.rules = rules.map(({ http, ...rule }) => (http === undefined ? rule : { ...rule, http: { paths: (http.paths ?? []).map(fromPath) } }))
  return spec
}

function legacyVersion(group: string, schemaGroup: string, deprecatedIn: string): LegacyVersion {
  const withSpec = (object: KubeObject, apiVersion: string, convert: (spec: unknown) => unknown): KubeObject => {
    const converted: KubeObject = { ...object, apiVersion }
    if (object['spec'] !== undefined) converted['spec'] = convert(structuredClone(object['spec']))
    return converted
  }
  return {
    group,
    version: 'v1beta1',
    schemaName: `io.k8s.api.${schemaGroup}.v1beta1.Ingress`,
    toCurrent: object => withSpec(object, 'networking.k8s.io/v1', spec => toSpec(spec as LegacySpec)),
    fromCurrent: object => withSpec(object, `${group}/v1beta1`, spec => fromSpec(spec as IngressSpec)),
    deprecation: `${group}/v1beta1 Ingress is deprecated in ${deprecatedIn}+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress`,
  }
}

export const LEGACY_INGRESS: readonly LegacyVersion[] = [
  legacyVersion('extensions', 'extensions', 'v1.14'),
  legacyVersion('networking.k8s.io', 'networking', 'v1.19'),
]
