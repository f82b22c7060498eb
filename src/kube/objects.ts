// Kubernetes objects as the rest of Narthex sees them: only the fields that routing needs, trimmed on arrival
// (a full Ingress is 3-4 KB of heap, a trimmed one about 1 KB). Absent lists are empty lists here.

export interface Meta {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** The object is being deleted; it loses its routes at once. */
  readonly deleting: boolean
  readonly annotations: Readonly<Record<string, string>>
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key of every store map. */
export type ObjectKey = string

export function keyOf(meta: { readonly namespace: string; readonly name: string }): ObjectKey {
  return meta.namespace === '' ? meta.name : `${meta.namespace}/${meta.name}`
}

export interface Ingress {
  readonly kind: 'Ingress'
  readonly meta: Meta
  readonly className: string | undefined
  readonly defaultBackend: IngressBackend | undefined
  readonly tls: readonly IngressTls[]
  readonly rules: readonly IngressRule[]
  /** status.loadBalancer.ingress as it is now. */
  readonly addresses: readonly PublishedAddress[]
}

export interface IngressTls {
  readonly hosts: readonly string[]
  readonly secretName: string
}

export interface IngressRule {
  readonly host: string
  /** undefined: the rule has no `http` section. */
  readonly paths: readonly IngressPath[] | undefined
}

export interface IngressPath {
  readonly path: string
  readonly pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific'
  readonly backend: IngressBackend
}

export interface IngressBackend {
  readonly service: { readonly name: string; readonly port: number | string } | undefined
  readonly resource: { readonly apiGroup: string; readonly kind: string; readonly name: string } | undefined
}

export interface PublishedAddress {
  readonly ip?: string
  readonly hostname?: string
}

export interface IngressClass {
  readonly kind: 'IngressClass'
  readonly meta: Meta
  readonly controller: string
  readonly isDefault: boolean
}

export interface Service {
  readonly kind: 'Service'
  readonly meta: Meta
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  readonly clusterIPs: readonly string[]
  readonly externalName: string
  readonly externalIPs: readonly string[]
  readonly ports: readonly ServicePort[]
  /** internalTrafficPolicy: only endpoints of the sender's own node. */
  readonly nodeLocal: boolean
  /** trafficDistribution, where it is one that Kubernetes knows; PreferClose is the old name of PreferSameZone. */
  readonly prefers: 'zone' | 'node' | undefined
  /** sessionAffinity ClientIP: seconds after its last request for which a client keeps its endpoint. */
  readonly affinitySeconds: number | undefined
  /** status.loadBalancer.ingress. */
  readonly addresses: readonly PublishedAddress[]
}

export interface ServicePort {
  readonly name: string
  readonly port: number
  readonly targetPort: number | string
  readonly nodePort: number | undefined
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly appProtocol: string | undefined
}

export interface EndpointSlice {
  readonly kind: 'EndpointSlice'
  readonly meta: Meta
  /** Label kubernetes.io/service-name; empty: no Service. */
  readonly serviceName: string
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly ports: readonly { readonly name: string; readonly port: number | undefined; readonly protocol: string }[]
  readonly endpoints: readonly SliceEndpoint[]
}

export interface SliceEndpoint {
  /** addresses[0]; the others have no meaning (discovery/v1). */
  readonly address: string
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly podName: string | undefined
  readonly nodeName: string | undefined
  readonly zone: string | undefined
  /** Zones and nodes that the endpoint is meant for; absent: it carries no hints. */
  readonly hints?: { readonly zones: readonly string[]; readonly nodes: readonly string[] }
}

export interface Secret {
  readonly kind: 'Secret'
  readonly meta: Meta
  readonly type: string
  /** Decoded; only the keys that Narthex reads (tls.crt, tls.key, ca.crt, auth …). */
  readonly data: Readonly<Record<string, string>>
}

export interface ConfigMap {
  readonly kind: 'ConfigMap'
  readonly meta: Meta
  readonly data: Readonly<Record<string, string>>
}
