// How many replicas each ReplicaSet of a Deployment should have next. Pure; the arithmetic of kube-controller-manager
// (pkg/controller/deployment/{rolling,sync}.go and util).
import type { Deployment, ReplicaSet } from './object-shapes.ts'

export const REVISION = 'deployment.kubernetes.io/revision'
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'

export interface Resize {
  readonly set: ReplicaSet
  readonly replicas: number
}

export function replicasOf(object: Deployment | ReplicaSet): number {
  return object.spec.replicas ?? 1
}

export function sumOfReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0)
}

export function sumOfStatus(sets: readonly ReplicaSet[], field: 'replicas' | 'readyReplicas' | 'availableReplicas' | 'terminatingReplicas'): number {
  return sets.reduce((sum, set) => sum + (set.status?.[field] ?? 0), 0)
}

export function isRolling(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== 'Recreate'
}

/** Resolved numbers; when both come to 0, one may be unavailable (else nothing could ever move). */
export function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 }
  const rolling = deployment.spec.strategy?.rollingUpdate
  const surge = scaled(rolling?.maxSurge ?? '25%', replicasOf(deployment), Math.ceil)
  const unavailable = scaled(rolling?.maxUnavailable ?? '25%', replicasOf(deployment), Math.floor)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

export function maxUnavailable(deployment: Deployment): number {
  return Math.min(fenceposts(deployment).unavailable, replicasOf(deployment))
}

/** What the newest ReplicaSet may have now without breaking maxSurge. */
export function newSetReplicas(deployment: Deployment, all: readonly ReplicaSet[], newest: ReplicaSet | undefined): number {
  const wanted = replicasOf(deployment)
  if (!isRolling(deployment)) return wanted
  const current = newest ? replicasOf(newest) : 0
  const room = wanted + fenceposts(deployment).surge - sumOfReplicas(all)
  return room <= 0 ? current : current + Math.min(room, Math.max(0, wanted - current))
}

/** Unhealthy old pods go first, then as many healthy ones as minAvailable allows. */
export function shrinkOldSets(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): readonly Resize[] {
  const all = [newest, ...old]
  if (sumOfReplicas(old) === 0) return []
  const minAvailable = replicasOf(deployment) - maxUnavailable(deployment)
  const newUnavailable = replicasOf(newest) - (newest.status?.availableReplicas ?? 0)
  const most = sumOfReplicas(all) - minAvailable - newUnavailable
  if (most <= 0) return []
  const replicas = new Map(old.map((set) => [set, replicasOf(set)]))
  const byAge = old.toSorted(olderFirst)
  let removed = 0
  for (const set of byAge) {
    const unhealthy = replicasOf(set) - (set.status?.availableReplicas ?? 0)
    const count = Math.max(0, Math.min(most - removed, unhealthy))
    replicas.set(set, replicasOf(set) - count)
    removed += count
  }
  let spare = sumOfStatus(all, 'availableReplicas') - minAvailable
  for (const set of byAge) {
    const left = replicas.get(set) ?? 0
    const count = Math.max(0, Math.min(left, spare))
    replicas.set(set, left - count)
    spare -= count
  }
  return byAge.map((set) => ({ set, replicas: replicas.get(set) ?? 0 })).filter(({ set, replicas: next }) => next !== replicasOf(set))
}

/** After `kubectl scale`: the one active set takes all; in the middle of a rollout each takes its share. */
export function proportionalScale(deployment: Deployment, newest: ReplicaSet | undefined, old: readonly ReplicaSet[]): readonly Resize[] {
  const all = newest ? [newest, ...old] : old
  const active = all.filter((set) => replicasOf(set) > 0)
  const only = active.length > 1 ? undefined : active[0] ?? newest ?? old.toSorted(olderFirst).at(-1)
  if (active.length <= 1) return only && replicasOf(only) !== replicasOf(deployment) ? [{ set: only, replicas: replicasOf(deployment) }] : []
  if (newest && isSaturated(deployment, newest)) return old.filter((set) => replicasOf(set) > 0).map((set) => ({ set, replicas: 0 }))
  if (!isRolling(deployment)) return []
  const wanted = replicasOf(deployment)
  const allowed = wanted > 0 ? wanted + fenceposts(deployment).surge : 0
  const toAdd = allowed - sumOfReplicas(active)
  const ordered = active.toSorted((a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? olderFirst(b, a) : olderFirst(a, b)))
  let added = 0
  const sizes = ordered.map((set) => {
    const share = toAdd === 0 ? 0 : clampShare(fraction(deployment, set, allowed), toAdd - added)
    added += share
    return { set, replicas: Math.max(0, replicasOf(set) + share) }
  })
  return sizes
    .map((size, index) => (index === 0 ? { ...size, replicas: Math.max(0, size.replicas + toAdd - added) } : size))
    .filter(({ set, replicas }) => replicas !== replicasOf(set))
}

/** Whether `kubectl scale` changed the Deployment since its sets were last sized. */
export function isScalingEvent(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const desired = annotationNumber(set, DESIRED_REPLICAS)
    return replicasOf(set) > 0 && desired !== undefined && desired !== replicasOf(deployment)
  })
}

export function annotationNumber(object: ReplicaSet, name: string): number | undefined {
  const written = object.metadata.annotations?.[name]
  return written !== undefined && /^\d{1,9}$/.test(written) ? Number(written) : undefined
}

export function olderFirst(a: ReplicaSet, b: ReplicaSet): number {
  return a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) || a.metadata.name.localeCompare(b.metadata.name)
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  return replicasOf(set) === replicasOf(deployment)
    && annotationNumber(set, DESIRED_REPLICAS) === replicasOf(deployment)
    && (set.status?.availableReplicas ?? 0) === replicasOf(deployment)
}

function fraction(deployment: Deployment, set: ReplicaSet, allowed: number): number {
  if (replicasOf(deployment) === 0) return -replicasOf(set)
  const before = annotationNumber(set, MAX_REPLICAS) ?? deployment.status?.replicas ?? 0
  return before === 0 ? 0 : Math.round((replicasOf(set) * allowed) / before) - replicasOf(set)
}

function clampShare(share: number, room: number): number {
  return room > 0 ? Math.min(share, room) : Math.max(share, room)
}

function scaled(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  const percent = /^(\d{1,9})%$/.exec(value)?.[1]
  return percent === undefined ? 0 : round((Number(percent) * total) / 100)
}
