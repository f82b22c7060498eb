// Memoisation by identity: a result is kept while every input is the same object as before.
import { reuse } from '../base/reuse.ts'

export interface Memory<T> {
  last: { readonly inputs: readonly unknown[]; readonly output: T } | undefined
}

export function emptyMemory<T>(): Memory<T> {
  return { last: undefined }
}

/** `compute` gets the last output, to keep from it what has not changed. */
export function remember<T>(memory: Memory<T>, inputs: readonly unknown[], compute: (before: T | undefined) => T): T {
  if (memory.last !== undefined && sameList(memory.last.inputs, inputs)) return memory.last.output
  const output = compute(memory.last?.output)
  memory.last = { inputs, output }
  return output
}

/** Element by element, by identity. */
export function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

/** `before` when both hold identical values under the same keys, else `after`. */
export function sameMap<T>(before: ReadonlyMap<string, T> | undefined, after: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  if (before === undefined || before.size !== after.size) return after
  for (const [key, value] of after) if (before.get(key) !== value) return after
  return before
}

/** As `after`, but each entry that equals the one of `before` is that one. */
export function reuseEntries<T>(before: ReadonlyMap<string, T> | undefined, after: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  if (before === undefined) return after
  const merged = new Map<string, T>()
  for (const [key, value] of after) merged.set(key, reuse(before.get(key), value))
  return sameMap(before, merged)
}
