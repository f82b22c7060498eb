// The schemas of all types that the API server knows, by their OpenAPI name.
import type { Schema } from '../kind.ts'
import { descriptionOf, expand, fullName, referenceName } from './compact.ts'
import type { CompactType } from './compact.ts'
import { RBAC_TYPES } from '../rbac/rbac-types.ts'
import { LEGACY_INGRESS_TYPES } from './legacy-ingress.ts'
import generated from './types.json' with { type: 'json' }

const TYPES: Readonly<Record<string, CompactType>> = { ...generated, ...LEGACY_INGRESS_TYPES, ...RBAC_TYPES }

/** Every type by its OpenAPI name: `io.k8s.api.networking.v1.Ingress` and the like. */
export const SCHEMAS: Readonly<Record<string, Schema>> = Object.fromEntries(Object.entries(TYPES).map(([name, type]) => [fullName(name), expand(name, type)]))

/** The schema of a type by its OpenAPI name. A name that is not in the table is a mistake in the program and throws. */
export function schemaOf(name: string): Schema {
  const schema = SCHEMAS[name]
  if (schema === undefined) throw new Error(`no schema ${name}`)
  return schema
}

/** What a schema refers to, or itself. Siblings of `$ref` (description, merge rules) stay with the referring schema. */
export function resolve(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : schemaOf(referenceName(schema.$ref))
}

/** Description of a field of a type, both by their short names: `describe('core.v1.ServiceSpec', 'type')`. */
export function describe(type: string, field: string): string {
  const known = TYPES[type]
  return known === undefined ? '' : descriptionOf(type, known, field)
}
