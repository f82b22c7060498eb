// Structural sharing between two versions of an object, so that what did not change keeps its identity.

/**
 * `before` itself when `after` equals it, else `after` with every equal part replaced by the one of `before`.
 * Plain JSON-like data only. List elements are compared by position.
 */
export function reuse<T>(before: unknown, after: T): T
export function reuse(before: unknown, after: unknown): unknown {
  if (Object.is(before, after)) return before
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return after
  if (Array.isArray(after)) return Array.isArray(before) ? reuseList(before, after) : after
  return Array.isArray(before) ? after : reuseRecord(before as Fields, after as Fields)
}

type Fields = Record<string, unknown>

function reuseList(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  const merged = after.map((item, index) => reuse(before[index], item))
  const same = merged.length === before.length && merged.every((item, index) => Object.is(item, before[index]))
  return same ? before : merged
}

function reuseRecord(before: Fields, after: Fields): Fields {
  let same = Object.keys(before).length === Object.keys(after).length
  const merged: Fields = {}
  for (const key of Object.keys(after)) {
    const value = reuse(before[key], after[key])
    if (!Object.is(value, before[key]) || !Object.hasOwn(before, key)) same = false
    merged[key] = value
  }
  return same ? before : merged
}
