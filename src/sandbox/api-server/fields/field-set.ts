// Sets of field paths as FieldsV1 writes them: `f:name`, `k:{"port":80}`, `v:"x"`, `.` for the path itself. Pure; knows no object.
// Semantics follow sigs.k8s.io/structured-merge-diff fieldpath.Set.
import { isJsonObject } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'

export interface FieldSet {
  /** Whether the path itself is in the set. */
  readonly member: boolean
  readonly children: ReadonlyMap<string, FieldSet>
}

export const emptySet: FieldSet = { member: false, children: new Map() }
export const leafSet: FieldSet = { member: true, children: new Map() }

export function isEmptySet(set: FieldSet): boolean {
  return !set.member && set.children.size === 0
}

function combine(a: FieldSet, b: FieldSet, member: boolean, keys: Iterable<string>, op: (a: FieldSet, b: FieldSet) => FieldSet): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const key of keys) {
    const child = op(a.children.get(key) ?? emptySet, b.children.get(key) ?? emptySet)
    if (!isEmptySet(child)) children.set(key, child)
  }
  return { member, children }
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b
  if (isEmptySet(b)) return a
  return combine(a, b, a.member || b.member, new Set([...a.children.keys(), ...b.children.keys()]), union)
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, a.member && b.member, a.children.keys(), intersection)
}

export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a
  return combine(a, b, a.member && !b.member, a.children.keys(), difference)
}

/** Like difference, and what is below a path of `b` goes too. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (b.member) return emptySet
  return combine(a, b, a.member, a.children.keys(), recursiveDifference)
}

/** The members without any member below them. */
export function leaves(set: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const [key, child] of set.children) {
    const inner = leaves(child)
    if (!isEmptySet(inner)) children.set(key, inner)
  }
  return { member: set.member && children.size === 0, children }
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a.member !== b.member || a.children.size !== b.children.size) return false
  for (const [key, child] of a.children) {
    const other = b.children.get(key)
    if (other === undefined || !equalSets(child, other)) return false
  }
  return true
}

/** Every path of the set in order, as elements (`f:spec`, `k:{…}`). */
export function* paths(set: FieldSet, at: readonly string[] = []): Generator<readonly string[]> {
  if (set.member && at.length > 0) yield at
  for (const key of [...set.children.keys()].toSorted()) yield* paths(set.children.get(key) ?? emptySet, [...at, key])
}

/** `.spec.ports[port=80,protocol="TCP"].name`, as conflict messages write a path. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('')
}

function elementText(element: string): string {
  const value = element.slice(2)
  if (element.startsWith('f:')) return `.${value}`
  if (element.startsWith('v:')) return `[=${value}]`
  if (element.startsWith('i:')) return `[${value}]`
  const key: unknown = JSON.parse(value)
  if (!isJsonObject(key)) return `[${value}]`
  return `[${Object.keys(key).toSorted().map((name) => `${name}=${JSON.stringify(key[name])}`).join(',')}]`
}

export function toFieldsV1(set: FieldSet): JsonObject {
  const fields: JsonObject = {}
  if (set.member && set.children.size > 0) fields['.'] = {}
  for (const key of [...set.children.keys()].toSorted()) fields[key] = toFieldsV1(set.children.get(key) ?? emptySet)
  return fields
}

/** Reads FieldsV1; anything that is not of its form counts as nothing. Depth is bounded: the text comes from clients. */
export function fromFieldsV1(fields: unknown, root = true, depth = 0): FieldSet {
  if (!isJsonObject(fields) || depth > 60) return emptySet
  const children = new Map<string, FieldSet>()
  for (const [key, value] of Object.entries(fields)) {
    if (/^[fkvi]:/.test(key) && !(key.startsWith('k:') && !isKeyText(key.slice(2)))) children.set(key, fromFieldsV1(value, false, depth + 1))
  }
  return { member: !root && (children.size === 0 || Object.hasOwn(fields, '.')), children }
}

function isKeyText(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text))
  } catch {
    return false
  }
}
