// From an API object as it came over the wire to what the rest of Narthex keeps of it. Never throws: a hostile or
// partial object loses what can't be read; one without a name is no object at all.
import type {
  ConfigMap, EndpointSlice, Ingress, IngressBackend, IngressClass, IngressPath, IngressRule, IngressTls,
  Meta, PublishedAddress, Secret, Service, ServicePort, SliceEndpoint,
} from './objects.ts'
import { isRecord, optionalText, portNumber, portReference, record, records, text, textMap, texts, time, type Raw } from './raw.ts'

export type KubeObject = Ingress | IngressClass | Service | EndpointSlice | Secret | ConfigMap
export type KubeKind = KubeObject['kind']

type Trimmers = { readonly [Kind in KubeKind]: (raw: Raw, meta: Meta) => Extract<KubeObject, { kind: Kind }> }

const TRIMMERS: Trimmers = {
  Ingress: trimIngress,
  IngressClass: trimIngressClass,
  Service: trimService,
  EndpointSlice: trimEndpointSlice,
  Secret: trimSecret,
  ConfigMap: (raw, meta) => ({ kind: 'ConfigMap', meta, data: textMap(raw['data']) }),
}

export const KUBE_KINDS = Object.keys(TRIMMERS) as readonly KubeKind[]

export function isKubeKind(kind: string): kind is KubeKind {
  return Object.hasOwn(TRIMMERS, kind)
}

/** `raw` is one item of a list or the object of a watch event; `kind` because list items carry none. */
export function trim(kind: KubeKind, raw: unknown): KubeObject | undefined {
  const object = record(raw)
  const meta = trimMeta(object['metadata'], kind)
  return meta === undefined ? undefined : TRIMMERS[kind](object, meta)
}

/** Annotations that routing reads; the rest (last-applied configurations above all) would only cost memory. */
function keepAnnotation(key: string): boolean {
  return key.includes('ingress') && !key.startsWith('kubectl.kubernetes.io/')
}

function trimMeta(value: unknown, kind: KubeKind): Meta | undefined {
  const raw = record(value)
  const name = text(raw['name'])
  if (name === '') return undefined
  // Custom annotation prefixes need not contain "ingress", so an Ingress keeps all but the bulky one.
  const keep = kind === 'Ingress' ? (key: string) => key !== 'kubectl.kubernetes.io/last-applied-configuration' : keepAnnotation
  return {
    namespace: text(raw['namespace']),
    name,
    uid: text(raw['uid']),
    resourceVersion: text(raw['resourceVersion']),
    createdAt: time(raw['creationTimestamp']),
    deleting: text(raw['deletionTimestamp']) !== '',
    annotations: textMap(raw['annotations'], keep),
  }
}

function trimIngress(raw: Raw, meta: Meta): Ingress {
  const spec = record(raw['spec'])
  return {
    kind: 'Ingress',
    meta,
    className: optionalText(spec['ingressClassName']),
    defaultBackend: isRecord(spec['defaultBackend']) ? trimBackend(spec['defaultBackend']) : undefined,
    tls: records(spec['tls']).map(trimTls),
    rules: records(spec['rules']).map(trimRule),
    addresses: trimAddresses(raw),
  }
}

function trimTls(raw: Raw): IngressTls {
  return { hosts: texts(raw['hosts']), secretName: text(raw['secretName']) }
}

function trimRule(raw: Raw): IngressRule {
  const http = raw['http']
  return { host: textOrInvalid(raw['host']), paths: isRecord(http) ? records(http['paths']).map(trimPath) : undefined }
}

/** Absent means "every host" or "every path", so what is there but unreadable must not look absent: `?` is refused as either. */
function textOrInvalid(value: unknown): string {
  return value === undefined || value === null ? '' : text(value) || (value === '' ? '' : '?')
}

function trimPath(raw: Raw): IngressPath {
  const type = raw['pathType']
  return {
    path: textOrInvalid(raw['path']),
    pathType: type === 'Exact' || type === 'Prefix' ? type : 'ImplementationSpecific',
    backend: trimBackend(record(raw['backend'])),
  }
}

function trimBackend(raw: Raw): IngressBackend {
  const service = record(raw['service'])
  const resource = record(raw['resource'])
  const port = record(service['port'])
  const name = text(service['name'])
  return {
    service: name === '' ? undefined : { name, port: portNumber(port['number']) ?? text(port['name']) },
    resource: isRecord(raw['resource'])
      ? { apiGroup: text(resource['apiGroup']), kind: text(resource['kind']), name: text(resource['name']) }
      : undefined,
  }
}

/** status.loadBalancer.ingress. */
function trimAddresses(raw: Raw): readonly PublishedAddress[] {
  return records(record(record(raw['status'])['loadBalancer'])['ingress']).flatMap((item) => {
    const ip = optionalText(item['ip'])
    const hostname = optionalText(item['hostname'])
    return ip === undefined && hostname === undefined ? [] : [{ ...(ip !== undefined && { ip }), ...(hostname !== undefined && { hostname }) }]
  })
}

function trimIngressClass(raw: Raw, meta: Meta): IngressClass {
  return {
    kind: 'IngressClass',
    meta,
    controller: text(record(raw['spec'])['controller']),
    isDefault: meta.annotations['ingressclass.kubernetes.io/is-default-class'] === 'true',
  }
}

const SERVICE_TYPES: ReadonlySet<unknown> = new Set<Service['type']>(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'])

function trimService(raw: Raw, meta: Meta): Service {
  const spec = record(raw['spec'])
  const addresses = texts(spec['clusterIPs'])
  return {
    kind: 'Service',
    meta,
    type: SERVICE_TYPES.has(spec['type']) ? (spec['type'] as Service['type']) : 'ClusterIP',
    clusterIPs: addresses.length > 0 ? addresses : texts([spec['clusterIP']]).filter((ip) => ip !== ''),
    externalName: text(spec['externalName']),
    externalIPs: texts(spec['externalIPs']),
    ports: records(spec['ports']).flatMap(trimServicePort),
    nodeLocal: spec['internalTrafficPolicy'] === 'Local',
    prefers: trimDistribution(spec['trafficDistribution']),
    affinitySeconds: spec['sessionAffinity'] === 'ClientIP' ? trimAffinityTimeout(spec) : undefined,
    addresses: trimAddresses(raw),
  }
}

function trimDistribution(value: unknown): Service['prefers'] {
  if (value === 'PreferSameNode') return 'node'
  return value === 'PreferClose' || value === 'PreferSameZone' ? 'zone' : undefined
}

/** The default and the largest value that the API has. */
const AFFINITY_SECONDS = 10_800
const MOST_AFFINITY_SECONDS = 86_400

function trimAffinityTimeout(spec: Raw): number {
  const seconds = record(record(spec['sessionAffinityConfig'])['clientIP'])['timeoutSeconds']
  return typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0 && seconds <= MOST_AFFINITY_SECONDS ? seconds : AFFINITY_SECONDS
}

function trimServicePort(raw: Raw): readonly ServicePort[] {
  const port = portNumber(raw['port'])
  if (port === undefined) return []
  const protocol = raw['protocol']
  return [
    {
      name: text(raw['name']),
      port,
      targetPort: portReference(raw['targetPort']) ?? port,
      nodePort: portNumber(raw['nodePort']),
      protocol: protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP',
      appProtocol: optionalText(raw['appProtocol']),
    },
  ]
}

function trimEndpointSlice(raw: Raw, meta: Meta): EndpointSlice {
  const type = raw['addressType']
  return {
    kind: 'EndpointSlice',
    meta,
    serviceName: text(record(record(raw['metadata'])['labels'])['kubernetes.io/service-name']),
    addressType: type === 'IPv6' || type === 'FQDN' ? type : 'IPv4',
    ports: records(raw['ports']).map((port) => ({ name: text(port['name']), port: portNumber(port['port']), protocol: text(port['protocol']) || 'TCP' })),
    endpoints: records(raw['endpoints']).flatMap(trimEndpoint),
  }
}

/** Absent conditions: ready and serving mean yes, terminating means no (discovery/v1). */
function trimEndpoint(raw: Raw): readonly SliceEndpoint[] {
  const address = texts(raw['addresses'])[0]
  if (address === undefined || address === '') return []
  const conditions = record(raw['conditions'])
  const target = record(raw['targetRef'])
  const hints = record(raw['hints'])
  const [zones, nodes] = [names(hints['forZones']), names(hints['forNodes'])]
  return [
    {
      address,
      ready: conditions['ready'] !== false,
      serving: conditions['serving'] !== false,
      terminating: conditions['terminating'] === true,
      podName: target['kind'] === 'Pod' ? optionalText(target['name']) : undefined,
      nodeName: optionalText(raw['nodeName']),
      zone: optionalText(raw['zone']),
      ...((zones.length > 0 || nodes.length > 0) && { hints: { zones, nodes } }),
    },
  ]
}

/** Of ForZone and ForNode alike. */
function names(value: unknown): readonly string[] {
  return records(value).flatMap((each) => optionalText(each['name']) ?? [])
}

/** Keys of a Secret that some feature reads; tokens, Helm releases and the like are not kept in memory. */
const SECRET_KEYS: ReadonlySet<string> = new Set(['tls.crt', 'tls.key', 'ca.crt', 'ca.crl', 'auth', 'ticket.key'])

/** Larger than an etcd object can be: whatever it is, it is no certificate. */
const LONGEST_SECRET_VALUE = 2 * 1024 * 1024

function trimSecret(raw: Raw, meta: Meta): Secret {
  const data: Record<string, string> = {}
  const encoded = textMap(raw['data'], (key) => SECRET_KEYS.has(key))
  for (const [key, value] of Object.entries(encoded)) {
    if (value.length <= LONGEST_SECRET_VALUE) data[key] = Buffer.from(value, 'base64').toString('utf8')
  }
  // stringData is never sent by an API server, but files for `narthex check` have it; it wins, as it would on write.
  Object.assign(data, textMap(raw['stringData'], (key) => SECRET_KEYS.has(key)))
  return { kind: 'Secret', meta, type: text(raw['type']) || 'Opaque', data }
}
