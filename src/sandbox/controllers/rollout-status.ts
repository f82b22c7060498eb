// The status of a Deployment from its ReplicaSets: counts and the conditions that `kubectl rollout status` reads. Pure.
import { findCondition, withCondition } from './conditions.ts'
import { timestamp } from './controller.ts'
import { maxUnavailable, replicasOf, sumOfReplicas, sumOfStatus } from './rollout.ts'
import { nonZero } from './replicaset.ts'
import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from './object-shapes.ts'

export interface RolloutView {
  readonly deployment: Deployment
  readonly newest: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
  /** The newest set was made in this pass: a rollout begins. */
  readonly created: boolean
  readonly now: number
}

const LONGEST_DEADLINE_S = 2_147_483_647

export function rolloutStatus(view: RolloutView): DeploymentStatus {
  const { deployment, newest, old, now } = view
  const all = newest ? [newest, ...old] : old
  const available = sumOfStatus(all, 'availableReplicas')
  const counts = {
    replicas: sumOfStatus(all, 'replicas'),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: sumOfStatus(all, 'readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumOfReplicas(all) - available),
  }
  const { collisionCount, conditions: before = [] } = deployment.status ?? {}
  const enough = available >= replicasOf(deployment) - maxUnavailable(deployment)
  const conditions = withCondition(before, condition(now, 'Available', enough
    ? ['True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.']
    : ['False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.']))
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...nonZero(counts),
    terminatingReplicas: sumOfStatus(all, 'terminatingReplicas'),
    ...(collisionCount !== undefined && { collisionCount }),
    conditions,
  }
  return { ...status, conditions: withProgress(view, status) }
}

/** Milliseconds until the rollout has to be looked at again because its deadline passes; undefined when none runs. */
export function deadlineIn(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const progressing = findCondition(status.conditions, 'Progressing')
  const seconds = deployment.spec.progressDeadlineSeconds ?? 600
  if (!progressing || progressing.status !== 'True' || progressing.reason === 'NewReplicaSetAvailable' || seconds >= LONGEST_DEADLINE_S) return undefined
  return Math.max(0, Date.parse(progressing.lastUpdateTime ?? '') + seconds * 1000 - now) + 1
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment)
  return (status.updatedReplicas ?? 0) === wanted
    && (status.replicas ?? 0) === wanted
    && (status.availableReplicas ?? 0) === wanted
    && (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
}

function withProgress({ deployment, newest, created, now }: RolloutView, status: DeploymentStatus): Condition[] {
  const conditions = status.conditions ?? []
  const current = findCondition(conditions, 'Progressing')
  const what = newest ? `ReplicaSet "${newest.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  if (deployment.spec.paused) {
    return current?.reason === 'DeploymentPaused' ? conditions : withCondition(conditions, condition(now, 'Progressing', ['Unknown', 'DeploymentPaused', 'Deployment is paused']))
  }
  if (current?.reason === 'DeploymentPaused') {
    return withCondition(conditions, condition(now, 'Progressing', ['Unknown', 'DeploymentResumed', 'Deployment is resumed']))
  }
  if (newest && (created || !current)) {
    return withCondition(conditions, condition(now, 'Progressing', ['True', 'NewReplicaSetCreated', `Created new replica set "${newest.metadata.name}"`]))
  }
  // A finished rollout stays finished: scaling it afterwards is no new one.
  if ((status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable') return conditions
  if (isComplete(deployment, status)) {
    return withCondition(conditions, condition(now, 'Progressing', ['True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`]))
  }
  if (hasProgressed(deployment, status)) {
    const next = condition(now, 'Progressing', ['True', 'ReplicaSetUpdated', `${what} is progressing.`])
    if (current?.status === 'True' && current.lastTransitionTime !== undefined) next.lastTransitionTime = current.lastTransitionTime
    return [...conditions.filter(({ type }) => type !== 'Progressing'), next]
  }
  if (current && deadlineIn(deployment, status, now) === 1) {
    return withCondition(conditions, condition(now, 'Progressing', ['False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`]))
  }
  return conditions
}

function hasProgressed(deployment: Deployment, next: DeploymentStatus): boolean {
  const before = deployment.status ?? {}
  const outdated = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (next.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0)
    || outdated(next) < outdated(before)
    || (next.readyReplicas ?? 0) > (before.readyReplicas ?? 0)
    || (next.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
}

export function condition(now: number, type: string, [status, reason, message]: readonly [Condition['status'], string, string]): Condition {
  const time = timestamp(now)
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message }
}
