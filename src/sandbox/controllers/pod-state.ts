// What a pod's status says, as the controllers ask it.
import { findCondition } from './conditions.ts'
import type { Pod } from './object-shapes.ts'

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Counts towards the replicas of its owner. */
export function isActive(pod: Pod): boolean {
  return !isTerminating(pod) && !isFinished(pod)
}

export function isReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, 'Ready')?.status === 'True'
}

/** Milliseconds since the epoch of the Ready condition's last change; undefined where the pod is not ready. */
export function readySince(pod: Pod): number | undefined {
  const condition = findCondition(pod.status?.conditions, 'Ready')
  if (condition?.status !== 'True') return undefined
  const since = Date.parse(condition.lastTransitionTime ?? '')
  return Number.isNaN(since) ? 0 : since
}

/** Milliseconds until the pod has been ready for `minReadySeconds`: 0 when it is available, undefined when it is not ready. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const since = readySince(pod)
  if (since === undefined) return undefined
  return minReadySeconds === 0 ? 0 : Math.max(0, since + minReadySeconds * 1000 - now)
}
