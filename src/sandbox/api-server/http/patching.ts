// PATCH: the four patch types over a live object, with the error answers of each.
import { ApiError } from '../api-error.ts'
import type { ApiRegistry } from '../api-registry.ts'
import { badRequest } from '../failures.ts'
import { isJsonObject, toJson, toKubeObject } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import type { Json, KubeObject, Schema } from '../kind.ts'
import { applyJsonPatch, JsonPatchError } from '../patch/json-patch.ts'
import { applyMergePatch } from '../patch/merge-patch.ts'
import { applyStrategicMergePatch, StrategicMergeError } from '../patch/strategic-merge-patch.ts'
import { duplicateFields } from '../duplicate-fields.ts'
import { parseText } from './bodies.ts'
import type { Body, Decoders, FieldValidation } from './bodies.ts'
import type { PatchType } from './negotiation.ts'
import { present } from './served-versions.ts'
import type { Served } from './served-versions.ts'

export interface Patch {
  readonly type: Exclude<PatchType, 'apply'>
  readonly value: Json
  readonly duplicates: readonly string[]
}

export function readPatch(type: Exclude<PatchType, 'apply'>, { bytes }: Body): Patch {
  const text = bytes.toString('utf8')
  const value = parseText(text, 'json')
  if (type !== 'json' && !isJsonObject(value)) throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}')
  return { type, value, duplicates: duplicateFields(text) }
}

/** The document after the patch. Throws ApiError as the API server does for each patch type. */
export function applyPatch(document: JsonObject, { type, value }: Patch, schema: Schema, registry: ApiRegistry): Json {
  try {
    switch (type) {
      case 'json': return applyJsonPatch(document, value)
      case 'merge': return applyMergePatch(document, value)
      case 'strategic': return applyStrategicMergePatch(document, isJsonObject(value) ? value : {}, schema, registry.schemas)
    }
  } catch (error) {
    if (error instanceof JsonPatchError && error.kind === 'inapplicable') {
      throw new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
    }
    if (error instanceof JsonPatchError || error instanceof StrategicMergeError) throw badRequest(error.message)
    throw error
  }
}

/** A patched object of `served`, checked against its schema, in the kind's own version. */
export function patchObject(live: KubeObject, patch: Patch, served: Served, registry: ApiRegistry, decoders: Decoders, validation: FieldValidation, warnings: string[]): KubeObject {
  const patched = applyPatch(toJson(present(served, live)), patch, registry.schemas.named(served.schemaName), registry)
  if (!isJsonObject(patched)) throw badRequest('the patch does not leave an object')
  let decoded: ReturnType<Decoders['decodeObject']>
  try {
    decoded = decoders.decodeObject({ ...patched, apiVersion: served.apiVersion, kind: served.kind.kind }, served.schemaName)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    // The object can't be decoded at all: the patch is to blame, without the words that a whole object would get.
    throw invalidPatch(patch, patched, error.message.replace(/^.*? cannot be handled as an? \w+: /, ''))
  }
  const mistakes = [...patch.duplicates, ...decoded.unknownFields.map((field) => `unknown field "${field}"`)]
  if (mistakes.length > 0 && validation === 'Strict') throw invalidPatch(patch, patched, `strict decoding error: ${mistakes.join(', ')}`)
  if (validation === 'Warn') warnings.push(...mistakes)
  const object = decoded.object
  object.metadata ??= toKubeObject({ metadata: {} }).metadata
  return served.legacy === undefined ? object : served.legacy.toCurrent(object)
}

function invalidPatch({ type, value }: Patch, patched: JsonObject, problem: string): ApiError {
  const shown = type === 'strategic' ? JSON.stringify(goText(value)) : JSON.stringify(JSON.stringify(patched))
  const message = `Invalid value: ${shown}: ${problem}`
  return new ApiError(422, 'Invalid', ` "" is invalid: patch: ${message}`, { causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }] })
}

/** A value as Go prints it with %+v: `map[spec:map[replicas:x]]`. */
export function goText(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isJsonObject(value)) return String(value)
  return `map[${Object.keys(value).toSorted().map((name) => `${name}:${goText(value[name] ?? null)}`).join(' ')}]`
}
