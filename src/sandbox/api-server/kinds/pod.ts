// Pod: what admission adds to it (account, token volume, tolerations, priority), what may change once it is there.
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { forbidden } from './cause.ts'
import { AGE, NAME, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { dns1123Subdomain } from './names.ts'
import { podRow } from './pod-row.ts'
import type { PodStatus } from './pod-row.ts'
import { defaultPodSpec } from './pod-spec.ts'
import type { PodSpec, Volume } from './pod-spec.ts'
import { validatePodSpec } from './pod-validation.ts'
import { describe } from '../schemas/table.ts'

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const DEFAULT_GRACE = 30
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

function spec(object: KubeObject): PodSpec {
  return (object['spec'] ?? {}) as PodSpec
}

function status(object: KubeObject): PodStatus {
  return (object['status'] ?? {}) as PodStatus
}

/** BestEffort without any request, Guaranteed when limits equal requests for cpu and memory everywhere. */
function qosClass({ containers = [], initContainers = [] }: PodSpec): string {
  const resources = [...containers, ...initContainers].map(container => container.resources ?? {})
  const asks = resources.some(({ limits = {}, requests = {} }) => ['cpu', 'memory'].some(name => limits[name] !== undefined || requests[name] !== undefined))
  if (!asks) return 'BestEffort'
  const guaranteed = resources.every(({ limits = {}, requests = {} }) => ['cpu', 'memory'].every(name => limits[name] !== undefined && limits[name] === (requests[name] ?? limits[name])))
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
      defaultMode: 420,
    },
  }
}

function addTokenVolume(pod: PodSpec, random: () => number): void {
  const containers = [...(pod.containers ?? []), ...(pod.initContainers ?? [])]
  const without = containers.filter(container => !container.volumeMounts?.some(mount => mount.mountPath === TOKEN_PATH))
  if (pod.automountServiceAccountToken === false || without.length === 0) return
  const suffix = Array.from({ length: 5 }, () => SUFFIX_LETTERS[Math.floor(random() * SUFFIX_LETTERS.length)]).join('')
  const name = `kube-api-access-${suffix}`
  pod.volumes = [...(pod.volumes ?? []), tokenVolume(name)]
  for (const container of without) container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: TOKEN_PATH }]
}

function addTolerations(pod: PodSpec): void {
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerated = pod.tolerations?.some(toleration => (toleration.key === key || !toleration.key) && (!toleration.effect || toleration.effect === 'NoExecute'))
    if (tolerated !== true) pod.tolerations = [...(pod.tolerations ?? []), { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }]
  }
}

/** The spec with everything taken out that may change: what is left must stay. */
function fixedPart(pod: PodSpec, old: PodSpec): string {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, terminationGracePeriodSeconds: _grace, schedulingGates: _gates, ...fixed } = pod
  const withoutImage = (container: object): object => ({ ...container, image: '' })
  // Binding a pod to a node is an update here; a real cluster has a subresource for it.
  const nodeName = old.nodeName ? pod.nodeName : undefined
  return canonical({ ...fixed, nodeName, containers: pod.containers?.map(withoutImage), initContainers: pod.initContainers?.map(withoutImage) })
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  )
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes = [...validateMetadata(object, old, true, dns1123Subdomain), ...validatePodSpec(spec(object), 'spec')]
  if (old !== undefined && fixedPart(spec(object), spec(old)) !== fixedPart(spec(old), spec(old))) {
    causes.push(
      forbidden(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ),
    )
  }
  return causes
}

/** `random` picks the suffix of the token volume's name. */
export function createPodKind(random: () => number): Kind {
  return {
    group: '', version: 'v1', kind: 'Pod', resource: 'pods', singular: 'pod', shortNames: ['po'], categories: ['all'],
    namespaced: true, subresources: ['status'], schemaName: 'io.k8s.api.core.v1.Pod', generation: true,
    gracePeriod(object, requested) {
      const finished = ['Failed', 'Succeeded'].includes(status(object).phase ?? '')
      if (!spec(object).nodeName || finished) return 0
      return requested ?? spec(object).terminationGracePeriodSeconds ?? DEFAULT_GRACE
    },
    defaults(draft) {
      draft['spec'] ??= {}
      draft['status'] ??= {}
      defaultPodSpec(spec(draft))
      spec(draft).enableServiceLinks ??= true
      const { podIP } = status(draft)
      if (podIP) status(draft).podIPs ??= [{ ip: podIP }]
    },
    prepareForCreate(draft) {
      const pod = spec(draft)
      pod.serviceAccountName ||= 'default'
      pod.serviceAccount = pod.serviceAccountName
      addTokenVolume(pod, random)
      addTolerations(pod)
      pod.priority ??= 0
      pod.preemptionPolicy ??= 'PreemptLowerPriority'
      draft['status'] = { phase: 'Pending', qosClass: qosClass(pod) }
    },
    validate,
    columns: [
      NAME,
      column('Ready', 'The aggregate readiness state of this pod for accepting traffic.'),
      column('Status', 'The aggregate status of the containers in this pod.'),
      column('Restarts', 'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.'),
      AGE,
      column('IP', describe('core.v1.PodStatus', 'podIP'), { priority: 1 }),
      column('Node', describe('core.v1.PodSpec', 'nodeName'), { priority: 1 }),
      column('Nominated Node', describe('core.v1.PodStatus', 'nominatedNodeName'), { priority: 1 }),
      column('Readiness Gates', describe('core.v1.PodSpec', 'readinessGates'), { priority: 1 }),
    ],
    row: podRow,
    fields: {
      'spec.nodeName': object => spec(object).nodeName ?? '',
      'spec.restartPolicy': object => spec(object).restartPolicy ?? '',
      'spec.schedulerName': object => spec(object).schedulerName ?? '',
      'spec.serviceAccountName': object => spec(object).serviceAccountName ?? '',
      'spec.hostNetwork': object => String(spec(object).hostNetwork ?? false),
      'status.phase': object => status(object).phase ?? '',
      'status.podIP': object => status(object).podIPs?.[0]?.ip ?? status(object).podIP ?? '',
      'status.podIPs': object => status(object).podIPs?.[0]?.ip ?? status(object).podIP ?? '',
      'status.nominatedNodeName': object => status(object).nominatedNodeName ?? '',
    },
  }
}
