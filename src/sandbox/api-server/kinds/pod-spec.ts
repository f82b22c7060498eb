// What Pods and pod templates share: the shape of a pod spec and what the API server fills into it.

export interface ContainerPort {
  name?: string
  containerPort?: number
  hostPort?: number
  protocol?: string
}

export interface Probe {
  httpGet?: { path?: string; scheme?: string }
  grpc?: { service?: string }
  timeoutSeconds?: number
  periodSeconds?: number
  successThreshold?: number
  failureThreshold?: number
}

export interface Resources {
  limits?: Record<string, string>
  requests?: Record<string, string>
}

export interface Container {
  name?: string
  image?: string
  imagePullPolicy?: string
  ports?: ContainerPort[]
  env?: { name?: string; value?: string; valueFrom?: { fieldRef?: { apiVersion?: string } } }[]
  resources?: Resources
  volumeMounts?: { name?: string; mountPath?: string; readOnly?: boolean }[]
  livenessProbe?: Probe
  readinessProbe?: Probe
  startupProbe?: Probe
  lifecycle?: Record<string, Probe>
  terminationMessagePath?: string
  terminationMessagePolicy?: string
}

/** Volume: a name and one source. */
export interface Volume {
  name?: string
  [source: string]: unknown
}

export interface PodSpec {
  containers?: Container[]
  initContainers?: Container[]
  volumes?: Volume[]
  restartPolicy?: string
  terminationGracePeriodSeconds?: number
  dnsPolicy?: string
  securityContext?: Record<string, unknown>
  schedulerName?: string
  enableServiceLinks?: boolean
  serviceAccountName?: string
  serviceAccount?: string
  automountServiceAccountToken?: boolean
  nodeName?: string
  hostNetwork?: boolean
  tolerations?: { key?: string; operator?: string; effect?: string; tolerationSeconds?: number }[]
  priority?: number
  preemptionPolicy?: string
  readinessGates?: { conditionType?: string }[]
  schedulingGates?: unknown[]
  activeDeadlineSeconds?: number
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec?: PodSpec
}

/** File mode 0644, as volumes of files are mounted. */
const FILE_MODE = 0o644
const FILE_SOURCES = ['secret', 'configMap', 'downwardAPI', 'projected']

/** `nginx` and `nginx:latest` are pulled every time, a tag or digest once. */
function pullPolicy(image: string): string {
  const afterPath = image.slice(image.lastIndexOf('/') + 1)
  if (image.includes('@')) return 'IfNotPresent'
  const colon = afterPath.indexOf(':')
  return colon === -1 || afterPath.slice(colon) === ':latest' ? 'Always' : 'IfNotPresent'
}

function defaultHttpGet(action: Probe | undefined): void {
  if (action?.httpGet === undefined) return
  action.httpGet.path ||= '/'
  action.httpGet.scheme ||= 'HTTP'
}

function defaultProbe(probe: Probe | undefined): void {
  if (probe === undefined) return
  defaultHttpGet(probe)
  if (probe.grpc !== undefined) probe.grpc.service ??= ''
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
}

function defaultContainer(container: Container, hostNetwork: boolean): void {
  container.imagePullPolicy ||= pullPolicy(container.image ?? '')
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  const resources = (container.resources ??= {})
  // What is limited and not requested is requested whole.
  if (resources.limits !== undefined) resources.requests = { ...resources.limits, ...resources.requests }
  for (const port of container.ports ?? []) {
    port.protocol ||= 'TCP'
    if (hostNetwork && !port.hostPort && port.containerPort !== undefined) port.hostPort = port.containerPort
  }
  for (const { valueFrom } of container.env ?? []) if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= 'v1'
  defaultProbe(container.livenessProbe)
  defaultProbe(container.readinessProbe)
  defaultProbe(container.startupProbe)
  for (const handler of Object.values(container.lifecycle ?? {})) defaultHttpGet(handler)
}

function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every(key => key === 'name')) volume['emptyDir'] = {}
  for (const source of FILE_SOURCES) {
    const files = volume[source] as { defaultMode?: number; sources?: { serviceAccountToken?: { expirationSeconds?: number } }[] } | undefined
    if (files === undefined) continue
    files.defaultMode ??= FILE_MODE
    for (const { serviceAccountToken } of files.sources ?? []) if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= 3600
  }
  const hostPath = volume['hostPath'] as { type?: string } | undefined
  if (hostPath !== undefined) hostPath.type ??= ''
}

/** The defaults that Pods and pod templates have in common. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.restartPolicy ||= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.securityContext ??= {}
  spec.schedulerName ||= 'default-scheduler'
  if (spec.serviceAccountName || spec.serviceAccount) {
    spec.serviceAccountName ||= spec.serviceAccount ?? ''
    spec.serviceAccount = spec.serviceAccountName
  }
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) defaultContainer(container, spec.hostNetwork === true)
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
}

export function defaultPodTemplate(template: PodTemplate): void {
  template.metadata ??= {}
  template.spec ??= {}
  defaultPodSpec(template.spec)
}
