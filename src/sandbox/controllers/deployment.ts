// Deployment → ReplicaSets: one set a pod template, sized by the rollout's arithmetic, numbered by revision.
import { copyJson, equalJson } from '../api-server/json-value.ts'
import { isApiError, keyOfObject, namespaceOf, runController, splitKey, type ControllerContext, type Running } from './controller.ts'
import { isEmptySelector, matchesSelector } from './label-selector.ts'
import { controllerOf, controllerReference, isControlledBy } from './owner.ts'
import { isSameTemplate, podTemplateHash, withHash, HASH_LABEL } from './pod-template-hash.ts'
import { isActive } from './pod-state.ts'
import { annotationsOf, newestRevision, revisionOf } from './revision.ts'
import { deadlineIn, isComplete, rolloutStatus } from './rollout-status.ts'
import { isRolling, isScalingEvent, newSetReplicas, olderFirst, proportionalScale, replicasOf, REVISION, shrinkOldSets, type Resize } from './rollout.ts'
import type { Deployment, Pod, PodTemplate, ReplicaSet } from './object-shapes.ts'

const NAME = 'deployment-controller'
const MANAGER = { fieldManager: 'kube-controller-manager' } as const

interface Sets {
  readonly newest: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
}

export function runDeploymentController(context: ControllerContext): Running {
  const { registry, events, clock } = context

  const reconcile = (key: string, later: (ms: number) => void): void => {
    const { namespace, name } = splitKey(key)
    const deployment = registry.get('deployments', namespace, name) as Deployment | undefined
    if (!deployment) return
    if (isEmptySelector(deployment.spec.selector)) {
      events.record(deployment, NAME, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
      return
    }
    let created = false
    if (deployment.metadata.deletionTimestamp === undefined) created = progress(deployment)
    const { newest, old } = setsOf(deployment)
    const now = clock.now()
    const status = rolloutStatus({ deployment, newest, old, created, now })
    const deadline = deadlineIn(deployment, status, now)
    if (deadline !== undefined) later(deadline)
    writeStatus(deployment, newest, status)
    if (isComplete(deployment, status)) forgetOldRevisions(deployment, old)
  }

  /** One step; each change of a set brings the key back. Answers whether a set was made. */
  const progress = (deployment: Deployment): boolean => {
    const sets = setsOf(deployment)
    const all = sets.newest ? [sets.newest, ...sets.old] : sets.old
    if (deployment.spec.paused || isScalingEvent(deployment, all)) {
      const sizes = proportionalScale(deployment, sets.newest, sets.old)
      // The others keep their size but learn the new total, or this would be a scaling event for ever.
      const same = all.filter((set) => replicasOf(set) > 0 && !sizes.some((size) => size.set === set)).map((set) => ({ set, replicas: replicasOf(set) }))
      resize(deployment, [...sizes, ...same])
      return false
    }
    if (!isRolling(deployment) && stopOld(deployment, sets.old)) return false
    const made = sets.newest === undefined
    const newest = sets.newest ? renewAnnotations(deployment, sets.newest, sets.old) : createSet(deployment, all)
    if (!newest) return false
    const replicas = newSetReplicas(deployment, made ? [newest, ...all] : all, newest)
    const wanted = replicasOf(newest) > replicasOf(deployment) ? replicasOf(deployment) : replicas
    if (wanted !== replicasOf(newest)) resize(deployment, [{ set: newest, replicas: wanted }])
    else if (isRolling(deployment)) resize(deployment, shrinkOldSets(deployment, newest, sets.old))
    return made
  }

  const setsOf = (deployment: Deployment): Sets => {
    const own: ReplicaSet[] = []
    for (const object of registry.list('replicasets', namespaceOf(deployment))) {
      const set = object as ReplicaSet
      if (isControlledBy(set, deployment)) own.push(set)
      else if (controllerOf(set) === undefined && deployment.metadata.deletionTimestamp === undefined && set.metadata.deletionTimestamp === undefined
        && matchesSelector(deployment.spec.selector, set.metadata.labels)) {
        const adopted = copyJson(set)
        adopted.metadata.ownerReferences = [...(set.metadata.ownerReferences ?? []), controllerReference(deployment)]
        own.push(registry.update('replicasets', adopted, MANAGER) as ReplicaSet)
      }
    }
    // Should two sets have the template, the oldest is it, so that everyone agrees.
    const newest = own.toSorted(olderFirst).find((set) => isSameTemplate(set.spec.template, deployment.spec.template))
    return { newest, old: own.filter((set) => set !== newest) }
  }

  /** Recreate: all old pods must be gone before the first new one. */
  const stopOld = (deployment: Deployment, old: readonly ReplicaSet[]): boolean => {
    const active = old.filter((set) => replicasOf(set) > 0)
    resize(deployment, active.map((set) => ({ set, replicas: 0 })))
    if (active.length > 0) return true
    const uids = new Set(old.map((set) => set.metadata.uid))
    return registry.list('pods', namespaceOf(deployment)).some((pod) => uids.has(controllerOf(pod)?.uid ?? '') && (isActive(pod as Pod) || pod.metadata.deletionTimestamp !== undefined))
  }

  const createSet = (deployment: Deployment, others: readonly ReplicaSet[]): ReplicaSet | undefined => {
    const hash = podTemplateHash(deployment.spec.template, deployment.status?.collisionCount ?? 0)
    const template: PodTemplate = withHash(copyJson(deployment.spec.template), hash)
    const replicas = newSetReplicas(deployment, others, undefined)
    const name = `${deployment.metadata.name}-${hash}`
    try {
      const set = registry.create('replicasets', {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: {
          name,
          namespace: namespaceOf(deployment),
          labels: { ...template.metadata?.labels },
          annotations: annotationsOf(deployment, {}, newestRevision(others) + 1),
          ownerReferences: [controllerReference(deployment)],
        },
        spec: {
          replicas,
          ...(deployment.spec.minReadySeconds && { minReadySeconds: deployment.spec.minReadySeconds }),
          selector: { ...copyJson(deployment.spec.selector), matchLabels: { ...deployment.spec.selector.matchLabels, [HASH_LABEL]: hash } },
          template,
        },
      }, MANAGER) as ReplicaSet
      if (replicas > 0) events.record(deployment, NAME, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`)
      return set
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) {
        if (registry.get('namespaces', '', namespaceOf(deployment))?.metadata.deletionTimestamp !== undefined) return undefined
        throw error
      }
      // Another object has the name: the next hash is tried, as the status remembers.
      registry.patch('deployments', namespaceOf(deployment), deployment.metadata.name, { status: { collisionCount: (deployment.status?.collisionCount ?? 0) + 1 } }, { ...MANAGER, subresource: 'status' })
      return undefined
    }
  }

  /** A set that becomes the newest again (rollback) takes the next revision number. */
  const renewAnnotations = (deployment: Deployment, set: ReplicaSet, old: readonly ReplicaSet[]): ReplicaSet => {
    const annotations = annotationsOf(deployment, set.metadata.annotations ?? {}, Math.max(revisionOf(set), newestRevision(old) + 1))
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0
    if (equalJson(annotations, set.metadata.annotations) && (set.spec.minReadySeconds ?? 0) === minReadySeconds) return set
    const changed = copyJson(set)
    changed.metadata.annotations = annotations
    if (minReadySeconds > 0) changed.spec.minReadySeconds = minReadySeconds
    else delete changed.spec.minReadySeconds
    return registry.update('replicasets', changed, MANAGER) as ReplicaSet
  }

  const resize = (deployment: Deployment, sizes: readonly Resize[]): void => {
    for (const { set, replicas } of sizes) {
      const stored = registry.get('replicasets', namespaceOf(set), set.metadata.name) as ReplicaSet | undefined
      if (!stored) continue
      const changed = copyJson(stored)
      changed.spec.replicas = replicas
      changed.metadata.annotations = annotationsOf(deployment, stored.metadata.annotations ?? {}, revisionOf(stored))
      if (equalJson(changed, stored)) continue
      registry.update('replicasets', changed, MANAGER)
      if (replicas === replicasOf(stored)) continue
      const direction = replicas > replicasOf(stored) ? 'up' : 'down'
      events.record(deployment, NAME, 'Normal', 'ScalingReplicaSet', `Scaled ${direction} replica set ${set.metadata.name} from ${replicasOf(stored)} to ${replicas}`)
    }
  }

  const writeStatus = (deployment: Deployment, newest: ReplicaSet | undefined, status: Deployment['status']): void => {
    const stored = registry.get('deployments', namespaceOf(deployment), deployment.metadata.name)
    if (stored?.metadata.uid !== deployment.metadata.uid) return
    const revision = newest?.metadata.annotations?.[REVISION]
    const sameRevision = revision === undefined || stored.metadata.annotations?.[REVISION] === revision
    if (sameRevision && equalJson(status, { ...deployment.status })) return
    const changed = { ...stored, status, metadata: { ...stored.metadata } }
    if (revision !== undefined) changed.metadata.annotations = { ...changed.metadata.annotations, [REVISION]: revision }
    registry.update('deployments', changed, { ...MANAGER, subresource: 'status' })
  }

  const forgetOldRevisions = (deployment: Deployment, old: readonly ReplicaSet[]): void => {
    const surplus = old.length - (deployment.spec.revisionHistoryLimit ?? 10)
    for (const set of old.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, surplus))) {
      if (replicasOf(set) !== 0 || (set.status?.replicas ?? 0) !== 0 || set.metadata.deletionTimestamp !== undefined) continue
      registry.delete('replicasets', namespaceOf(set), set.metadata.name)
    }
  }

  return runController(context, {
    name: NAME,
    sources: [
      { resource: 'deployments', keys: (object) => [keyOfObject(object)] },
      { resource: 'replicasets', keys: (object) => deploymentsOf(context, object as ReplicaSet) },
      { resource: 'pods', keys: (object, type) => (type === 'DELETED' ? recreating(context, object as Pod) : []) },
    ],
    reconcile,
  })
}

function deploymentsOf({ registry }: ControllerContext, set: ReplicaSet): readonly string[] {
  const owner = controllerOf(set)
  if (owner) return owner.kind === 'Deployment' ? [`${namespaceOf(set)}/${owner.name}`] : []
  return registry.list('deployments', namespaceOf(set))
    .filter((deployment) => matchesSelector((deployment as Deployment).spec.selector, set.metadata.labels))
    .map(keyOfObject)
}

/** A Recreate rollout waits for the last old pod. */
function recreating(context: ControllerContext, pod: Pod): readonly string[] {
  const owner = controllerOf(pod)
  const set = owner?.kind === 'ReplicaSet' ? context.registry.get('replicasets', namespaceOf(pod), owner.name) : undefined
  return set ? deploymentsOf(context, set as ReplicaSet) : []
}
