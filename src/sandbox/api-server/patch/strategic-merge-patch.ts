// Strategic merge patch: merge keys and strategies come from the schema; directives $patch, $setElementOrder/x,
// $retainKeys and $deleteFromPrimitiveList/x as k8s.io/apimachinery strategicpatch defines them.
import { copyJson, equalJson, isJsonObject, setMember } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import type { Json, Schema } from '../kind.ts'
import type { SchemaWalk } from '../schema-walk.ts'

const orderPrefix = '$setElementOrder/'
const deletePrefix = '$deleteFromPrimitiveList/'

/** The patch breaks the rules of strategic merge (a list item without its merge key, an unknown directive). */
export class StrategicMergeError extends Error {}

export function applyStrategicMergePatch(document: JsonObject, patch: JsonObject, schema: Schema, walk: SchemaWalk): JsonObject {
  function mergeObject(original: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
    const directive = patch['$patch']
    if (directive === 'replace') return withoutDirectives(patch)
    if (directive === 'delete') return {}
    if (directive !== undefined && directive !== 'merge') throw new StrategicMergeError(`Unknown patch type found: ${String(directive)}`)
    const merged = copyJson(original)
    const retain = patch['$retainKeys']
    if (Array.isArray(retain)) for (const name of Object.keys(merged)) if (!retain.includes(name)) delete merged[name]
    for (const [name, value] of Object.entries(patch)) {
      if (name.startsWith(deletePrefix)) {
        const field = name.slice(deletePrefix.length)
        const list = merged[field]
        if (Array.isArray(list) && Array.isArray(value)) merged[field] = list.filter((item) => !value.some((gone) => equalJson(item, gone)))
      }
    }
    for (const [name, value] of Object.entries(patch)) {
      if (name === '$patch' || name === '$retainKeys' || name.startsWith(deletePrefix) || name.startsWith(orderPrefix)) continue
      const member = walk.resolve(walk.member(schema, name))
      const before = Object.hasOwn(merged, name) ? merged[name] : undefined
      const strategy = member?.['x-kubernetes-patch-strategy'] ?? ''
      if (value === null) delete merged[name]
      else if (isJsonObject(value) && !strategy.split(',').includes('replace')) {
        const inner = mergeObject(isJsonObject(before) ? before : {}, value, member)
        if (value['$patch'] === 'delete') delete merged[name]
        else setMember(merged, name, inner)
      } else if (Array.isArray(value) && strategy.split(',').includes('merge')) {
        setMember(merged, name, mergeList(Array.isArray(before) ? before : [], value, member))
      } else setMember(merged, name, copyJson(value))
    }
    for (const [name, value] of Object.entries(patch)) {
      if (!name.startsWith(orderPrefix) || !Array.isArray(value)) continue
      const field = name.slice(orderPrefix.length)
      const list = merged[field]
      if (!Array.isArray(list)) continue
      const member = walk.resolve(walk.member(schema, field))
      const before = Object.hasOwn(original, field) ? original[field] : undefined
      merged[field] = sortItems(list, value, Array.isArray(before) ? before : [], member?.['x-kubernetes-patch-merge-key'])
    }
    return merged
  }

  function mergeList(original: readonly Json[], patch: readonly Json[], schema: Schema | undefined): Json[] {
    const mergeKey = schema?.['x-kubernetes-patch-merge-key']
    if (patch.some((item) => isJsonObject(item) && item['$patch'] === 'replace')) {
      return patch.filter((item) => !isJsonObject(item) || item['$patch'] === undefined).map((item) => copyJson(item))
    }
    if (mergeKey === undefined) {
      const merged = [...original]
      for (const item of patch) if (!merged.some((known) => equalJson(known, item))) merged.push(copyJson(item))
      return sortItems(merged, patch, original, undefined)
    }
    let merged = original.map((item) => copyJson(item))
    for (const item of patch) {
      if (!isJsonObject(item)) throw new StrategicMergeError(`expected an object with the merge key ${mergeKey}`)
      const key = item[mergeKey]
      if (key === undefined) throw new StrategicMergeError(`map: map${goMap(item)} does not contain declared merge key: ${mergeKey}`)
      const matches = (known: Json): boolean => isJsonObject(known) && equalJson(known[mergeKey], key)
      if (item['$patch'] === 'delete') {
        merged = merged.filter((known) => !matches(known))
        continue
      }
      const at = merged.findIndex(matches)
      const known = merged[at]
      if (isJsonObject(known)) merged[at] = mergeObject(known, item, walk.resolve(schema?.items))
      else merged.push(mergeObject({}, item, walk.resolve(schema?.items)))
    }
    return sortItems(merged, patch, original, mergeKey)
  }

  return mergeObject(document, patch, schema)
}

/** Items that the patch orders come in that order; items it does not name keep their place after their old neighbour. */
function sortItems(items: readonly Json[], order: readonly Json[], before: readonly Json[], mergeKey: string | undefined): Json[] {
  const identity = (item: Json): Json => (mergeKey !== undefined && isJsonObject(item) ? (item[mergeKey] ?? null) : item)
  const rank = (item: Json): number => order.findIndex((entry) => equalJson(identity(entry), identity(item)))
  const oldRank = (item: Json): number => before.findIndex((entry) => equalJson(identity(entry), identity(item)))
  const named = items.filter((item) => rank(item) >= 0).toSorted((a, b) => rank(a) - rank(b))
  const serverOnly = items.filter((item) => rank(item) < 0)
  const sorted: Json[] = []
  // mergeSortedSlice of strategicpatch: a server-only item goes before the next ordered item that the live list has after it.
  while (named.length > 0 || serverOnly.length > 0) {
    const [first, other] = [named[0], serverOnly[0]]
    const takeOther = other !== undefined && (first === undefined || (oldRank(first) >= 0 && oldRank(other) >= 0 && oldRank(other) < oldRank(first)))
    const taken = takeOther ? serverOnly.shift() : named.shift()
    if (taken !== undefined) sorted.push(taken)
  }
  return sorted
}

function withoutDirectives(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(copyJson(value)).filter(([name]) => !name.startsWith('$')))
}


function goMap(item: JsonObject): string {
  return `[${Object.keys(item).toSorted().map((name) => `${name}:${typeof item[name] === 'object' ? JSON.stringify(item[name]) : String(item[name])}`).join(' ')}]`
}
