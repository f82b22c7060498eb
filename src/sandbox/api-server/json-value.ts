// JSON values as data: copy, equality, deep freeze, typed reading. Knows no Kubernetes beyond the name of its object type.
import type { Json, KubeObject } from './kind.ts'

export type JsonObject = { [field: string]: Json }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A stored or decoded object seen as plain JSON. */
export function toJson(object: KubeObject): JsonObject {
  return object as JsonObject
}

/** Plain JSON seen as an object of the API; the caller has checked that metadata is there. */
export function toKubeObject(value: JsonObject): KubeObject {
  return value as KubeObject & JsonObject
}

/** A deep copy without members that are undefined. */
export function copyJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => copyJson(item)) as T
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) if (member !== undefined) setMember(copy, name, copyJson(member))
  return copy as T
}

/** Assigns an own member even when its name is `__proto__`. */
export function setMember(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  else target[name] = value
}

export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalJson(item, b[index]))
  if (Array.isArray(b)) return false
  const left: Record<string, unknown> = { ...a }
  const right: Record<string, unknown> = { ...b }
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => Object.hasOwn(right, name) && equalJson(left[name], right[name]))
}

export function freezeJson<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) freezeJson(member)
  }
  return value
}

/** The member at a path of names, undefined where something is missing on the way. */
export function readPath(value: unknown, ...path: readonly string[]): Json | undefined {
  let at: unknown = value
  for (const name of path) {
    if (!isJsonObject(at) || !Object.hasOwn(at, name)) return undefined
    at = at[name]
  }
  return at as Json | undefined
}
