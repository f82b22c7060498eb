// The registry: admission, versions, deletion and watching over the storage. Synchronous; knows kinds only by their Kind objects
// (and namespaces, whose life cycle is the API server's own).
import { randomInt, randomUUID } from 'node:crypto'
import type { ApiRegistry } from './api-registry.ts'
import { ApiError } from './api-error.ts'
import { createDeletion } from './deletion.ts'
import { alreadyExists, badRequest, conflict, invalid, modified, notFound } from './failures.ts'
import { createManagedFields } from './fields/managed-fields.ts'
import type { Writer } from './fields/managed-fields.ts'
import { createTypedFields } from './fields/typed-fields.ts'
import { copyJson, equalJson, isJsonObject, toJson, toKubeObject } from './json-value.ts'
import type { JsonObject } from './json-value.ts'
import type { Kind, KubeObject, Lookup, Schema } from './kind.ts'
import { finalizeNamespace, isNamespaceKind, refuseCreate, systemNamespaces } from './namespace-lifecycle.ts'
import { applyMergePatch } from './patch/merge-patch.ts'
import type { WatchEvent, WriteOptions } from './registry.ts'
import { createSchemaWalk } from './schema-walk.ts'
import type { SchemaTable } from './schema-walk.ts'
import { createStorage } from './storage.ts'
import { timestamp } from './timestamp.ts'

export interface RegistryOptions {
  readonly kinds: readonly Kind[]
  /** Schemas by name; kinds whose schema is missing are taken as they come. */
  readonly schemas: SchemaTable
  readonly now?: () => Date
  /** Changes that each kind remembers at least, for watches and pages. */
  readonly historySize?: number
  /** Ends names that are made from generateName; random when left out. */
  readonly nameSuffix?: (generateName: string) => string
  /** Hears of watch listeners that throw and of garbage collection that fails. */
  readonly onError?: (error: unknown) => void
}

const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789'
const generateAttempts = 8

export function createRegistry(options: RegistryOptions): ApiRegistry {
  const now = options.now ?? (() => new Date())
  const storage = createStorage(options.kinds, options.historySize ?? 1000)
  const schemas = createSchemaWalk(options.schemas)
  const managedFields = createManagedFields(createTypedFields(schemas))
  const byResource = new Map<string, Kind>()
  for (const kind of options.kinds) {
    if (!byResource.has(kind.resource)) byResource.set(kind.resource, kind)
    byResource.set(`${kind.resource}.${kind.group}`, kind)
  }
  const namespaceKind = options.kinds.find(isNamespaceKind)
  const deletion = createDeletion({ storage, now, store, failed: (error) => options.onError?.(error) })

  function need(resource: string): Kind {
    const kind = byResource.get(resource)
    if (kind === undefined) throw new ApiError(404, 'NotFound', `the server could not find the requested resource ${resource}`)
    return kind
  }

  const lookup: Lookup = {
    get: (resource, namespace, name) => registry.get(resource, namespace, name),
    list: (resource, namespace) => registry.list(resource, namespace),
    now,
  }

  function apiVersion(kind: Kind): string {
    return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
  }

  function schemaOf(kind: Kind): Schema {
    return schemas.named(kind.schemaName)
  }

  function writerOf(kind: Kind, options: WriteOptions, operation: 'Apply' | 'Update'): Writer {
    const subresource = options.subresource === 'finalize' ? '' : (options.subresource ?? '')
    return { manager: options.fieldManager ?? 'unknown', operation, apiVersion: apiVersion(kind), subresource, time: timestamp(now()) }
  }

  /** Last step of every write: stores, or removes what was only waiting for its last finalizer. */
  function store(kind: Kind, draft: KubeObject): KubeObject {
    return deletion.isOver(kind, draft) ? storage.remove(kind, draft) : storage.put(kind, ordered(draft))
  }

  function checkIdentity(kind: Kind, draft: KubeObject): void {
    if (!isJsonObject(draft) || !isJsonObject(draft['metadata'])) throw badRequest('the object has no metadata')
    draft.apiVersion = apiVersion(kind)
    draft.kind = kind.kind
    if (kind.namespaced) draft.metadata.namespace ??= 'default'
    else delete draft.metadata.namespace
  }

  function nameFor(kind: Kind, draft: KubeObject): void {
    const { generateName, namespace } = draft.metadata
    if (draft.metadata.name || !generateName) return
    for (let attempt = 0; attempt < generateAttempts; attempt += 1) {
      draft.metadata.name = `${generateName.slice(0, 58)}${(options.nameSuffix ?? randomSuffix)(generateName)}`
      if (storage.get(kind, namespace ?? '', draft.metadata.name) === undefined) return
    }
  }

  function createObject(kind: Kind, source: KubeObject, options: WriteOptions, preset?: KubeObject): KubeObject {
    const draft = copyJson(source)
    checkIdentity(kind, draft)
    const { metadata } = draft
    if (metadata.resourceVersion) throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created')
    if (kind.namespaced && namespaceKind !== undefined) {
      const namespace = metadata.namespace ?? ''
      const refusal = refuseCreate(kind, metadata.name ?? '', namespace, storage.get(namespaceKind, '', namespace))
      if (refusal !== undefined) throw refusal
    }
    nameFor(kind, draft)
    delete metadata.deletionTimestamp
    delete metadata.deletionGracePeriodSeconds
    metadata.uid = randomUUID()
    metadata.creationTimestamp = timestamp(now())
    if (kind.generation) metadata.generation = 1
    else delete metadata.generation
    if (isNamespaceKind(kind)) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
    kind.defaults(draft)
    // Before admission: what it adds (addresses, class defaults) is nobody's.
    if (preset === undefined) draft.metadata.managedFields = managedFields.afterUpdate(undefined, draft, schemaOf(kind), writerOf(kind, options, 'Update'))
    kind.prepareForCreate?.(draft, lookup)
    const causes = kind.validate(draft, undefined, lookup)
    if (causes.length > 0) throw invalid(kind, metadata.name ?? '', causes)
    if (storage.get(kind, metadata.namespace ?? '', metadata.name) !== undefined) throw alreadyExists(kind, metadata.name)
    return options.dryRun === true ? ordered(draft) : store(kind, draft)
  }

  /** Takes over what this kind of write may not touch from the live object. */
  function separate(kind: Kind, live: KubeObject, draft: KubeObject, subresource: WriteOptions['subresource']): KubeObject {
    if (subresource === 'finalize') return finalizeNamespace(live, draft)
    if (!kind.subresources.includes('status')) return draft
    if (subresource === 'status') {
      const { status, metadata } = draft
      return { ...copyJson(live), metadata, ...(status !== undefined && { status }) }
    }
    const { status: _, ...rest } = draft
    const next: KubeObject = { ...rest, apiVersion: draft.apiVersion, kind: draft.kind, metadata: draft.metadata }
    if (live['status'] !== undefined) next['status'] = copyJson(live['status'])
    return next
  }

  function modify(kind: Kind, namespace: string, name: string, change: (live: KubeObject) => KubeObject, options: WriteOptions, applied = false): KubeObject {
    const live = storage.get(kind, namespace, name)
    if (live === undefined) throw notFound(kind, name)
    const sent = copyJson(change(live))
    checkIdentity(kind, sent)
    const { metadata: old } = live
    if (sent.metadata.name !== name || (sent.metadata.namespace ?? '') !== namespace) {
      throw badRequest(sent.metadata.name === name
        ? `the namespace of the object (${sent.metadata.namespace ?? ''}) does not match the namespace on the URL (${namespace})`
        : `the name of the object (${sent.metadata.name}) does not match the name on the URL (${name})`)
    }
    if (sent.metadata.uid && sent.metadata.uid !== old.uid) throw conflict(kind, name, `Precondition failed: UID in precondition: ${sent.metadata.uid}, UID in object meta: ${old.uid}`)
    if (sent.metadata.resourceVersion && sent.metadata.resourceVersion !== old.resourceVersion) throw modified(kind, name)
    const draft = separate(kind, live, sent, options.subresource)
    const { metadata } = draft
    metadata.uid = old.uid
    metadata.resourceVersion = old.resourceVersion
    metadata.creationTimestamp = old.creationTimestamp
    for (const field of ['generation', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generateName'] as const) keepField(metadata, old, field)
    kind.defaults(draft)
    if (!applied) draft.metadata.managedFields = managedFields.afterUpdate(live, draft, schemaOf(kind), writerOf(kind, options, 'Update'))
    // A kind keeps its finalizers on every other write; this one is about them.
    if (options.subresource !== 'finalize') kind.prepareForUpdate?.(draft, live, lookup, options.subresource)
    const causes = kind.validate(draft, live, lookup)
    if (causes.length > 0) throw invalid(kind, name, causes)
    if (kind.generation && !equalJson(desired(live), desired(draft))) metadata.generation = (old.generation ?? 0) + 1
    if (draft.metadata.managedFields?.length === 0) delete draft.metadata.managedFields
    const next = ordered(draft)
    // A write that changes nothing makes no new version and no event.
    if (equalJson(next, live)) return live
    return options.dryRun === true ? next : store(kind, next)
  }

  const registry: ApiRegistry = {
    kinds: options.kinds,
    storage,
    schemas,
    schemaOf,
    now,
    createObject,
    modify,
    deleteObject: deletion.deleteObject,

    apply(kind, namespace, name, applied, options) {
      const writer = writerOf(kind, options, 'Apply')
      const live = storage.get(kind, namespace, name)
      const { managedFields: _, ...metadata } = applied.metadata
      const config = { ...applied, apiVersion: apiVersion(kind), kind: kind.kind, metadata: { ...metadata, name, ...(kind.namespaced && { namespace }) } }
      const merged = managedFields.apply(live, config, schemaOf(kind), writer, options.force)
      if (live === undefined) return { object: createObject(kind, merged, options, merged), created: true }
      return { object: modify(kind, namespace, name, () => merged, options, true), created: false }
    },

    get: (resource, namespace, name) => storage.get(need(resource), namespace, name),
    list: (resource, namespace) => storage.list(need(resource), namespace),
    create(resource, object, options = {}) {
      if (!isJsonObject(object)) throw badRequest('the object is no JSON object')
      return createObject(need(resource), toKubeObject(object), options)
    },
    update: (resource, object, options = {}) => modify(need(resource), object.metadata.namespace ?? '', object.metadata.name, () => object, options),
    patch: (resource, namespace, name, patch, options = {}) => modify(need(resource), namespace, name, (live) => toKubeObject(asObject(applyMergePatch(toJson(live), patch))), options),
    delete: (resource, namespace, name, options = {}) => deletion.deleteObject(need(resource), namespace, name, options).object,

    watch(resource, listener) {
      const watched = need(resource)
      const queue: WatchEvent[] = []
      let open = true
      const stop = storage.subscribe((kind, { type, object }) => {
        if (kind !== watched) return
        if (queue.push({ type, object }) === 1) queueMicrotask(deliver)
      })
      function deliver(): void {
        for (const event of queue.splice(0)) {
          if (!open) return
          try {
            listener(event)
          } catch (error) {
            options.onError?.(error)
          }
        }
      }
      return () => {
        open = false
        stop()
      }
    },
    close: () => deletion.close(),
  }

  if (namespaceKind !== undefined) {
    for (const name of systemNamespaces) registry.create('namespaces', { metadata: { name } }, { fieldManager: 'kube-apiserver' })
  }
  return registry
}

function randomSuffix(): string {
  return Array.from({ length: 5 }, () => nameAlphabet.charAt(randomInt(nameAlphabet.length))).join('')
}

/** Everything that counts for the generation. */
function desired(object: KubeObject): unknown {
  const { metadata: _, status: __, ...rest } = object
  return rest
}

function keepField<K extends 'generation' | 'deletionTimestamp' | 'deletionGracePeriodSeconds' | 'generateName'>(metadata: KubeObject['metadata'], old: KubeObject['metadata'], field: K): void {
  if (old[field] === undefined) delete metadata[field]
  else metadata[field] = old[field]
}

function asObject(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw badRequest('the patch does not leave an object')
  return value
}

/** Members in the order in which the API server prints them. */
function ordered(object: KubeObject): KubeObject {
  const { kind, apiVersion, metadata, status, ...rest } = object
  const { name, generateName, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, labels, annotations, ownerReferences, finalizers, managedFields, ...others } = metadata
  const inOrder = { name, generateName, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, labels, annotations, ownerReferences, finalizers, managedFields, ...others }
  return copyJson({ kind, apiVersion, metadata: inOrder as KubeObject['metadata'], ...rest, ...(status !== undefined && { status }) })
}
