// Sends objects through a kind as the API server does: decode, defaults, prepare, validate.
import type { Cause, Kind, KubeObject, Lookup } from '../../../../src/sandbox/api-server/kind.ts'
import { createKinds } from '../../../../src/sandbox/api-server/kinds/index.ts'
import type { KindOptions } from '../../../../src/sandbox/api-server/kinds/index.ts'
import { decodeObject } from '../../../../src/sandbox/api-server/schemas/decode.ts'

export interface Admitted {
  readonly object: KubeObject
  readonly causes: readonly Cause[]
  readonly warnings: readonly string[]
}

export interface Admission {
  readonly kind: Kind
  create(body: object, stored?: readonly KubeObject[]): Admitted
  /** `change` edits a copy of the object; the status is kept as the server keeps it. */
  update(old: KubeObject, change: (draft: KubeObject) => void, stored?: readonly KubeObject[]): Admitted
}

export const NOW = new Date('2026-11-20T12:00:00Z')

let serial = 0

function lookupOf(kinds: readonly Kind[], stored: readonly KubeObject[]): Lookup {
  const isOf = (resource: string, object: KubeObject): boolean => kinds.find(kind => kind.resource === resource)?.kind === object.kind
  return {
    get: (resource, namespace, name) => stored.find(object => isOf(resource, object) && object.metadata.name === name && (object.metadata.namespace ?? '') === namespace),
    list: resource => stored.filter(object => isOf(resource, object)),
    now: () => NOW,
  }
}

function complete(object: KubeObject, namespaced: boolean): KubeObject {
  serial++
  const given: Partial<KubeObject['metadata']> = object.metadata ?? {}
  object.metadata = { uid: `uid-${serial}`, resourceVersion: String(serial), creationTimestamp: '2026-11-20T11:00:00Z', ...(namespaced && { namespace: 'dev' }), ...given, name: given.name ?? 'x' }
  return object
}

export function admission(resource: string, options: KindOptions = {}): Admission {
  const kinds = createKinds({ random: () => 0, ...options })
  const kind = kinds.find(candidate => candidate.resource === resource)
  if (kind === undefined) throw new Error(`no kind ${resource}`)
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
  return {
    kind,
    create(body, stored = []) {
      const lookup = lookupOf(kinds, stored)
      const object = complete(decodeObject({ apiVersion, kind: kind.kind, ...body }, kind.schemaName).object, kind.namespaced)
      kind.defaults(object)
      kind.prepareForCreate?.(object, lookup)
      return { object, causes: kind.validate(object, undefined, lookup), warnings: kind.warnings?.(object, undefined) ?? [] }
    },
    update(old, change, stored = [old]) {
      const lookup = lookupOf(kinds, stored)
      const object = structuredClone(old)
      change(object)
      kind.defaults(object)
      kind.prepareForUpdate?.(object, old, lookup)
      return { object, causes: kind.validate(object, old, lookup), warnings: kind.warnings?.(object, old) ?? [] }
    },
  }
}

/** `field: message` of every cause. */
export function lines(causes: readonly Cause[]): string[] {
  return causes.map(cause => `${cause.field}: ${cause.message}`)
}

/** Sets a member of the spec. */
export function setSpec(field: string, value: unknown): (draft: KubeObject) => void {
  return draft => {
    const spec = { ...(draft['spec'] as Record<string, unknown>) }
    if (value === undefined) delete spec[field]
    else spec[field] = value
    draft['spec'] = spec
  }
}

export function specOf(object: KubeObject): Record<string, unknown> {
  return object['spec'] as Record<string, unknown>
}
