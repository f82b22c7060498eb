// The fields of stored objects that controllers and pods read. The registry has checked them against the schema;
// what may be absent is optional here.
import type { KubeObject } from '../api-server/kind.ts'

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastUpdateTime?: string
  lastProbeTime?: string | null
  observedGeneration?: number
}

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

export interface ContainerPort {
  name?: string
  containerPort: number
  protocol?: string
}

export interface Probe {
  initialDelaySeconds?: number
}

export interface Container {
  name: string
  image?: string
  ports?: ContainerPort[]
  restartPolicy?: string
  readinessProbe?: Probe
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> }
  env?: { name: string; value?: string }[]
}

export interface PodSpec {
  nodeName?: string
  nodeSelector?: Record<string, string>
  hostname?: string
  subdomain?: string
  containers: Container[]
  initContainers?: Container[]
  readinessGates?: { conditionType: string }[]
  terminationGracePeriodSeconds?: number
  enableServiceLinks?: boolean
}

export interface PodStatus {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  conditions?: Condition[]
  podIP?: string
  podIPs?: { ip: string }[]
  hostIP?: string
  startTime?: string
  qosClass?: string
  containerStatuses?: { restartCount?: number }[]
}

export interface Pod extends KubeObject {
  spec: PodSpec
  status?: PodStatus
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PodSpec
}

export interface ReplicaSet extends KubeObject {
  spec: { replicas?: number; minReadySeconds?: number; selector: LabelSelector; template: PodTemplate }
  status?: {
    replicas?: number
    fullyLabeledReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    terminatingReplicas?: number
    observedGeneration?: number
    conditions?: Condition[]
  }
}

export interface DeploymentStatus {
  observedGeneration?: number
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  unavailableReplicas?: number
  terminatingReplicas?: number
  collisionCount?: number
  conditions?: Condition[]
}

export interface Deployment extends KubeObject {
  spec: {
    replicas?: number
    selector: LabelSelector
    template: PodTemplate
    strategy?: { type?: string; rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string } }
    minReadySeconds?: number
    revisionHistoryLimit?: number
    paused?: boolean
    progressDeadlineSeconds?: number
  }
  status?: DeploymentStatus
}

export interface ServicePort {
  name?: string
  protocol?: string
  appProtocol?: string
  port: number
  targetPort?: number | string
  nodePort?: number
}

export interface Service extends KubeObject {
  spec: {
    type?: string
    selector?: Record<string, string>
    clusterIP?: string
    ports?: ServicePort[]
    publishNotReadyAddresses?: boolean
    loadBalancerIP?: string
    externalName?: string
    externalIPs?: string[]
    sessionAffinity?: string
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } }
    internalTrafficPolicy?: string
    externalTrafficPolicy?: string
    loadBalancerClass?: string
    ipFamilies?: string[]
    trafficDistribution?: string
  }
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string; ipMode?: string }[] } }
}

export interface ObjectReference {
  apiVersion?: string
  kind?: string
  namespace?: string
  name?: string
  uid?: string
  resourceVersion?: string
}

export interface EndpointAddress {
  ip: string
  hostname?: string
  nodeName?: string
  targetRef?: ObjectReference
}

export interface EndpointPort {
  name?: string
  port: number
  protocol?: string
  appProtocol?: string
}

export interface EndpointSubset {
  addresses?: EndpointAddress[]
  notReadyAddresses?: EndpointAddress[]
  ports?: EndpointPort[]
}

export interface Endpoints extends KubeObject {
  subsets?: EndpointSubset[]
}

export interface SlicePort {
  name?: string
  port?: number
  protocol?: string
  appProtocol?: string
}

export interface SliceEndpoint {
  addresses: string[]
  conditions: { ready?: boolean; serving?: boolean; terminating?: boolean }
  hostname?: string
  targetRef?: ObjectReference
  nodeName?: string
  zone?: string
  hints?: { forZones?: { name: string }[]; forNodes?: { name: string }[] }
}

export interface EndpointSlice extends KubeObject {
  addressType: 'IPv4' | 'IPv6' | 'FQDN'
  endpoints?: SliceEndpoint[] | null
  ports?: SlicePort[] | null
}

export interface Node extends KubeObject {
  spec?: { unschedulable?: boolean }
  status?: { allocatable?: Record<string, string> }
}

export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] }
  status?: { phase?: string }
}

export interface Event extends KubeObject {
  involvedObject?: ObjectReference
  reason?: string
  message?: string
  type?: string
  count?: number
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  eventTime?: string | null
  series?: { lastObservedTime?: string }
}

export const OWN_PREFIX = 'sandbox.narthex.ingress.kubernetes.io'
