// Request bodies: bytes to objects, field validation, the checks of identity between body and URL.
import { load } from 'js-yaml'
import { ApiError } from '../api-error.ts'
import { duplicateFields } from '../duplicate-fields.ts'
import { badRequest } from '../failures.ts'
import { isJsonObject, toKubeObject } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import type { Json, KubeObject } from '../kind.ts'
import { bodyType } from './negotiation.ts'
import type { ResourcePath } from './request-info.ts'
import type { Served } from './served-versions.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** What schemas say about a value: without unknown fields and nulls, and where the unknown ones were. */
export type DecodeObject = (value: unknown, schemaName: string) => { readonly object: KubeObject; readonly unknownFields: readonly string[] }

/** A protobuf envelope to the object that it carries. Throws ApiError. */
export type DecodeProtobuf = (bytes: Uint8Array) => KubeObject

export interface Decoders {
  readonly decodeObject: DecodeObject
  readonly decodeProtobuf: DecodeProtobuf
}

export interface Body {
  readonly bytes: Buffer
  readonly contentType: string | undefined
}

export function readFieldValidation(query: URLSearchParams): FieldValidation {
  const value = query.get('fieldValidation') ?? ''
  if (value === '') return 'Warn'
  if (value === 'Strict' || value === 'Warn' || value === 'Ignore') return value
  throw badRequest(`fieldValidation: Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`)
}

/** Nesting and values of one body. YAML aliases make many values of few bytes, and depth would exhaust the stack. */
const maxDepth = 100
const maxValues = 2_000_000

function isBounded(root: unknown): boolean {
  const open: { readonly value: object; readonly depth: number }[] = typeof root === 'object' && root !== null ? [{ value: root, depth: 1 }] : []
  let values = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.depth > maxDepth) return false
    for (const member of Object.values(next.value) as unknown[]) {
      values += 1
      if (values > maxValues) return false
      if (typeof member === 'object' && member !== null) open.push({ value: member, depth: next.depth + 1 })
    }
  }
  return true
}

/** JSON or YAML text of a body. Throws ApiError 400. */
export function parseText(text: string, type: 'json' | 'yaml'): Json {
  try {
    const value: unknown = type === 'json' ? JSON.parse(text) : load(text)
    if (!isBounded(value)) throw new Error('exceeded max depth')
    return (value ?? null) as Json
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : 'unreadable'
    throw badRequest(type === 'json' ? `couldn't get version/kind; json parse error: ${reason}` : `error converting YAML to JSON: ${reason}`)
  }
}

/** The body as plain data, and the duplicate members of its text. */
export function parseBody({ bytes, contentType }: Body, decoders: Decoders): { readonly value: Json; readonly duplicates: readonly string[] } {
  const type = bodyType(contentType)
  if (type === 'protobuf') return { value: decoders.decodeProtobuf(bytes) as JsonObject, duplicates: [] }
  const text = bytes.toString('utf8')
  const value = parseText(text, type)
  return { value, duplicates: type === 'json' ? duplicateFields(text) : [] }
}

/** An object for `served`, in the kind's own version. Adds to `warnings` what fieldValidation=Warn reports. Throws ApiError. */
export function decodeForKind(value: Json, duplicates: readonly string[], served: Served, validation: FieldValidation, decoders: Decoders, warnings: string[]): KubeObject {
  const { kind } = served.kind
  if (!isJsonObject(value)) throw badRequest(`${kind} in version "${served.version}" cannot be handled as a ${kind}: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`)
  if (value['apiVersion'] !== undefined && value['apiVersion'] !== served.apiVersion) {
    throw badRequest(`the API version in the data (${String(value['apiVersion'])}) does not match the expected API version (${served.apiVersion})`)
  }
  if (value['kind'] !== undefined && value['kind'] !== kind) {
    throw badRequest(`${String(value['kind'])} in version "${served.version}" cannot be handled as a ${kind}: converting (${String(value['kind'])}) to (${kind}): unknown conversion`)
  }
  const { object, unknownFields } = decoders.decodeObject({ ...value, apiVersion: served.apiVersion, kind }, served.schemaName)
  const mistakes = [...duplicates, ...unknownFields.map((field) => `unknown field "${field}"`)]
  if (mistakes.length > 0) {
    if (validation === 'Strict') throw badRequest(`${kind} in version "${served.version}" cannot be handled as a ${kind}: strict decoding error: ${mistakes.join(', ')}`)
    if (validation === 'Warn') warnings.push(...mistakes)
  }
  object.metadata ??= toKubeObject({ apiVersion: '', kind: '', metadata: {} }).metadata
  return served.legacy === undefined ? object : served.legacy.toCurrent(object)
}

/** Namespace and name of the body must be those of the URL where both are given; fills in the namespace. */
export function matchIdentity(object: KubeObject, path: ResourcePath): void {
  const { metadata } = object
  if (path.namespace !== undefined) {
    if (metadata.namespace && metadata.namespace !== path.namespace) {
      throw badRequest(path.name === undefined
        ? 'the namespace of the provided object does not match the namespace sent on the request'
        : `the namespace of the object (${metadata.namespace}) does not match the namespace on the URL (${path.namespace})`)
    }
    metadata.namespace = path.namespace
  }
  if (path.name !== undefined) {
    if (metadata.name && metadata.name !== path.name) throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${path.name})`)
    metadata.name = path.name
  }
}

/** dryRun parameter or option values: only `All` is known. */
export function readDryRun(values: readonly string[], options: string): boolean {
  for (const value of values) {
    if (value !== 'All') {
      throw new ApiError(422, 'Invalid', `${options}.meta.k8s.io "" is invalid: dryRun: Unsupported value: ${JSON.stringify(value)}: supported values: "All"`, {
        group: 'meta.k8s.io', kind: options, causes: [{ reason: 'FieldValueNotSupported', message: `Unsupported value: ${JSON.stringify(value)}: supported values: "All"`, field: 'dryRun' }],
      })
    }
  }
  return values.length > 0
}
