// The protobuf messages that kubectl and client-go send, with the field numbers of Kubernetes' generated.proto files.
//
// A field is `name:type=number`, named as in JSON. `[]` before a type is a list, `{}` a map with string keys. `?` after a type
// marks a pointer: its zero value was set on purpose. All other scalars are always on the wire, and zero means unset.
// `^` marks a struct that JSON writes into its parent.

const ACTIONS = 'exec:ExecAction=1 httpGet:HTTPGetAction=2 tcpSocket:TCPSocketAction=3'

const MESSAGES: Readonly<Record<string, string>> = {
  ObjectMeta:
    'name:string=1 generateName:string=2 namespace:string=3 selfLink:string=4 uid:string=5 resourceVersion:string=6 generation:int64=7 creationTimestamp:Time=8 deletionTimestamp:Time=9 ' +
    'deletionGracePeriodSeconds:int64?=10 labels:{}string=11 annotations:{}string=12 ownerReferences:[]OwnerReference=13 finalizers:[]string=14 managedFields:[]ManagedFieldsEntry=17',
  OwnerReference: 'kind:string=1 name:string=3 uid:string=4 apiVersion:string=5 controller:bool?=6 blockOwnerDeletion:bool?=7',
  ManagedFieldsEntry: 'manager:string=1 operation:string=2 apiVersion:string=3 time:Time=4 fieldsType:string=6 fieldsV1:FieldsV1=7 subresource:string=8',
  LabelSelector: 'matchLabels:{}string=1 matchExpressions:[]LabelSelectorRequirement=2',
  LabelSelectorRequirement: 'key:string=1 operator:string=2 values:[]string=3',
  Condition: 'type:string=1 status:string=2 observedGeneration:int64=3 lastTransitionTime:Time=4 reason:string=5 message:string=6',
  DeleteOptions: 'gracePeriodSeconds:int64?=1 preconditions:Preconditions=2 orphanDependents:bool?=3 propagationPolicy:string?=4 dryRun:[]string=5',
  Preconditions: 'uid:string?=1 resourceVersion:string?=2',
  LocalObjectReference: 'name:string=1',
  ObjectReference: 'kind:string=1 namespace:string=2 name:string=3 uid:string=4 apiVersion:string=5 resourceVersion:string=6 fieldPath:string=7',
  TypedLocalObjectReference: 'apiGroup:string?=1 kind:string=2 name:string=3',

  Namespace: 'metadata:ObjectMeta=1 spec:NamespaceSpec=2 status:NamespaceStatus=3',
  NamespaceSpec: 'finalizers:[]string=1',
  NamespaceStatus: 'phase:string=1',
  Secret: 'metadata:ObjectMeta=1 data:{}bytes=2 type:string=3 stringData:{}string=4 immutable:bool?=5',
  ConfigMap: 'metadata:ObjectMeta=1 data:{}string=2 binaryData:{}bytes=3 immutable:bool?=4',
  ServiceAccount: 'metadata:ObjectMeta=1 secrets:[]ObjectReference=2 imagePullSecrets:[]LocalObjectReference=3 automountServiceAccountToken:bool?=4',

  Service: 'metadata:ObjectMeta=1 spec:ServiceSpec=2 status:ServiceStatus=3',
  ServiceSpec:
    'ports:[]ServicePort=1 selector:{}string=2 clusterIP:string=3 type:string=4 externalIPs:[]string=5 sessionAffinity:string=7 loadBalancerIP:string=8 loadBalancerSourceRanges:[]string=9 ' +
    'externalName:string=10 externalTrafficPolicy:string=11 healthCheckNodePort:int32=12 publishNotReadyAddresses:bool=13 sessionAffinityConfig:SessionAffinityConfig=14 ipFamilyPolicy:string?=17 ' +
    'clusterIPs:[]string=18 ipFamilies:[]string=19 allocateLoadBalancerNodePorts:bool?=20 loadBalancerClass:string?=21 internalTrafficPolicy:string?=22',
  ServicePort: 'name:string=1 protocol:string=2 port:int32=3 targetPort:IntOrString=4 nodePort:int32=5 appProtocol:string?=6',
  SessionAffinityConfig: 'clientIP:ClientIPConfig=1',
  ClientIPConfig: 'timeoutSeconds:int32?=1',
  ServiceStatus: 'loadBalancer:LoadBalancerStatus=1 conditions:[]Condition=2',
  LoadBalancerStatus: 'ingress:[]LoadBalancerIngress=1',
  LoadBalancerIngress: 'ip:string=1 hostname:string=2 ipMode:string?=3 ports:[]PortStatus=4',
  PortStatus: 'port:int32=1 protocol:string=2 error:string?=3',

  Event:
    'metadata:ObjectMeta=1 involvedObject:ObjectReference=2 reason:string=3 message:string=4 source:EventSource=5 firstTimestamp:Time=6 lastTimestamp:Time=7 count:int32=8 type:string=9 ' +
    'eventTime:MicroTime=10 series:EventSeries=11 action:string=12 related:ObjectReference=13 reportingComponent:string=14 reportingInstance:string=15',
  EventSource: 'component:string=1 host:string=2',
  EventSeries: 'count:int32=1 lastObservedTime:MicroTime=2',
  Lease: 'metadata:ObjectMeta=1 spec:LeaseSpec=2',
  LeaseSpec: 'holderIdentity:string?=1 leaseDurationSeconds:int32?=2 acquireTime:MicroTime=3 renewTime:MicroTime=4 leaseTransitions:int32?=5 strategy:string?=6 preferredHolder:string?=7',

  Ingress: 'metadata:ObjectMeta=1 spec:IngressSpec=2 status:IngressStatus=3',
  IngressSpec: 'defaultBackend:IngressBackend=1 tls:[]IngressTLS=2 rules:[]IngressRule=3 ingressClassName:string?=4',
  IngressTLS: 'hosts:[]string=1 secretName:string=2',
  IngressRule: 'host:string=1 ingressRuleValue:IngressRuleValue^=2',
  IngressRuleValue: 'http:HTTPIngressRuleValue=1',
  HTTPIngressRuleValue: 'paths:[]HTTPIngressPath=1',
  HTTPIngressPath: 'path:string=1 backend:IngressBackend=2 pathType:string?=3',
  IngressBackend: 'resource:TypedLocalObjectReference=3 service:IngressServiceBackend=4',
  IngressServiceBackend: 'name:string=1 port:ServiceBackendPort=2',
  ServiceBackendPort: 'name:string=1 number:int32=2',
  IngressStatus: 'loadBalancer:IngressLoadBalancerStatus=1',
  IngressLoadBalancerStatus: 'ingress:[]IngressLoadBalancerIngress=1',
  IngressLoadBalancerIngress: 'ip:string=1 hostname:string=2 ports:[]PortStatus=4',
  IngressClass: 'metadata:ObjectMeta=1 spec:IngressClassSpec=2',
  IngressClassSpec: 'controller:string=1 parameters:IngressClassParametersReference=2',
  IngressClassParametersReference: 'apiGroup:string?=1 kind:string=2 name:string=3 scope:string?=4 namespace:string?=5',

  Deployment: 'metadata:ObjectMeta=1 spec:DeploymentSpec=2 status:DeploymentStatus=3',
  DeploymentSpec:
    'replicas:int32?=1 selector:LabelSelector=2 template:PodTemplateSpec=3 strategy:DeploymentStrategy=4 minReadySeconds:int32=5 revisionHistoryLimit:int32?=6 paused:bool=7 progressDeadlineSeconds:int32?=9',
  DeploymentStrategy: 'type:string=1 rollingUpdate:RollingUpdateDeployment=2',
  RollingUpdateDeployment: 'maxUnavailable:IntOrString=1 maxSurge:IntOrString=2',
  DeploymentStatus: 'observedGeneration:int64=1 replicas:int32=2 updatedReplicas:int32=3 availableReplicas:int32=4 unavailableReplicas:int32=5 readyReplicas:int32=7',
  PodTemplateSpec: 'metadata:ObjectMeta=1 spec:PodSpec=2',
  Pod: 'metadata:ObjectMeta=1 spec:PodSpec=2',
  PodSpec:
    'volumes:[]Volume=1 containers:[]Container=2 restartPolicy:string=3 terminationGracePeriodSeconds:int64?=4 activeDeadlineSeconds:int64?=5 dnsPolicy:string=6 nodeSelector:{}string=7 ' +
    'serviceAccountName:string=8 serviceAccount:string=9 nodeName:string=10 hostNetwork:bool=11 hostPID:bool=12 hostIPC:bool=13 securityContext:PodSecurityContext=14 ' +
    'imagePullSecrets:[]LocalObjectReference=15 hostname:string=16 subdomain:string=17 schedulerName:string=19 initContainers:[]Container=20 automountServiceAccountToken:bool?=21 ' +
    'tolerations:[]Toleration=22 hostAliases:[]HostAlias=23 priorityClassName:string=24 priority:int32?=25 shareProcessNamespace:bool?=27 readinessGates:[]PodReadinessGate=28 ' +
    'runtimeClassName:string?=29 enableServiceLinks:bool?=30 preemptionPolicy:string?=31',
  PodReadinessGate: 'conditionType:string=1',
  HostAlias: 'ip:string=1 hostnames:[]string=2',
  Toleration: 'key:string=1 operator:string=2 value:string=3 effect:string=4 tolerationSeconds:int64?=5',
  PodSecurityContext: 'runAsUser:int64?=2 runAsNonRoot:bool?=3 supplementalGroups:[]int64=4 fsGroup:int64?=5 runAsGroup:int64?=6 fsGroupChangePolicy:string?=9 seccompProfile:SeccompProfile=10',
  SeccompProfile: 'type:string=1 localhostProfile:string?=2',
  Container:
    'name:string=1 image:string=2 command:[]string=3 args:[]string=4 workingDir:string=5 ports:[]ContainerPort=6 env:[]EnvVar=7 resources:ResourceRequirements=8 volumeMounts:[]VolumeMount=9 ' +
    'livenessProbe:Probe=10 readinessProbe:Probe=11 lifecycle:Lifecycle=12 terminationMessagePath:string=13 imagePullPolicy:string=14 securityContext:SecurityContext=15 stdin:bool=16 ' +
    'stdinOnce:bool=17 tty:bool=18 envFrom:[]EnvFromSource=19 terminationMessagePolicy:string=20 startupProbe:Probe=22',
  ContainerPort: 'name:string=1 hostPort:int32=2 containerPort:int32=3 protocol:string=4 hostIP:string=5',
  EnvVar: 'name:string=1 value:string=2 valueFrom:EnvVarSource=3',
  EnvVarSource: 'fieldRef:ObjectFieldSelector=1 configMapKeyRef:KeySelector=3 secretKeyRef:KeySelector=4',
  ObjectFieldSelector: 'apiVersion:string=1 fieldPath:string=2',
  KeySelector: 'localObjectReference:LocalObjectReference^=1 key:string=2 optional:bool?=3',
  EnvFromSource: 'prefix:string=1 configMapRef:EnvSource=2 secretRef:EnvSource=3',
  EnvSource: 'localObjectReference:LocalObjectReference^=1 optional:bool?=2',
  ResourceRequirements: 'limits:{}Quantity=1 requests:{}Quantity=2',
  SecurityContext:
    'capabilities:Capabilities=1 privileged:bool?=2 runAsUser:int64?=4 runAsNonRoot:bool?=5 readOnlyRootFilesystem:bool?=6 allowPrivilegeEscalation:bool?=7 runAsGroup:int64?=8 seccompProfile:SeccompProfile=11',
  Capabilities: 'add:[]string=1 drop:[]string=2',
  VolumeMount: 'name:string=1 readOnly:bool=2 mountPath:string=3 subPath:string=4 mountPropagation:string?=5 subPathExpr:string=6',
  Lifecycle: 'postStart:LifecycleHandler=1 preStop:LifecycleHandler=2',
  LifecycleHandler: `${ACTIONS} sleep:SleepAction=4`,
  ProbeHandler: `${ACTIONS} grpc:GRPCAction=4`,
  SleepAction: 'seconds:int64=1',
  Probe:
    'handler:ProbeHandler^=1 initialDelaySeconds:int32=2 timeoutSeconds:int32=3 periodSeconds:int32=4 successThreshold:int32=5 failureThreshold:int32=6 terminationGracePeriodSeconds:int64?=7',
  ExecAction: 'command:[]string=1',
  HTTPGetAction: 'path:string=1 port:IntOrString=2 host:string=3 scheme:string=4 httpHeaders:[]HTTPHeader=5',
  HTTPHeader: 'name:string=1 value:string=2',
  TCPSocketAction: 'port:IntOrString=1 host:string=2',
  GRPCAction: 'port:int32=1 service:string?=2',
  Volume: 'name:string=1 volumeSource:VolumeSource^=2',
  VolumeSource: 'hostPath:HostPathVolumeSource=1 emptyDir:EmptyDirVolumeSource=2 secret:SecretVolumeSource=6 configMap:ConfigMapVolumeSource=19',
  HostPathVolumeSource: 'path:string=1 type:string?=2',
  EmptyDirVolumeSource: 'medium:string=1',
  SecretVolumeSource: 'secretName:string=1 items:[]KeyToPath=2 defaultMode:int32?=3 optional:bool?=4',
  ConfigMapVolumeSource: 'localObjectReference:LocalObjectReference^=1 items:[]KeyToPath=2 defaultMode:int32?=3 optional:bool?=4',
  KeyToPath: 'key:string=1 path:string=2 mode:int32?=3',

  SelfSubjectAccessReview: 'metadata:ObjectMeta=1 spec:SelfSubjectAccessReviewSpec=2 status:SubjectAccessReviewStatus=3',
  SelfSubjectAccessReviewSpec: 'resourceAttributes:ResourceAttributes=1 nonResourceAttributes:NonResourceAttributes=2',
  ResourceAttributes: 'namespace:string=1 verb:string=2 group:string=3 version:string=4 resource:string=5 subresource:string=6 name:string=7',
  NonResourceAttributes: 'path:string=1 verb:string=2',
  SubjectAccessReviewStatus: 'allowed:bool=1 reason:string=2 evaluationError:string=3 denied:bool=4',

  Role: 'metadata:ObjectMeta=1 rules:[]PolicyRule=2',
  ClusterRole: 'metadata:ObjectMeta=1 rules:[]PolicyRule=2',
  PolicyRule: 'verbs:[]string=1 apiGroups:[]string=2 resources:[]string=3 resourceNames:[]string=4 nonResourceURLs:[]string=5',
  RoleBinding: 'metadata:ObjectMeta=1 subjects:[]Subject=2 roleRef:RoleRef=3',
  ClusterRoleBinding: 'metadata:ObjectMeta=1 subjects:[]Subject=2 roleRef:RoleRef=3',
  Subject: 'kind:string=1 apiGroup:string=2 name:string=3 namespace:string=4',
  RoleRef: 'apiGroup:string=1 kind:string=2 name:string=3',
}

/** What may come as a whole object: `apiVersion/kind` to message. */
const ROOTS: Readonly<Record<string, readonly string[]>> = {
  'v1': ['Namespace', 'Secret', 'ConfigMap', 'ServiceAccount', 'Service', 'Event', 'Pod', 'DeleteOptions'],
  'apps/v1': ['Deployment', 'DeleteOptions'],
  'networking.k8s.io/v1': ['Ingress', 'IngressClass', 'DeleteOptions'],
  'coordination.k8s.io/v1': ['Lease', 'DeleteOptions'],
  'rbac.authorization.k8s.io/v1': ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding', 'DeleteOptions'],
  'authorization.k8s.io/v1': ['SelfSubjectAccessReview'],
  'meta.k8s.io/v1': ['DeleteOptions'],
}

export interface FieldDescriptor {
  readonly name: string
  readonly type: string
  readonly shape: 'one' | 'list' | 'map'
  readonly isPointer: boolean
  readonly isInline: boolean
}

export type MessageDescriptor = ReadonlyMap<number, FieldDescriptor>

function parseField(text: string): readonly [number, FieldDescriptor] {
  const match = /^(\w+):(\[\]|\{\})?(\w+)([?^])?=(\d+)$/.exec(text)
  if (match === null) throw new Error(`not a field: ${text}`)
  const [, name = '', shape, type = '', mark, number] = match
  return [Number(number), { name, type, shape: shape === '[]' ? 'list' : shape === '{}' ? 'map' : 'one', isPointer: mark === '?', isInline: mark === '^' }]
}

const parsed = new Map<string, MessageDescriptor>()

/** The fields of a message by number; undefined when it is none (a scalar or a type with a meaning of its own). */
export function messageOf(type: string): MessageDescriptor | undefined {
  const text = Object.hasOwn(MESSAGES, type) ? MESSAGES[type] : undefined
  if (text === undefined) return undefined
  let message = parsed.get(type)
  if (message === undefined) {
    message = new Map(text.split(' ').map(parseField))
    parsed.set(type, message)
  }
  return message
}

export function isRoot(apiVersion: string, kind: string): boolean {
  return Object.hasOwn(ROOTS, apiVersion) && ROOTS[apiVersion]?.includes(kind) === true
}
