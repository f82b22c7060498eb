// Checks a request's object against its schema as the Go decoder of a real API server does: wrong types are an error,
// unknown fields a list, nulls are as if they were not there.
import { ApiError } from '../api-error.ts'
import type { KubeObject, Schema } from '../kind.ts'
import { canonicalQuantity } from './quantity.ts'
import { resolve, schemaOf } from './table.ts'

export interface Decoded {
  /** A copy without nulls and unknown fields. */
  readonly object: KubeObject
  /** Paths of the fields that the schema does not have: `spec.rules[0].hots`; in the order of the names at each level. */
  readonly unknownFields: readonly string[]
}

/** Of values that no schema describes. Where one does it has an end: no type contains itself. */
const DEEPEST = 64
/** More unknown fields than this are not worth listing. */
const MOST_UNKNOWN = 200

class Mismatch extends Error {}

interface Position {
  /** With indices, for unknown fields: `spec.rules[0]`. */
  readonly path: string
  /** Without, as Go prints it: `spec.rules`. */
  readonly goPath: string
  /** Name of the Go struct that the field belongs to. */
  readonly struct: string
}

/** `value` is parsed JSON or YAML. Throws ApiError 400 in the words of the real server. */
export function decodeObject(value: unknown, schemaName: string): Decoded {
  const kind = schemaName.slice(schemaName.lastIndexOf('.') + 1)
  const version = schemaName.split('.').at(-2) ?? ''
  const unknownFields: string[] = []
  const schema = schemaOf(schemaName)

  function decode(value: unknown, schema: Schema, at: Position): unknown {
    const resolved = resolve(schema)
    if (resolved.properties !== undefined) return decodeStruct(value, resolved, structName(schema) ?? at.struct, goType(schema), at)
    if (resolved.type === 'array') return decodeList(value, resolved, at)
    if (resolved.additionalProperties !== undefined) return decodeMap(value, resolved.additionalProperties, schema, at)
    if (resolved.type === 'object') return isRecord(value) ? copyFreeForm(value, 0) : fail(value, 'map[string]interface {}', at)
    return decodeScalar(value, resolved, at)
  }

  function decodeStruct(value: unknown, schema: Schema, struct: string, type: string, at: Position): unknown {
    if (!isRecord(value)) return fail(value, type, at)
    const object: Record<string, unknown> = {}
    for (const name of Object.keys(value).sort()) {
      const member = value[name]
      const property = schema.properties !== undefined && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
      const path = at.path === '' ? name : `${at.path}.${name}`
      if (property === undefined) {
        if (unknownFields.length < MOST_UNKNOWN) unknownFields.push(path)
      } else if (member !== null && member !== undefined) {
        object[name] = decode(member, property, { path, goPath: at.goPath === '' ? name : `${at.goPath}.${name}`, struct })
      }
    }
    return object
  }

  function decodeList(value: unknown, schema: Schema, at: Position): unknown {
    if (!Array.isArray(value)) return fail(value, goType(schema), at)
    const items = schema.items ?? {}
    return value.map((item: unknown, index) => {
      const zero = resolve(items).properties === undefined ? '' : {}
      return decode(item ?? zero, items, { ...at, path: `${at.path}[${index}]` })
    })
  }

  function decodeMap(value: unknown, values: Schema, schema: Schema, at: Position): unknown {
    if (!isRecord(value)) return fail(value, goType(schema), at)
    const object: Record<string, unknown> = {}
    for (const [name, member] of Object.entries(value)) {
      // Go gives a null in a map its zero value.
      const decoded = decode(member ?? '', values, { ...at, path: `${at.path}.${name}` })
      Object.defineProperty(object, name, { value: decoded, enumerable: true, writable: true, configurable: true })
    }
    return object
  }

  try {
    const object = decode(value, schema, { path: '', goPath: '', struct: kind }) as KubeObject
    return { object, unknownFields }
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    throw new ApiError(400, 'BadRequest', `${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Values that no schema describes: managed fields. */
function copyFreeForm(value: unknown, depth: number): unknown {
  if (depth > DEEPEST) throw new Mismatch('exceeded max depth')
  if (Array.isArray(value)) return value.map((item: unknown) => copyFreeForm(item, depth + 1))
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyFreeForm(member, depth + 1)])) : value
}

/** `IngressSpec` of a reference to it. */
function structName(schema: Schema): string | undefined {
  return schema.$ref?.split('.').at(-1)
}

function decodeScalar(value: unknown, schema: Schema, at: Position): unknown {
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value === 'string' || isInteger(value, 'int32')) return value
    return fail(value, typeof value === 'number' ? 'int32' : 'string', at)
  }
  switch (schema.type) {
    case 'boolean':
      return typeof value === 'boolean' ? value : fail(value, 'bool', at)
    case 'integer':
      return isInteger(value, schema.format) ? value : fail(value, schema.format ?? 'int64', at)
    case 'number':
      return typeof value === 'number' ? value : fail(value, 'float64', at)
    default:
      return decodeText(value, schema.format, at)
  }
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function decodeText(value: unknown, format: string | undefined, at: Position): unknown {
  if (format === 'quantity') {
    const quantity = typeof value === 'number' || typeof value === 'string' ? canonicalQuantity(String(value)) : undefined
    if (quantity !== undefined) return quantity
    if (typeof value === 'string') throw new Mismatch(`quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`)
  }
  if (typeof value !== 'string') return fail(value, format === 'byte' ? '[]uint8' : 'string', at)
  if (format === 'byte') {
    const compact = value.replaceAll(/[\r\n]/g, '')
    if (!BASE64.test(compact)) throw new Mismatch(`illegal base64 data at input byte ${illegalByte(compact)}`)
    return compact
  }
  if (format === 'date-time' || format === 'micro-time') {
    const time = TIME.test(value) ? new Date(value) : undefined
    if (time === undefined || Number.isNaN(time.getTime())) throw new Mismatch(`parsing time ${JSON.stringify(JSON.stringify(value))} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)}`)
    if (format === 'date-time') return time.toISOString().replace(/\.\d+Z$/, 'Z')
    const fraction = (/\.(\d+)/.exec(value)?.[1] ?? '').slice(0, 6).padEnd(6, '0')
    return time.toISOString().replace(/\.\d+Z$/, `.${fraction}Z`)
  }
  return value
}

function illegalByte(text: string): number {
  const bad = /[^A-Za-z0-9+/=]/.exec(text)
  if (bad !== null) return bad.index
  const padding = text.indexOf('=')
  return padding === -1 ? Math.floor(text.length / 4) * 4 : padding
}

function isInteger(value: unknown, format: string | undefined): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false
  return format === 'int32' ? value >= -2_147_483_648 && value <= 2_147_483_647 : Math.abs(value) <= 2 ** 63
}

function goType(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('.').slice(-2).join('.')
  if (schema.type === 'array') return `[]${goType(schema.items ?? {})}`
  if (schema.additionalProperties !== undefined) return `map[string]${goType(schema.additionalProperties)}`
  if (schema.format === 'byte') return '[]uint8'
  if (schema.type === 'integer') return schema.format ?? 'int64'
  if (schema.type === 'boolean') return 'bool'
  return schema.type === 'number' ? 'float64' : 'string'
}

function fail(value: unknown, type: string, at: Position): never {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value === 'number' && type.startsWith('int') ? `number ${value}` : typeof value
  const where = at.goPath === '' ? 'value' : `struct field ${at.struct}.${at.goPath}`
  throw new Mismatch(`json: cannot unmarshal ${found} into Go ${where} of type ${type}`)
}
