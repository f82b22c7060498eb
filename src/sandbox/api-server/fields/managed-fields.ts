// metadata.managedFields: who set which field, for updates and for server-side apply.
// Follows k8s.io/apimachinery managedfields and structured-merge-diff merge.Updater.
import { ApiError } from '../api-error.ts'
import type { StatusDetails } from '../api-error.ts'
import { copyJson, isJsonObject, toJson, toKubeObject } from '../json-value.ts'
import type { KubeObject, ManagedFieldsEntry, Schema } from '../kind.ts'
import { difference, emptySet, equalSets, fromFieldsV1, intersection, isEmptySet, leafSet, leaves, pathText, paths, recursiveDifference, toFieldsV1, union } from './field-set.ts'
import type { FieldSet } from './field-set.ts'
import type { Comparison, TypedFields } from './typed-fields.ts'

/** More update managers than this are folded into one (`ancient-changes`), so that the list stays bounded. */
const maxUpdateManagers = 10

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

export interface Writer {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string
}

interface Owner extends Omit<Writer, 'time'> {
  readonly time: string | undefined
  readonly fields: FieldSet
}

export interface ManagedFields {
  /** The entries after an update that turned `live` (undefined on create) into `next`. */
  afterUpdate(live: KubeObject | undefined, next: KubeObject, schema: Schema, writer: Writer): ManagedFieldsEntry[]
  /**
   * Server-side apply. Answers the merged object with its new entries, or undefined when nothing changes.
   * Throws ApiError 409 with one cause a field when other managers own fields that change, unless `force`.
   */
  apply(live: KubeObject | undefined, applied: KubeObject, schema: Schema, writer: Writer, force: boolean): KubeObject
}

// Identity and bookkeeping belong to nobody.
const strippedFields = fromFieldsV1({
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': {
    'f:name': {}, 'f:namespace': {}, 'f:creationTimestamp': {}, 'f:selfLink': {}, 'f:uid': {}, 'f:clusterName': {}, 'f:generation': {}, 'f:managedFields': {}, 'f:resourceVersion': {},
  },
})

export function createManagedFields(typed: TypedFields): ManagedFields {
  function strip(set: FieldSet, writer: Writer): FieldSet {
    const stripped = recursiveDifference(set, strippedFields)
    const children = new Map(stripped.children)
    const metadata = children.get('f:metadata')
    if (metadata?.member) children.set('f:metadata', { ...metadata, member: false })
    // A main write can't set status, a status write nothing but status and metadata.
    if (writer.subresource === '') children.delete('f:status')
    if (writer.subresource === 'status') for (const name of children.keys()) if (name !== 'f:status' && name !== 'f:metadata') children.delete(name)
    if (isEmptySet(children.get('f:metadata') ?? stripped)) children.delete('f:metadata')
    return { member: false, children }
  }

  function compareObjects(live: KubeObject | undefined, next: KubeObject, schema: Schema): Comparison {
    return typed.compare(live === undefined ? typed.emptyObject(schema) : toJson(withoutManagedFields(live)), toJson(withoutManagedFields(next)), schema)
  }

  /** Takes changed fields from the others, or reports them as conflicts. */
  function settle(owners: readonly Owner[], self: Writer, change: Comparison, force: boolean, allowed: FieldSet = emptySet): Owner[] {
    const touched = union(change.added, change.modified)
    const conflicts: { readonly owner: Owner; readonly fields: FieldSet }[] = []
    const settled = owners.map((owner) => {
      if (isSame(owner, self)) return owner
      const overlap = intersection(owner.fields, touched)
      const contested = difference(overlap, allowed)
      if (!isEmptySet(contested)) conflicts.push({ owner, fields: contested })
      return { ...owner, fields: difference(owner.fields, overlap) }
    })
    if (!force && conflicts.length > 0) throw conflictError(conflicts)
    return settled
      .map((owner) => ({ ...owner, fields: difference(owner.fields, change.removed) }))
      .filter((owner) => !isEmptySet(owner.fields))
  }

  /** What `kubectl apply` set before: moving the same manifest to server-side apply is no conflict. */
  function lastAppliedFields(live: KubeObject | undefined, schema: Schema, writer: Writer): FieldSet {
    const text = writer.manager === 'kubectl' ? live?.metadata.annotations?.[lastAppliedAnnotation] : undefined
    if (text === undefined) return emptySet
    try {
      const value: unknown = JSON.parse(text)
      return isJsonObject(value) ? leaves(typed.fieldsOf(value, schema)) : emptySet
    } catch {
      return emptySet
    }
  }

  return {
    afterUpdate(live, next, schema, writer) {
      const sent = next.metadata.managedFields
      // `[{}]` resets the list; a list that was sent replaces the live one (kubectl migrates ownership that way).
      const reset = sent?.length === 1 && sent[0] !== undefined && Object.keys(sent[0]).length === 0
      const before = reset ? [] : decode(sent !== undefined && sent.length > 0 ? sent : live?.metadata.managedFields)
      if (reset) return []
      const change = compareObjects(live, next, schema)
      const owners = settle(before, writer, change, true)
      const taken = strip(union(change.added, change.modified), writer)
      const own = owners.find((owner) => isSame(owner, writer))
      if (!isEmptySet(taken)) {
        const fields = own === undefined ? taken : union(own.fields, taken)
        return encode(cap([...owners.filter((owner) => owner !== own), { ...writer, time: writer.subresource === 'scale' ? undefined : writer.time, fields }]))
      }
      return encode(cap(owners))
    },

    apply(live, applied, schema, writer, force) {
      const before = live === undefined ? [] : decode(live.metadata.managedFields ?? [])
      // An object that nobody ever managed gets an owner of what is there, so that the apply can conflict with it.
      const known: Owner[] = live !== undefined && before.length === 0
        ? [{ manager: 'before-first-apply', operation: 'Update', apiVersion: writer.apiVersion, subresource: '', time: live.metadata.creationTimestamp,
            fields: strip(compareObjects(undefined, live, schema).added, { ...writer, subresource: '' }) }]
        : before
      const last = known.find((owner) => isSame(owner, writer))
      const set = strip(typed.fieldsOf(toJson(applied), schema), writer)
      const base = live === undefined ? {} : toJson(withoutManagedFields(live))
      let merged = typed.merge(base, toJson(withoutManagedFields(applied)), schema)
      const others = known.filter((owner) => owner !== last)
      if (last !== undefined) {
        const kept = others.reduce((sum, owner) => union(sum, owner.fields), set)
        const dropped = difference(last.fields, kept)
        merged = typed.without(merged, removable(dropped, kept), schema)
      }
      const next = toKubeObject(merged)
      const change = compareObjects(live, next, schema)
      const owners = settle([...others, { ...writer, fields: set }], writer, change, force, lastAppliedFields(live, schema, writer))
      const unchanged = live !== undefined && isNoChange(change) && last !== undefined && equalSets(last.fields, set)
      const stamped = owners.map((owner) => (unchanged && last !== undefined && isSame(owner, writer) ? { ...owner, time: last.time } : owner))
      if (writer.manager === 'kubectl' && next.metadata.annotations?.[lastAppliedAnnotation] !== undefined) {
        next.metadata.annotations[lastAppliedAnnotation] = `${JSON.stringify(applied)}\n`
      }
      next.metadata.managedFields = encode(cap(stamped))
      return next
    },
  }
}

/** What goes of the dropped fields: parents of kept fields stay, a list item that nobody else claims goes whole. */
function removable(dropped: FieldSet, kept: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const [key, child] of dropped.children) {
    const keptChild = kept.children.get(key) ?? emptySet
    const isItem = key.startsWith('k:') || key.startsWith('v:')
    const goesWhole = child.member && (isItem ? !keptChild.member : isEmptySet(keptChild))
    const inner = goesWhole ? leafSet : removable(child, keptChild)
    if (!isEmptySet(inner)) children.set(key, inner)
  }
  return { member: dropped.member && isEmptySet(kept), children }
}

function isNoChange(change: Comparison): boolean {
  return isEmptySet(change.added) && isEmptySet(change.modified) && isEmptySet(change.removed)
}

function isSame(a: Omit<Writer, 'time'>, b: Omit<Writer, 'time'>): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource && (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

function decode(entries: readonly ManagedFieldsEntry[] | undefined): Owner[] {
  return (Array.isArray(entries) ? entries : []).map((entry: ManagedFieldsEntry) => ({
    manager: String(entry.manager ?? 'unknown'),
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: String(entry.apiVersion ?? ''),
    subresource: entry.subresource ?? '',
    time: entry.time,
    fields: fromFieldsV1(entry.fieldsV1),
  }))
}

function encode(owners: readonly Owner[]): ManagedFieldsEntry[] {
  return owners
    .map((owner): ManagedFieldsEntry => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      ...(owner.time !== undefined && { time: owner.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: copyJson(toFieldsV1(owner.fields)),
      ...(owner.subresource !== '' && { subresource: owner.subresource }),
    }))
    .toSorted((a, b) => order(a.operation, b.operation) || order(a.time ?? '', b.time ?? '') || order(a.manager, b.manager) || order(a.apiVersion, b.apiVersion) || order(a.subresource ?? '', b.subresource ?? ''))
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function cap(owners: readonly Owner[]): readonly Owner[] {
  const updates = owners.filter((owner) => owner.operation === 'Update').toSorted((a, b) => order(a.time ?? '', b.time ?? ''))
  const surplus = updates.slice(0, Math.max(0, updates.length - maxUpdateManagers + 1))
  if (updates.length <= maxUpdateManagers) return owners
  const newest = surplus.at(-1)
  const ancient: Owner = {
    manager: 'ancient-changes', operation: 'Update', apiVersion: newest?.apiVersion ?? '', subresource: '', time: newest?.time,
    fields: surplus.map((owner) => owner.fields).reduce(union),
  }
  return [...owners.filter((owner) => !surplus.includes(owner)), ancient]
}

function conflictError(conflicts: readonly { readonly owner: Owner; readonly fields: FieldSet }[]): ApiError {
  const found = conflicts.flatMap(({ owner, fields }) => [...paths(fields)].map((path) => ({ manager: managerText(owner), path: pathText(path) })))
  const byManager = Map.groupBy(found, (conflict) => conflict.manager)
  const lines = [...byManager.keys()].toSorted().flatMap((manager) => [`conflicts with ${manager}:`, ...(byManager.get(manager) ?? []).map((conflict) => `- ${conflict.path}`)])
  const first = found[0]
  const message = found.length === 1 && first !== undefined
    ? `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`
    : `Apply failed with ${found.length} conflicts: ${lines.join('\n')}`
  const details: StatusDetails = { causes: found.map((conflict) => ({ reason: 'FieldManagerConflict', message: `conflict with ${conflict.manager}`, field: conflict.path })) }
  return new ApiError(409, 'Conflict', message, details)
}

function managerText(owner: Owner): string {
  const name = JSON.stringify(owner.manager) + (owner.subresource === '' ? '' : ` with subresource ${JSON.stringify(owner.subresource)}`)
  if (owner.operation === 'Apply') return name
  return `${name} using ${owner.apiVersion}`
}
