// Objects seen through their schema: which fields they set, what changed between two of them, merging an applied
// configuration into a live object and taking fields out of it. Follows sigs.k8s.io/structured-merge-diff typed.
import { copyJson, equalJson, isJsonObject, setMember } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import type { Json, Schema } from '../kind.ts'
import { isStructDefault } from '../schema-walk.ts'
import type { SchemaWalk } from '../schema-walk.ts'
import { emptySet, isEmptySet, leafSet } from './field-set.ts'
import type { FieldSet } from './field-set.ts'

export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

export interface TypedFields {
  /** The fields that an applied configuration names. */
  fieldsOf(value: JsonObject, schema: Schema): FieldSet
  compare(before: JsonObject, after: JsonObject, schema: Schema): Comparison
  /** The live object with the applied configuration merged in. */
  merge(live: JsonObject, applied: JsonObject, schema: Schema): JsonObject
  /** The object without the paths of the set. */
  without(value: JsonObject, set: FieldSet, schema: Schema): JsonObject
  /** What an object of this schema has when nothing is set: structs that are no pointers. */
  emptyObject(schema: Schema): JsonObject
}

/** A list whose items have an identity: element text of an item (`k:{"port":80}`, `v:"x"`). */
type ItemKey = (item: Json) => string

export function createTypedFields(walk: SchemaWalk): TypedFields {
  function itemKey(schema: Schema | undefined): ItemKey | undefined {
    const list = schema?.['x-kubernetes-list-type']
    if (list === 'set') return (item) => `v:${JSON.stringify(item)}`
    if (list !== 'map') return undefined
    const names = [...(schema?.['x-kubernetes-list-map-keys'] ?? [])].toSorted()
    const itemSchema = walk.resolve(schema?.items)
    return (item) => {
      const key: JsonObject = {}
      for (const name of names) {
        const value = (isJsonObject(item) ? item[name] : undefined) ?? walk.resolve(itemSchema?.properties?.[name])?.default
        if (value !== undefined) key[name] = value
      }
      return `k:${JSON.stringify(key)}`
    }
  }

  function isAtomic(schema: Schema | undefined, value: Json | undefined): boolean {
    if (Array.isArray(value)) return itemKey(schema) === undefined
    if (isJsonObject(value)) {
      if (schema?.['x-kubernetes-map-type'] === 'atomic') return true
      return schema !== undefined && schema.properties === undefined && schema.additionalProperties === undefined && schema.type !== undefined && schema.type !== 'object'
    }
    return true
  }

  function fieldsOf(value: Json, schema: Schema | undefined): FieldSet {
    const resolved = walk.resolve(schema)
    if (isAtomic(resolved, value)) return leafSet
    const children = new Map<string, FieldSet>()
    if (Array.isArray(value)) {
      const key = itemKey(resolved)
      for (const item of value) {
        const element = key?.(item) ?? ''
        const inner = fieldsOf(item, resolved?.items)
        children.set(element, { member: true, children: inner.children })
      }
      return { member: children.size === 0, children }
    }
    if (isJsonObject(value)) {
      for (const [name, member] of Object.entries(value)) {
        const inner = fieldsOf(member, walk.member(resolved, name))
        children.set(`f:${name}`, inner)
      }
    }
    return { member: children.size === 0, children }
  }

  /** One walk over both sides; `undefined` stands for a missing value. Follows compareWalker of structured-merge-diff. */
  function compareAt(before: Json | undefined, after: Json | undefined, schema: Schema | undefined): Comparison {
    const resolved = walk.resolve(schema)
    const present = after ?? before
    const isEmpty = (value: Json | undefined): boolean => value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
    const differentForms = before !== undefined && before !== null && after !== undefined && after !== null && Array.isArray(before) !== Array.isArray(after)
    if (differentForms || isAtomic(resolved, present ?? undefined) || (isEmpty(before) && isEmpty(after))) return leaf(before, after)
    const key = itemKey(resolved)
    const left = members(before, key)
    const right = members(after, key)
    const result = { added: new Map<string, FieldSet>(), modified: new Map<string, FieldSet>(), removed: new Map<string, FieldSet>() }
    for (const element of new Set([...left.keys(), ...right.keys()])) {
      if (before !== undefined && isZeroField(resolved, element, left.get(element), right.get(element))) continue
      const absent = structField(resolved, element)
      const child = compareAt(left.get(element) ?? (before === undefined ? undefined : absent), right.get(element) ?? (after === undefined ? undefined : absent), Array.isArray(present) ? resolved?.items : walk.member(resolved, element.slice(2)))
      if (!isEmptySet(child.added)) result.added.set(element, child.added)
      if (!isEmptySet(child.modified)) result.modified.set(element, child.modified)
      if (!isEmptySet(child.removed)) result.removed.set(element, child.removed)
    }
    return {
      added: { member: before === undefined, children: result.added },
      modified: { member: false, children: result.modified },
      removed: { member: after === undefined, children: result.removed },
    }
  }

  /** Go writes null and '' for fields that are not optional, in the empty object too: they come and go with nobody's doing. */
  function isZeroField(parent: Schema | undefined, element: string, before: Json | undefined, after: Json | undefined): boolean {
    const name = element.slice(2)
    const isZero = (value: Json | undefined): boolean => value === undefined || value === null || value === ''
    return element.startsWith('f:') && parent?.properties !== undefined && Object.hasOwn(parent.properties, name) && isZero(before) && isZero(after)
  }

  /** `{}` for a field that Go keeps as a struct: an object that has its parent has it too. */
  function structField(parent: Schema | undefined, element: string): Json | undefined {
    const name = element.slice(2)
    if (!element.startsWith('f:') || parent?.properties === undefined || !Object.hasOwn(parent.properties, name)) return undefined
    const schema = parent.properties[name]
    return isStructDefault(schema?.default) && walk.resolve(schema)?.properties !== undefined ? {} : undefined
  }

  function leaf(before: Json | undefined, after: Json | undefined): Comparison {
    if (before === undefined) return { added: leafSet, modified: emptySet, removed: emptySet }
    if (after === undefined) return { added: emptySet, modified: emptySet, removed: leafSet }
    return { added: emptySet, modified: equalJson(before, after) ? emptySet : leafSet, removed: emptySet }
  }

  function members(value: Json | undefined, key: ItemKey | undefined): Map<string, Json> {
    if (Array.isArray(value)) return new Map(value.map((item) => [key?.(item) ?? '', item]))
    if (isJsonObject(value)) return new Map(Object.entries(value).map(([name, member]) => [`f:${name}`, member]))
    return new Map()
  }

  function mergeAt(live: Json | undefined, applied: Json, schema: Schema | undefined): Json {
    const resolved = walk.resolve(schema)
    if (live === undefined || live === null || isAtomic(resolved, applied)) return copyJson(applied)
    if (Array.isArray(applied) && Array.isArray(live)) {
      const key = itemKey(resolved)
      if (key === undefined) return copyJson(applied)
      return mergeLists(live, applied, key, (old, next) => mergeAt(old, next, resolved?.items))
    }
    if (isJsonObject(applied) && isJsonObject(live)) {
      const merged = copyJson(live)
      for (const [name, value] of Object.entries(applied)) setMember(merged, name, mergeAt(Object.hasOwn(live, name) ? live[name] : undefined, value, walk.member(resolved, name)))
      return merged
    }
    return copyJson(applied)
  }

  function withoutAt(value: Json, set: FieldSet, schema: Schema | undefined): Json {
    const resolved = walk.resolve(schema)
    if (Array.isArray(value)) {
      const key = itemKey(resolved)
      if (key === undefined) return value
      return value.flatMap((item) => {
        const inner = set.children.get(key(item))
        if (inner === undefined) return [item]
        return inner.member ? [] : [withoutAt(item, inner, resolved?.items)]
      })
    }
    if (!isJsonObject(value)) return value
    const kept: JsonObject = {}
    for (const [name, member] of Object.entries(value)) {
      const inner = set.children.get(`f:${name}`)
      if (inner === undefined) setMember(kept, name, member)
      else if (!inner.member) setMember(kept, name, withoutAt(member, inner, walk.member(resolved, name)))
    }
    return kept
  }

  function emptyAt(schema: Schema | undefined, depth: number): JsonObject {
    const resolved = walk.resolve(schema)
    const object: JsonObject = {}
    if (depth > 12) return object
    for (const [name, member] of Object.entries(resolved?.properties ?? {})) {
      const inner = walk.resolve(member)
      if (inner?.type === 'array' && resolved?.required?.includes(name)) object[name] = []
      else if (inner?.properties !== undefined && isStructDefault(member.default)) object[name] = emptyAt(member, depth + 1)
    }
    return object
  }

  const objectOf = (value: Json): JsonObject => (isJsonObject(value) ? value : {})
  return {
    fieldsOf: (value, schema) => ({ ...fieldsOf(value, schema), member: false }),
    compare(before, after, schema) {
      const { added, modified, removed } = compareAt(before, after, schema)
      return { added: { ...added, member: false }, modified, removed: { ...removed, member: false } }
    },
    merge: (live, applied, schema) => objectOf(mergeAt(live, applied, schema)),
    without: (value, set, schema) => objectOf(withoutAt(value, set, schema)),
    emptyObject: (schema) => emptyAt(schema, 0),
  }
}

/** The applied items in their order, live-only items kept where they stand relative to the items around them. */
function mergeLists(live: readonly Json[], applied: readonly Json[], key: ItemKey, mergeItem: (live: Json, applied: Json) => Json): Json[] {
  const pending = new Map(applied.map((item) => [key(item), item]))
  const liveItems = new Map(live.map((item) => [key(item), item]))
  const order = applied.map(key)
  const merged: Json[] = []
  const done = new Set<string>()
  let next = 0
  const takeAppliedThrough = (element: string | undefined): void => {
    while (next < order.length) {
      const current = order[next++] ?? ''
      const item = pending.get(current)
      if (item !== undefined && !done.has(current)) {
        const old = liveItems.get(current)
        merged.push(old === undefined ? copyJson(item) : mergeItem(old, item))
        done.add(current)
      }
      if (current === element) return
    }
  }
  for (const item of live) {
    const element = key(item)
    if (!pending.has(element)) merged.push(copyJson(item))
    else if (!done.has(element)) takeAppliedThrough(element)
  }
  takeAppliedThrough(undefined)
  return merged
}

