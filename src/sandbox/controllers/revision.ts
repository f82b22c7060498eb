// Revision numbers and the annotations that a Deployment's ReplicaSets carry. Pure.
import { annotationNumber, DESIRED_REPLICAS, fenceposts, MAX_REPLICAS, replicasOf, REVISION } from './rollout.ts'
import type { Deployment, ReplicaSet } from './object-shapes.ts'

const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
const NOT_COPIED = new Set(['kubectl.kubernetes.io/last-applied-configuration', REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, 'deprecated.deployment.rollback.to'])
const LONGEST_HISTORY = 2000

export function revisionOf(set: ReplicaSet): number {
  return annotationNumber(set, REVISION) ?? 0
}

export function newestRevision(sets: readonly ReplicaSet[]): number {
  return Math.max(0, ...sets.map(revisionOf))
}

/** A set's annotations: the Deployment's own (change-cause and the like) and the numbers that sizing needs. */
export function annotationsOf(deployment: Deployment, current: Readonly<Record<string, string>>, revision: number): Record<string, string> {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !NOT_COPIED.has(name))
  const before = current[REVISION]
  const history = current[REVISION_HISTORY]
  const next: Record<string, string> = {
    ...current,
    ...Object.fromEntries(copied),
    [DESIRED_REPLICAS]: String(replicasOf(deployment)),
    [MAX_REPLICAS]: String(replicasOf(deployment) + fenceposts(deployment).surge),
    [REVISION]: String(revision),
  }
  if (before !== undefined && before !== String(revision)) {
    const longer = history === undefined ? before : `${history},${before}`
    next[REVISION_HISTORY] = longer.slice(-LONGEST_HISTORY)
  }
  return next
}
