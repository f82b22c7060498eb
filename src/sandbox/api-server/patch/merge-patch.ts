// RFC 7386 JSON merge patch.
import { copyJson, isJsonObject, setMember } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import type { Json } from '../kind.ts'

export function applyMergePatch(document: Json, patch: Json): Json {
  if (!isJsonObject(patch)) return copyJson(patch)
  const merged: JsonObject = isJsonObject(document) ? copyJson(document) : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else setMember(merged, name, applyMergePatch(Object.hasOwn(merged, name) ? (merged[name] ?? null) : null, value))
  }
  return merged
}
