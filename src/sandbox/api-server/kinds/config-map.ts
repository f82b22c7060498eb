// ConfigMap: keys and size are all that is checked.
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { forbidden, invalid, invalids, tooLong } from './cause.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateMetadata } from './metadata.ts'
import { configKey, dns1123Subdomain } from './names.ts'
import { describe } from '../schemas/table.ts'

const MOST_BYTES = 1024 * 1024

interface ConfigMapParts {
  data?: Record<string, string>
  binaryData?: Record<string, string>
  immutable?: boolean
}

function parts(object: KubeObject): ConfigMapParts {
  return object as ConfigMapParts & KubeObject
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes = validateMetadata(object, old, true, dns1123Subdomain)
  const { data = {}, binaryData = {} } = parts(object)
  let bytes = 0
  for (const [key, value] of Object.entries(data)) {
    causes.push(...invalids(`data[${key}]`, key, configKey(key)))
    if (Object.hasOwn(binaryData, key)) causes.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    bytes += Buffer.byteLength(value)
  }
  for (const [key, value] of Object.entries(binaryData)) {
    causes.push(...invalids(`binaryData[${key}]`, key, configKey(key)))
    bytes += Buffer.byteLength(value, 'base64')
  }
  if (bytes > MOST_BYTES) causes.push(tooLong('', MOST_BYTES))
  if (old !== undefined) causes.push(...validateImmutable(parts(object), parts(old), ['data', 'binaryData']))
  return causes
}

/** What `immutable: true` forbids, for ConfigMaps and Secrets. */
export function validateImmutable<T extends { immutable?: boolean }>(object: T, old: T, fields: readonly (keyof T & string)[]): Cause[] {
  if (old.immutable !== true) return []
  const text = 'field is immutable when `immutable` is set'
  const causes = object.immutable === true ? [] : [forbidden('immutable', text)]
  for (const field of fields) {
    if (canonical(object[field]) !== canonical(old[field])) causes.push(forbidden(field, text))
  }
  return causes
}

function canonical(map: unknown): string {
  return JSON.stringify(Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export const configMapKind: Kind = {
  group: '', version: 'v1', kind: 'ConfigMap', resource: 'configmaps', singular: 'configmap', shortNames: ['cm'], categories: [],
  namespaced: true, subresources: [], schemaName: 'io.k8s.api.core.v1.ConfigMap', generation: false,
  defaults() {},
  validate,
  columns: [NAME, column('Data', describe('core.v1.ConfigMap', 'data')), AGE],
  row: (object, now) => [object.metadata.name, Object.keys(parts(object).data ?? {}).length + Object.keys(parts(object).binaryData ?? {}).length, ageCell(object, now)],
  fields: {},
}
