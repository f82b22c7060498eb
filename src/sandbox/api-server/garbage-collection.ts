// Deletes what belongs to owners that are gone, as the garbage collector of the controller manager does.
// Works in a microtask after each write, so that a delete answers before its dependents go.
import { copyJson } from './json-value.ts'
import type { Kind, KubeObject, OwnerReference } from './kind.ts'
import type { Storage } from './storage.ts'

export interface Collector {
  /** Objects that name `uid` as an owner. */
  dependents(uid: string): readonly { readonly kind: Kind; readonly object: KubeObject }[]
  close(): void
}

interface Deletion {
  /** Deletes with the kind's own grace period, propagating as given. */
  remove(kind: Kind, object: KubeObject, propagation: 'Background' | 'Foreground'): void
  /** Writes the object with other metadata, no admission. */
  rewrite(kind: Kind, object: KubeObject): void
  /** A step that failed must not end the process: it runs in a microtask of its own. */
  failed(error: unknown): void
}

export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

export function createCollector(storage: Storage, deletion: Deletion): Collector {
  const owned = new Map<string, Set<string>>()
  const pending = new Set<string>()
  let open = true

  function index(uid: string, owners: readonly OwnerReference[] | undefined, add: boolean): void {
    for (const owner of owners ?? []) {
      const set = owned.get(owner.uid) ?? new Set()
      if (add) owned.set(owner.uid, set.add(uid))
      else if (set.delete(uid) && set.size === 0) owned.delete(owner.uid)
    }
  }

  function schedule(uid: string): void {
    if (pending.size === 0) queueMicrotask(run)
    pending.add(uid)
  }

  function run(): void {
    // New work that a step makes is done in the same run: deletions cascade.
    for (const uid of pending) {
      pending.delete(uid)
      try {
        if (open) collect(uid)
      } catch (error) {
        deletion.failed(error)
      }
    }
  }

  function isGone(owner: OwnerReference): boolean {
    if (storage.byUid(owner.uid) !== undefined) return false
    const slash = owner.apiVersion.indexOf('/')
    const group = slash < 0 ? '' : owner.apiVersion.slice(0, slash)
    // An owner of a kind that is not served here may well exist.
    return storage.kinds.some((kind) => kind.group === group && kind.kind === owner.kind)
  }

  /** Looks at one object: is it ownerless, or waiting for its dependents? */
  function collect(uid: string): void {
    const found = storage.byUid(uid)
    if (found === undefined) return
    const { kind, object } = found
    const owners = object.metadata.ownerReferences ?? []
    const gone = owners.filter(isGone)
    if (owners.length > 0 && gone.length === owners.length) {
      if (object.metadata.deletionTimestamp === undefined) deletion.remove(kind, object, 'Background')
    } else if (gone.length > 0) {
      const draft = copyJson(object)
      draft.metadata.ownerReferences = owners.filter((owner) => !gone.includes(owner))
      deletion.rewrite(kind, draft)
    } else if (owners.some((owner) => isWaiting(owner)) && object.metadata.deletionTimestamp === undefined) {
      deletion.remove(kind, object, 'Foreground')
    }
    const after = storage.byUid(uid)
    if (after?.object.metadata.deletionTimestamp !== undefined) finish(after.kind, after.object)
  }

  function isWaiting(owner: OwnerReference): boolean {
    return storage.byUid(owner.uid)?.object.metadata.finalizers?.includes(foregroundFinalizer) === true
  }

  function finish(kind: Kind, object: KubeObject): void {
    const finalizers = object.metadata.finalizers ?? []
    if (finalizers.includes(orphanFinalizer)) {
      for (const dependent of dependents(object.metadata.uid)) {
        const draft = copyJson(dependent.object)
        draft.metadata.ownerReferences = (draft.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== object.metadata.uid)
        if (draft.metadata.ownerReferences.length === 0) delete draft.metadata.ownerReferences
        deletion.rewrite(dependent.kind, draft)
      }
      dropFinalizer(kind, object, orphanFinalizer)
    } else if (finalizers.includes(foregroundFinalizer)) {
      const blocking = dependents(object.metadata.uid).filter((dependent) => dependent.object.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion === true))
      if (blocking.length === 0) dropFinalizer(kind, object, foregroundFinalizer)
    }
  }

  function dropFinalizer(kind: Kind, object: KubeObject, finalizer: string): void {
    const draft = copyJson(object)
    draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((known) => known !== finalizer)
    if (draft.metadata.finalizers.length === 0) delete draft.metadata.finalizers
    deletion.rewrite(kind, draft)
  }

  function dependents(uid: string): { readonly kind: Kind; readonly object: KubeObject }[] {
    return [...(owned.get(uid) ?? [])].flatMap((dependent) => storage.byUid(dependent) ?? [])
  }

  const stop = storage.subscribe((_, { type, object, previous }) => {
    const { uid } = object.metadata
    index(uid, previous?.metadata.ownerReferences, false)
    if (type === 'DELETED') {
      for (const dependent of owned.get(uid) ?? []) schedule(dependent)
      // A foreground deletion may wait for this one.
      for (const owner of previous?.metadata.ownerReferences ?? []) schedule(owner.uid)
      return
    }
    index(uid, object.metadata.ownerReferences, true)
    if ((object.metadata.ownerReferences ?? []).length > 0 || object.metadata.deletionTimestamp !== undefined) schedule(uid)
    if (object.metadata.finalizers?.includes(foregroundFinalizer)) for (const dependent of owned.get(uid) ?? []) schedule(dependent)
  })

  return {
    dependents,
    close() {
      open = false
      stop()
    },
  }
}
