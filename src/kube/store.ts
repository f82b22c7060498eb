// The trimmed objects as they are now. Answers whether a change mattered; hands out immutable snapshots in which
// every map and object that did not change is the same as before.
import type { ClusterState } from './cluster-state.ts'
import { keyOf, type EndpointSlice, type ObjectKey } from './objects.ts'
import { reuse } from '../base/reuse.ts'
import { LEGACY_INGRESS_VERSIONS, toCurrentIngress } from './legacy-ingress.ts'
import { isRecord, type Raw } from './raw.ts'
import { RESOURCES } from './resource.ts'
import { KUBE_KINDS, trim, type KubeKind, type KubeObject } from './trim.ts'

export type StoreEvent =
  | { readonly type: 'set'; readonly object: KubeObject }
  | { readonly type: 'delete'; readonly kind: KubeKind; readonly key: ObjectKey }

export interface Store {
  state(): ClusterState
  /** True when something that is kept has changed. */
  apply(event: StoreEvent): boolean
  /** Makes one kind, or the part of it that `scope` has, equal to `objects` in one step: a relist. True when something has changed. */
  replace(kind: KubeKind, objects: readonly KubeObject[], scope?: (key: ObjectKey) => boolean): boolean
}

interface Table<T> {
  readonly objects: Map<ObjectKey, T>
  /** The immutable copy last handed out; undefined once `objects` has changed. */
  snapshot: ReadonlyMap<ObjectKey, T> | undefined
}

type Tables = { readonly [Kind in KubeKind]: Table<Extract<KubeObject, { kind: Kind }>> }

export function createStore(): Store {
  const tables: Tables = {
    Ingress: table(), IngressClass: table(), Service: table(), EndpointSlice: table(), Secret: table(), ConfigMap: table(),
  }
  const slices = table<readonly EndpointSlice[]>()

  function set(object: KubeObject): boolean {
    const target: Table<KubeObject> = tables[object.kind]
    const key = keyOf(object.meta)
    const before = target.objects.get(key)
    const next = before === undefined ? object : keepUnchanged(before, object)
    if (next === before) return false
    target.objects.set(key, next)
    target.snapshot = undefined
    if (next.kind === 'EndpointSlice') {
      if (before?.kind === 'EndpointSlice' && serviceKey(before) !== serviceKey(next)) indexSlice(before, undefined)
      indexSlice(before?.kind === 'EndpointSlice' ? before : undefined, next)
    }
    return true
  }

  function remove(kind: KubeKind, key: ObjectKey): boolean {
    const target: Table<KubeObject> = tables[kind]
    const before = target.objects.get(key)
    if (before === undefined) return false
    target.objects.delete(key)
    target.snapshot = undefined
    if (before.kind === 'EndpointSlice') indexSlice(before, undefined)
    return true
  }

  /** Replaces one slice in the list of its Service; lists are kept in order of name, so that order means nothing. */
  function indexSlice(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void {
    const key = serviceKey(after ?? before)
    if (key === undefined) return
    const name = (after ?? before)?.meta.name
    const others = (slices.objects.get(key) ?? []).filter((slice) => slice.meta.name !== name)
    if (after !== undefined) others.push(after)
    others.sort((a, b) => (a.meta.name < b.meta.name ? -1 : 1))
    if (others.length === 0) slices.objects.delete(key)
    else slices.objects.set(key, others)
    slices.snapshot = undefined
  }

  return {
    state: () => ({
      ingresses: snapshot(tables.Ingress),
      ingressClasses: snapshot(tables.IngressClass),
      services: snapshot(tables.Service),
      slicesByService: snapshot(slices),
      secrets: snapshot(tables.Secret),
      configMaps: snapshot(tables.ConfigMap),
    }),
    apply: (event) => (event.type === 'set' ? set(event.object) : remove(event.kind, event.key)),
    replace(kind, objects, scope = () => true) {
      const present = new Set(objects.map((object) => keyOf(object.meta)))
      let changed = false
      for (const object of objects) if (object.kind === kind && set(object)) changed = true
      for (const key of tables[kind].objects.keys()) if (!present.has(key) && scope(key) && remove(kind, key)) changed = true
      return changed
    },
  }
}

/**
 * The cluster state that a set of API objects makes, for translation without a cluster. Lists are opened, an absent
 * namespace is `default` as kubectl has it, and kinds that routing does not read are left out.
 */
export function stateFromObjects(objects: Iterable<unknown>): ClusterState {
  const store = createStore()
  for (const object of objects) {
    for (const item of isRecord(object) && Array.isArray(object['items']) ? object['items'] : [object]) {
      const trimmed = isRecord(item) ? trimFile(item) : undefined
      if (trimmed !== undefined) store.apply({ type: 'set', object: withNamespace(trimmed) })
    }
  }
  return store.state()
}

/** Other groups have kinds of the same names (Knative's Service and Ingress), so the group counts; without apiVersion it is taken for ours. */
function trimFile(item: Raw): KubeObject | undefined {
  const { kind, apiVersion } = item
  if (kind === 'Ingress' && LEGACY_INGRESS_VERSIONS.has(apiVersion)) return trim('Ingress', toCurrentIngress(item))
  const known = KUBE_KINDS.find((each) => each === kind)
  if (known === undefined) return undefined
  const { group, version } = RESOURCES[known]
  return apiVersion === undefined || apiVersion === (group === '' ? version : `${group}/${version}`) ? trim(known, item) : undefined
}

function withNamespace(object: KubeObject): KubeObject {
  if (object.kind === 'IngressClass' || object.meta.namespace !== '') return object
  return { ...object, meta: { ...object.meta, namespace: 'default' } }
}

function table<T>(): Table<T> {
  return { objects: new Map(), snapshot: undefined }
}

/** Snapshots are copied when they are asked for, not when an event arrives: a burst of events costs one copy. */
function snapshot<T>(table: Table<T>): ReadonlyMap<ObjectKey, T> {
  table.snapshot ??= new Map(table.objects)
  return table.snapshot
}

/** A new resourceVersion alone is no change: the object that is kept then has an old one, which nothing may rely on. */
function keepUnchanged(before: KubeObject, after: KubeObject): KubeObject {
  const sameVersion = { ...after, meta: { ...after.meta, resourceVersion: before.meta.resourceVersion } }
  if (reuse<KubeObject>(before, sameVersion) === before) return before
  return reuse<KubeObject>(before, after)
}

function serviceKey(slice: EndpointSlice | undefined): ObjectKey | undefined {
  if (slice === undefined || slice.serviceName === '') return undefined
  return `${slice.meta.namespace}/${slice.serviceName}`
}
