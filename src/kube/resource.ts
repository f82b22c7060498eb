// The kinds that are watched, as the API server names them.
import type { KubeKind } from './trim.ts'

export interface Resource {
  readonly kind: KubeKind
  /** Empty: the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespaced: boolean
}

export const RESOURCES: { readonly [Kind in KubeKind]: Resource } = {
  Ingress: { kind: 'Ingress', group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', namespaced: true },
  IngressClass: { kind: 'IngressClass', group: 'networking.k8s.io', version: 'v1', plural: 'ingressclasses', namespaced: false },
  Service: { kind: 'Service', group: '', version: 'v1', plural: 'services', namespaced: true },
  EndpointSlice: { kind: 'EndpointSlice', group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices', namespaced: true },
  Secret: { kind: 'Secret', group: '', version: 'v1', plural: 'secrets', namespaced: true },
  ConfigMap: { kind: 'ConfigMap', group: '', version: 'v1', plural: 'configmaps', namespaced: true },
}

/** Path of the collection; an empty namespace: all of them. */
export function collectionPath(resource: Resource, namespace: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  return resource.namespaced && namespace !== '' ? `${root}/namespaces/${namespace}/${resource.plural}` : `${root}/${resource.plural}`
}

/** The rule that a Role or ClusterRole needs for it, as YAML on one line. */
export function rbacRule(group: string, resource: string, verbs: readonly string[]): string {
  return `{apiGroups: ["${group}"], resources: [${resource}], verbs: [${verbs.join(', ')}]}`
}
