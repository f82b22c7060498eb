// Which pods a ReplicaSet gives up first when it shrinks (the order of kube-controller-manager's ActivePodsWithRanks).
import { isReady, readySince } from './pod-state.ts'
import type { Pod } from './object-shapes.ts'

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/** Negative when `a` goes before `b`. */
function compareForDeletion(a: Pod, b: Pod): number {
  return assigned(a) - assigned(b)
    || phase(a) - phase(b)
    || Number(isReady(a)) - Number(isReady(b))
    || deletionCost(a) - deletionCost(b)
    || (readySince(b) ?? 0) - (readySince(a) ?? 0)
    || restarts(b) - restarts(a)
    || b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp)
    || Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion)
    || a.metadata.name.localeCompare(b.metadata.name)
}

/** The `count` pods to delete. */
export function podsToDelete(pods: readonly Pod[], count: number): readonly Pod[] {
  return pods.toSorted(compareForDeletion).slice(0, count)
}

function assigned(pod: Pod): number {
  return pod.spec.nodeName ? 1 : 0
}

function phase(pod: Pod): number {
  return PHASES[pod.status?.phase ?? 'Pending'] ?? 1
}

function deletionCost(pod: Pod): number {
  const written = pod.metadata.annotations?.[DELETION_COST] ?? '0'
  return /^-?\d{1,10}$/.test(written) ? Number(written) : 0
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount ?? 0))
}
