// What the models do not say: how lists and maps are merged and owned, and closed sets of values, as Kubernetes' OpenAPI has them.
import type { Schema } from '../kind.ts'

export type Rule = Pick<Schema, 'x-kubernetes-patch-strategy' | 'x-kubernetes-patch-merge-key' | 'x-kubernetes-list-type' | 'x-kubernetes-list-map-keys' | 'x-kubernetes-map-type' | 'enum' | 'default'>

const atomic: Rule = { 'x-kubernetes-list-type': 'atomic' }
const atomicMap: Rule = { 'x-kubernetes-map-type': 'atomic' }
const set: Rule = { 'x-kubernetes-list-type': 'set' }
const mergedSet: Rule = { ...set, 'x-kubernetes-patch-strategy': 'merge' }
const retainKeys: Rule = { 'x-kubernetes-patch-strategy': 'retainKeys' }

/** A list of objects that strategic merge joins by `key`, and server-side apply by `keys` (the same one when left out). */
function merge(key: string, keys: readonly string[] = [key], strategy = 'merge'): Rule {
  return { 'x-kubernetes-patch-strategy': strategy, 'x-kubernetes-patch-merge-key': key, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys }
}

const mergeRetain = (key: string): Rule => merge(key, [key], 'merge,retainKeys')
const oneOf = (...values: readonly string[]): Rule => ({ enum: values })

const container: Record<string, Rule> = {
  args: atomic, command: atomic, envFrom: atomic, resizePolicy: atomic, restartPolicyRules: atomic,
  env: merge('name'), ports: merge('containerPort', ['containerPort', 'protocol']), volumeDevices: merge('devicePath'), volumeMounts: merge('mountPath'),
  imagePullPolicy: oneOf('Always', 'IfNotPresent', 'Never'), terminationMessagePolicy: oneOf('FallbackToLogsOnError', 'File'),
}

const protocol: Rule = { ...oneOf('SCTP', 'TCP', 'UDP'), default: 'TCP' }

/** Type and field to its rule. */
export const FIELD_RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  'meta.v1.ObjectMeta': { finalizers: mergedSet, ownerReferences: merge('uid'), managedFields: atomic },
  'meta.v1.LabelSelector': { matchExpressions: atomic },
  'meta.v1.LabelSelectorRequirement': { values: atomic },
  'meta.v1.StatusDetails': { causes: atomic },
  'apps.v1.DeploymentSpec': { strategy: retainKeys },
  'apps.v1.DeploymentStrategy': { type: oneOf('Recreate', 'RollingUpdate') },
  'apps.v1.DeploymentStatus': { conditions: merge('type') },
  'apps.v1.ReplicaSetStatus': { conditions: merge('type') },
  'networking.v1.IngressSpec': { rules: atomic, tls: atomic },
  'networking.v1.IngressTLS': { hosts: atomic },
  'networking.v1.HTTPIngressRuleValue': { paths: atomic },
  'networking.v1.HTTPIngressPath': { pathType: oneOf('Exact', 'ImplementationSpecific', 'Prefix') },
  'networking.v1.IngressLoadBalancerStatus': { ingress: atomic },
  'networking.v1.IngressLoadBalancerIngress': { ports: atomic },
  'discovery.v1.EndpointSlice': { addressType: oneOf('FQDN', 'IPv4', 'IPv6'), endpoints: atomic, ports: atomic },
  'discovery.v1.Endpoint': { addresses: set },
  'discovery.v1.EndpointHints': { forNodes: atomic, forZones: atomic },
  'core.v1.Container': container,
  'core.v1.EphemeralContainer': container,
  'core.v1.ContainerPort': { protocol },
  'core.v1.ResourceRequirements': { claims: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] } },
  'core.v1.Capabilities': { add: atomic, drop: atomic },
  'core.v1.ExecAction': { command: atomic },
  'core.v1.HTTPGetAction': { httpHeaders: atomic, scheme: oneOf('HTTP', 'HTTPS') },
  'core.v1.HostAlias': { hostnames: atomic },
  'core.v1.PodDNSConfig': { nameservers: atomic, options: atomic, searches: atomic },
  'core.v1.PodSecurityContext': { supplementalGroups: atomic, sysctls: atomic },
  'core.v1.NodeSelector': { nodeSelectorTerms: atomic },
  'core.v1.NodeSelectorTerm': { matchExpressions: atomic, matchFields: atomic },
  'core.v1.NodeSelectorRequirement': { values: atomic },
  'core.v1.NodeAffinity': { preferredDuringSchedulingIgnoredDuringExecution: atomic },
  'core.v1.PodAffinity': { preferredDuringSchedulingIgnoredDuringExecution: atomic, requiredDuringSchedulingIgnoredDuringExecution: atomic },
  'core.v1.PodAntiAffinity': { preferredDuringSchedulingIgnoredDuringExecution: atomic, requiredDuringSchedulingIgnoredDuringExecution: atomic },
  'core.v1.PodAffinityTerm': { matchLabelKeys: atomic, mismatchLabelKeys: atomic, namespaces: atomic },
  'core.v1.TopologySpreadConstraint': { matchLabelKeys: atomic },
  'core.v1.ProjectedVolumeSource': { sources: atomic },
  'core.v1.SecretVolumeSource': { items: atomic },
  'core.v1.SecretProjection': { items: atomic },
  'core.v1.ConfigMapVolumeSource': { items: atomic },
  'core.v1.ConfigMapProjection': { items: atomic },
  'core.v1.DownwardAPIVolumeSource': { items: atomic },
  'core.v1.DownwardAPIProjection': { items: atomic },
  'core.v1.PodSpec': {
    containers: merge('name'), ephemeralContainers: merge('name'), hostAliases: merge('ip'), imagePullSecrets: merge('name'), initContainers: merge('name'),
    nodeSelector: atomicMap, readinessGates: atomic, resourceClaims: mergeRetain('name'), schedulingGates: merge('name'), tolerations: atomic,
    topologySpreadConstraints: merge('topologyKey', ['topologyKey', 'whenUnsatisfiable']), volumes: mergeRetain('name'),
    dnsPolicy: oneOf('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'), restartPolicy: oneOf('Always', 'Never', 'OnFailure'),
    preemptionPolicy: oneOf('Never', 'PreemptLowerPriority'),
  },
  'core.v1.PodStatus': {
    conditions: merge('type'), podIPs: merge('ip'), hostIPs: { ...atomic, 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': 'ip' },
    containerStatuses: atomic, initContainerStatuses: atomic, ephemeralContainerStatuses: atomic, resourceClaimStatuses: mergeRetain('name'),
    phase: oneOf('Failed', 'Pending', 'Running', 'Succeeded', 'Unknown'), qosClass: oneOf('BestEffort', 'Burstable', 'Guaranteed'),
  },
  'core.v1.ContainerStatus': { volumeMounts: merge('mountPath'), allocatedResourcesStatus: merge('name') },
  'core.v1.ServiceSpec': {
    clusterIPs: atomic, externalIPs: atomic, ipFamilies: atomic, loadBalancerSourceRanges: atomic, ports: merge('port', ['port', 'protocol']), selector: atomicMap,
    externalTrafficPolicy: oneOf('Cluster', 'Local'), internalTrafficPolicy: oneOf('Cluster', 'Local'), ipFamilyPolicy: oneOf('PreferDualStack', 'RequireDualStack', 'SingleStack'),
    sessionAffinity: oneOf('ClientIP', 'None'), type: oneOf('ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'),
  },
  'core.v1.ServicePort': { protocol },
  'core.v1.ServiceStatus': { conditions: merge('type') },
  'core.v1.LoadBalancerStatus': { ingress: atomic },
  'core.v1.LoadBalancerIngress': { ports: atomic },
  'core.v1.Endpoints': { subsets: atomic },
  'core.v1.EndpointSubset': { addresses: atomic, notReadyAddresses: atomic, ports: atomic },
  'core.v1.NodeSpec': { podCIDRs: mergedSet, taints: atomic },
  'core.v1.NodeStatus': { addresses: merge('type'), conditions: merge('type'), images: atomic, runtimeHandlers: atomic, volumesAttached: atomic, volumesInUse: atomic },
  'core.v1.ContainerImage': { names: atomic },
  'core.v1.NamespaceSpec': { finalizers: atomic },
  'core.v1.NamespaceStatus': { conditions: merge('type'), phase: oneOf('Active', 'Terminating') },
  'core.v1.ServiceAccount': { imagePullSecrets: atomic, secrets: merge('name') },
}

/** Structs that have one owner as a whole. */
export const ATOMIC_TYPES: ReadonlySet<string> = new Set([
  'meta.v1.LabelSelector', 'meta.v1.OwnerReference', 'networking.v1.ServiceBackendPort', 'discovery.v1.EndpointPort',
  'core.v1.LocalObjectReference', 'core.v1.ObjectReference', 'core.v1.TypedLocalObjectReference', 'core.v1.SecretKeySelector', 'core.v1.ConfigMapKeySelector',
  'core.v1.FileKeySelector', 'core.v1.ResourceFieldSelector', 'core.v1.ObjectFieldSelector', 'core.v1.NodeSelector', 'core.v1.NodeSelectorTerm',
  'core.v1.EndpointAddress', 'core.v1.EndpointPort',
])

/** Fields that hold a struct and no pointer to one: there in an empty object too (`default: {}` in Kubernetes' documents). */
export const STRUCT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'apps.v1.DeploymentSpec': ['strategy', 'template'],
  'apps.v1.ReplicaSetSpec': ['template'],
  'networking.v1.IngressStatus': ['loadBalancer'],
  'networking.v1.HTTPIngressPath': ['backend'],
  'networking.v1.IngressServiceBackend': ['port'],
  'discovery.v1.Endpoint': ['conditions'],
  'events.v1.Event': ['regarding', 'deprecatedSource'],
  'core.v1.Event': ['involvedObject', 'source'],
  'core.v1.Container': ['resources'],
  'core.v1.EphemeralContainer': ['resources'],
  'core.v1.ContainerStatus': ['state', 'lastState'],
  'core.v1.ServiceStatus': ['loadBalancer'],
  'core.v1.NodeStatus': ['daemonEndpoints', 'nodeInfo'],
  'core.v1.NodeDaemonEndpoints': ['kubeletEndpoint'],
  'core.v1.PreferredSchedulingTerm': ['preference'],
  'core.v1.WeightedPodAffinityTerm': ['podAffinityTerm'],
  'core.v1.PersistentVolumeClaimSpec': ['resources'],
}

/** In the types that are objects of their own (and pod templates) these three are always structs. */
export const OBJECT_STRUCTS: readonly string[] = ['metadata', 'spec', 'status']
