// Finding one's way through the schema table: references, members, list keys. Knows no kind.
import type { Json, Schema } from './kind.ts'

/** By schema name (`io.k8s.api.networking.v1.Ingress`). */
export type SchemaTable = Readonly<Record<string, Schema>>

const referencePrefix = '#/components/schemas/'

export interface SchemaWalk {
  /** The schema of a kind by its name in the table; `{}` (anything goes) when the table lacks it. */
  named(name: string): Schema
  /** Follows $ref; extensions written beside the reference win over the target's. */
  resolve(schema: Schema | undefined): Schema | undefined
  /** The schema of a member; undefined when the parent does not have it. */
  member(parent: Schema | undefined, name: string): Schema | undefined
  /** Name of the Go type that a schema stands for: `IngressSpec`. */
  typeName(schema: Schema | undefined): string
}

export function createSchemaWalk(table: SchemaTable): SchemaWalk {
  // Resolving is on the path of every write: each schema object is resolved once.
  const resolved = new WeakMap<Schema, Schema>()

  function resolve(schema: Schema | undefined): Schema | undefined {
    if (schema === undefined || schema.$ref === undefined) return schema
    const known = resolved.get(schema)
    if (known !== undefined) return known
    const name = schema.$ref.startsWith(referencePrefix) ? schema.$ref.slice(referencePrefix.length) : schema.$ref
    const { $ref: _, ...beside } = schema
    const target = { ...resolve(Object.hasOwn(table, name) ? table[name] : undefined), ...beside }
    resolved.set(schema, target)
    return target
  }

  return {
    named: (name) => (Object.hasOwn(table, name) ? table[name] : undefined) ?? {},
    resolve,
    member(parent, name) {
      const schema = resolve(parent)
      if (schema?.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name]
      return schema?.additionalProperties
    },
    typeName(schema) {
      const reference = schema?.$ref ?? ''
      return reference.slice(reference.lastIndexOf('.') + 1)
    },
  }
}

/** Whether a schema says nothing about the inside of its values (RawExtension, FieldsV1, int-or-string and the like). */
export function isOpaque(schema: Schema | undefined): boolean {
  return schema === undefined || (schema.properties === undefined && schema.additionalProperties === undefined && schema.items === undefined)
}

export function isStructDefault(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}
