// The compact form in which the generated type table is kept, and its meaning as a Schema.
import type { Schema } from '../kind.ts'
import { ATOMIC_TYPES, FIELD_RULES, OBJECT_STRUCTS, STRUCT_FIELDS } from './rules.ts'
import { METADATA_DESCRIPTION, STRUCT_DESCRIPTIONS } from './struct-descriptions.ts'

export interface CompactType {
  readonly description: string
  /** Field to [type, description]. `[]` and `{}` before a type make a list and a map of it, `!` after it a required field. */
  readonly fields: Readonly<Record<string, readonly string[]>>
}

const PRIMITIVES: Readonly<Record<string, Schema>> = {
  'string': { type: 'string' },
  'byte': { type: 'string', format: 'byte' },
  'boolean': { type: 'boolean' },
  'int32': { type: 'integer', format: 'int32' },
  'int64': { type: 'integer', format: 'int64' },
  'double': { type: 'number', format: 'double' },
  'date-time': { type: 'string', format: 'date-time' },
  'micro-time': { type: 'string', format: 'micro-time' },
  'quantity': { type: 'string', format: 'quantity' },
  'int-or-string': { 'format': 'int-or-string', 'x-kubernetes-int-or-string': true },
  'object': { type: 'object' },
}

const PREFIX = '#/components/schemas/'
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const API = 'io.k8s.api.'

/** `networking.v1.Ingress` to `io.k8s.api.networking.v1.Ingress`. */
export function fullName(name: string): string {
  return name.startsWith('meta.v1.') ? META + name.slice('meta.v1.'.length) : API + name
}

export function reference(name: string): string {
  return PREFIX + name
}

export function referenceName(reference: string): string {
  return reference.slice(PREFIX.length)
}

function typeSchema(type: string): Schema {
  if (type.startsWith('[]')) return { type: 'array', items: typeSchema(type.slice(2)) }
  if (type.startsWith('{}')) return { type: 'object', additionalProperties: typeSchema(type.slice(2)) }
  return PRIMITIVES[type] ?? { $ref: reference(fullName(type)) }
}

/** Empty where there is none. */
export function descriptionOf(name: string, type: CompactType, field: string): string {
  return type.fields[field]?.[1] ?? STRUCT_DESCRIPTIONS[name]?.[field] ?? (type.fields[field]?.[0] === 'meta.v1.ObjectMeta' ? METADATA_DESCRIPTION : '')
}

/** `name` is the short one, by which the rules are kept. */
export function expand(name: string, type: CompactType): Schema {
  const properties: Record<string, Schema> = {}
  const required: string[] = []
  const rules = FIELD_RULES[name]
  const structs = STRUCT_FIELDS[name] ?? (type.fields['metadata'] === undefined ? [] : OBJECT_STRUCTS)
  for (const [field, [typed = '']] of Object.entries(type.fields)) {
    const description = descriptionOf(name, type, field)
    const must = typed.endsWith('!')
    if (must) required.push(field)
    properties[field] = { ...typeSchema(must ? typed.slice(0, -1) : typed), ...(description !== '' && { description }), ...(structs.includes(field) && { default: {} }), ...rules?.[field] }
  }
  return {
    type: 'object',
    description: type.description,
    properties,
    ...(required.length > 0 && { required }),
    ...(ATOMIC_TYPES.has(name) && { 'x-kubernetes-map-type': 'atomic' }),
  }
}
