// ReplicaSet → Pods: as many active pods as spec.replicas says, and the status that counts them.
import { copyJson, equalJson } from '../api-server/json-value.ts'
import type { OwnerReference } from '../api-server/kind.ts'
import { keyOfObject, messageOf, namespaceOf, runController, splitKey, type ControllerContext, type Running } from './controller.ts'
import { matchesLabels, matchesSelector } from './label-selector.ts'
import { controllerOf, controllerReference, isControlledBy } from './owner.ts'
import { podsToDelete } from './pod-rank.ts'
import { availableIn, isActive, isFinished, isReady, isTerminating } from './pod-state.ts'
import type { Pod, ReplicaSet } from './object-shapes.ts'

const NAME = 'replicaset-controller'
/** Pods made or deleted in one turn of the event loop: requests are answered in between, and a mistaken `--replicas=1000` can be taken back. */
const BURST = 50
/** The sandbox is one process: more pods than this are refused with an event. */
export const MOST_REPLICAS = 1000

export function runReplicaSetController(context: ControllerContext): Running {
  const { registry, events, clock } = context

  const reconcile = (key: string, later: (ms: number) => void): void => {
    const { namespace, name } = splitKey(key)
    const set = registry.get('replicasets', namespace, name) as ReplicaSet | undefined
    if (!set) return
    let pods = claimPods(set)
    if (set.metadata.deletionTimestamp === undefined) {
      scale(set, pods.filter(isActive), later)
      pods = claimPods(set)
    }
    writeStatus(set, pods, later)
  }

  /** The set's pods; takes orphans in that match its selector, lets go of those that match no more. */
  const claimPods = (set: ReplicaSet): readonly Pod[] => {
    const pods: Pod[] = []
    for (const object of registry.list('pods', namespaceOf(set))) {
      const pod = object as Pod
      const matches = matchesSelector(set.spec.selector, pod.metadata.labels)
      const mine = isControlledBy(pod, set)
      if (mine && (matches || isTerminating(pod))) pods.push(pod)
      else if (mine) writeOwners(pod, (pod.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== set.metadata.uid))
      else if (matches && isActive(pod) && controllerOf(pod) === undefined && set.metadata.deletionTimestamp === undefined) {
        pods.push(writeOwners(pod, [...(pod.metadata.ownerReferences ?? []), controllerReference(set)]))
      }
    }
    return pods
  }

  const writeOwners = (pod: Pod, ownerReferences: OwnerReference[]): Pod => {
    const changed = copyJson(pod)
    changed.metadata.ownerReferences = ownerReferences
    return registry.update('pods', changed, { fieldManager: 'kube-controller-manager' }) as Pod
  }

  const scale = (set: ReplicaSet, active: readonly Pod[], later: (ms: number) => void): void => {
    const wanted = Math.min(set.spec.replicas ?? 1, MOST_REPLICAS)
    if ((set.spec.replicas ?? 1) > MOST_REPLICAS) {
      events.record(set, NAME, 'Warning', 'FailedCreate', `The sandbox runs at most ${MOST_REPLICAS} pods of one ReplicaSet`)
    }
    const missing = wanted - active.length
    for (let made = 0; made < Math.min(missing, BURST); made++) createPod(set)
    for (const pod of podsToDelete(active, Math.min(Math.max(0, -missing), BURST))) {
      registry.delete('pods', namespaceOf(pod), pod.metadata.name, { preconditions: { uid: pod.metadata.uid } })
      events.record(set, NAME, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
    }
    if (Math.abs(missing) > BURST) later(0)
  }

  const createPod = (set: ReplicaSet): void => {
    const { template } = set.spec
    try {
      const pod = registry.create('pods', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          generateName: `${set.metadata.name.slice(0, 57)}-`,
          namespace: namespaceOf(set),
          ...(template.metadata?.labels && { labels: { ...template.metadata.labels } }),
          ...(template.metadata?.annotations && { annotations: { ...template.metadata.annotations } }),
          ownerReferences: [controllerReference(set)],
        },
        spec: copyJson(template.spec),
      }, { fieldManager: 'kube-controller-manager' })
      events.record(set, NAME, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    } catch (error) {
      if (isTerminatingNamespace(context, namespaceOf(set))) return
      events.record(set, NAME, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
      throw error
    }
  }

  const writeStatus = (set: ReplicaSet, pods: readonly Pod[], later: (ms: number) => void): void => {
    const now = clock.now()
    const minReady = set.spec.minReadySeconds ?? 0
    const active = pods.filter(isActive)
    const waits = active.map((pod) => availableIn(pod, minReady, now)).filter((wait) => wait !== undefined)
    const soonest = Math.min(...waits.filter((wait) => wait > 0))
    if (Number.isFinite(soonest)) later(soonest)
    const templateLabels = set.spec.template.metadata?.labels ?? {}
    const counts = {
      fullyLabeledReplicas: active.filter((pod) => matchesLabels(templateLabels, pod.metadata.labels)).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: waits.filter((wait) => wait === 0).length,
    }
    const status = {
      replicas: active.length,
      ...nonZero(counts),
      terminatingReplicas: pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length,
      observedGeneration: set.metadata.generation ?? 0,
      ...(set.status?.conditions && { conditions: set.status.conditions }),
    }
    if (equalJson(status, { ...set.status })) return
    const stored = registry.get('replicasets', namespaceOf(set), set.metadata.name)
    if (stored?.metadata.uid !== set.metadata.uid) return
    registry.update('replicasets', { ...stored, status }, { subresource: 'status', fieldManager: 'kube-controller-manager' })
  }

  return runController(context, {
    name: NAME,
    sources: [
      { resource: 'replicasets', keys: (object) => [keyOfObject(object)] },
      { resource: 'pods', keys: (object) => setsOf(context, object as Pod) },
    ],
    reconcile,
  })
}

function setsOf({ registry }: ControllerContext, pod: Pod): readonly string[] {
  const owner = controllerOf(pod)
  if (owner) return owner.kind === 'ReplicaSet' ? [`${namespaceOf(pod)}/${owner.name}`] : []
  return registry.list('replicasets', namespaceOf(pod))
    .filter((set) => matchesSelector((set as ReplicaSet).spec.selector, pod.metadata.labels))
    .map(keyOfObject)
}

function isTerminatingNamespace({ registry }: ControllerContext, namespace: string): boolean {
  const found = registry.get('namespaces', '', namespace)
  return found === undefined || found.metadata.deletionTimestamp !== undefined
}

/** Counts of zero are left out, as the field's `omitempty` does. */
export function nonZero<Counts extends Record<string, number>>(counts: Counts): Partial<Counts> {
  const kept: Partial<Counts> = {}
  for (const name in counts) if (counts[name] !== 0) kept[name] = counts[name]
  return kept
}

