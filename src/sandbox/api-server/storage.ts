// The stored objects: one resourceVersion counter, tables by kind, a bounded history of changes for watches and paging.
// Knows no rules: whoever writes here has checked everything.
import { ApiError } from './api-error.ts'
import { freezeJson } from './json-value.ts'
import type { Kind, KubeObject } from './kind.ts'
import type { WatchEventType } from './registry.ts'

export interface Change {
  readonly version: number
  readonly type: WatchEventType
  readonly object: KubeObject
  /** What was stored before, undefined for ADDED. */
  readonly previous: KubeObject | undefined
}

export interface Storage {
  /** The newest resourceVersion given out. */
  readonly version: number
  readonly kinds: readonly Kind[]
  get(kind: Kind, namespace: string, name: string): KubeObject | undefined
  byUid(uid: string): { readonly kind: Kind; readonly object: KubeObject } | undefined
  /** In key order (namespace/name), all namespaces when left out. */
  list(kind: Kind, namespace?: string): readonly KubeObject[]
  /** Stores with the next version and tells subscribers; answers the frozen object. */
  put(kind: Kind, object: KubeObject): KubeObject
  remove(kind: Kind, object: KubeObject): KubeObject
  /** Changes after `version`, undefined when the history does not reach back that far. */
  changesSince(kind: Kind, version: number): readonly Change[] | undefined
  /** The list as it was at `version`, undefined when the history does not reach back that far. */
  listAt(kind: Kind, namespace: string | undefined, version: number): readonly KubeObject[] | undefined
  /** Called synchronously for each change of every kind. */
  subscribe(listener: (kind: Kind, change: Change) => void): () => void
}

/** Objects of all kinds that are kept; a real cluster has a quota too, and answers in these words. */
const maxObjects = 100_000

interface Table {
  readonly objects: Map<string, KubeObject>
  /** In key order; replaced on every write, so that a list that was handed out stays as it was. */
  sorted: readonly KubeObject[]
  readonly history: Change[]
  /** Newest version that is no more in the history: changes after it are all there. */
  forgotten: number
}

export function objectKey(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

/** Where the key stands in the sorted list, or would stand. */
function position(sorted: readonly KubeObject[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const object = sorted[middle]
    if (object !== undefined && objectKey(object) < key) low = middle + 1
    else high = middle
  }
  return low
}

export function createStorage(kinds: readonly Kind[], historySize: number): Storage {
  let version = 0
  const tables = new Map<Kind, Table>(kinds.map((kind) => [kind, { objects: new Map(), sorted: [], history: [], forgotten: 0 }]))
  const uids = new Map<string, { readonly kind: Kind; readonly object: KubeObject }>()
  const subscribers = new Set<(kind: Kind, change: Change) => void>()

  function table(kind: Kind): Table {
    const found = tables.get(kind)
    if (found === undefined) throw new Error(`kind ${kind.kind} is not stored here`)
    return found
  }

  function record(kind: Kind, change: Change): void {
    const { history } = table(kind)
    history.push(change)
    // Trimmed in halves, so that the cost of moving the array is spread over many writes.
    if (history.length > historySize * 2) {
      const gone = history.splice(0, history.length - historySize)
      table(kind).forgotten = gone.at(-1)?.version ?? table(kind).forgotten
    }
    for (const subscriber of subscribers) subscriber(kind, change)
  }

  function inNamespace(objects: readonly KubeObject[], namespace: string | undefined): readonly KubeObject[] {
    return namespace === undefined ? objects : objects.filter((object) => (object.metadata.namespace ?? '') === namespace)
  }

  return {
    get version() {
      return version
    },
    kinds,
    get: (kind, namespace, name) => table(kind).objects.get(`${namespace}/${name}`),
    byUid: (uid) => uids.get(uid),
    list: (kind, namespace) => inNamespace(table(kind).sorted, namespace),

    put(kind, object) {
      if (uids.size >= maxObjects && !uids.has(object.metadata.uid)) throw new ApiError(500, 'InternalError', 'etcdserver: mvcc: database space exceeded')
      version += 1
      object.metadata.resourceVersion = String(version)
      freezeJson(object)
      const stored = table(kind)
      const key = objectKey(object)
      const previous = stored.objects.get(key)
      stored.objects.set(key, object)
      const at = position(stored.sorted, key)
      stored.sorted = previous === undefined ? stored.sorted.toSpliced(at, 0, object) : stored.sorted.with(at, object)
      uids.set(object.metadata.uid, { kind, object })
      record(kind, { version, type: previous === undefined ? 'ADDED' : 'MODIFIED', object, previous })
      return object
    },

    remove(kind, object) {
      version += 1
      const stored = table(kind)
      const key = objectKey(object)
      const previous = stored.objects.get(key)
      stored.objects.delete(key)
      if (previous !== undefined) stored.sorted = stored.sorted.toSpliced(position(stored.sorted, key), 1)
      uids.delete(object.metadata.uid)
      // The event carries the version of the deletion, so that a watch can go on from there.
      const gone = freezeJson({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } })
      record(kind, { version, type: 'DELETED', object: gone, previous })
      return gone
    },

    changesSince(kind, since) {
      const stored = table(kind)
      if (since < stored.forgotten) return undefined
      return stored.history.filter((change) => change.version > since)
    },

    listAt(kind, namespace, at) {
      const stored = table(kind)
      if (at < stored.forgotten) return undefined
      if ((stored.history.at(-1)?.version ?? 0) <= at) return inNamespace(table(kind).sorted, namespace)
      const objects = new Map(stored.objects)
      for (const change of stored.history.toReversed()) {
        if (change.version <= at) break
        if (change.previous === undefined) objects.delete(objectKey(change.object))
        else objects.set(objectKey(change.previous), change.previous)
      }
      return inNamespace([...objects.keys()].sort().flatMap((key) => objects.get(key) ?? []), namespace)
    },

    subscribe(listener) {
      subscribers.add(listener)
      return () => {
        subscribers.delete(listener)
      }
    },
  }
}
