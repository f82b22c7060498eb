// Status conditions: a list keyed by type, whose transition time moves only with the status.
import type { Condition } from './object-shapes.ts'

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/**
 * The list with `next` in it. An equal one (status and reason) stays as it is; otherwise it moves to the end, as the
 * deployment controller does, and keeps its transition time if its status is the same.
 */
export function withCondition(conditions: readonly Condition[], next: Condition): Condition[] {
  const current = findCondition(conditions, next.type)
  if (current && current.status === next.status && current.reason === next.reason) return [...conditions]
  const moved = { ...next }
  if (current?.status === next.status && current.lastTransitionTime !== undefined) moved.lastTransitionTime = current.lastTransitionTime
  return [...conditions.filter((condition) => condition.type !== next.type), moved]
}
