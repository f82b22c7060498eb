// Deleting: preconditions, grace periods, finalizers, propagation to dependents. Removes from the storage when nothing keeps the object.
import { conflict, notFound } from './failures.ts'
import { createCollector, foregroundFinalizer, orphanFinalizer } from './garbage-collection.ts'
import { copyJson } from './json-value.ts'
import type { Kind, KubeObject } from './kind.ts'
import { hasFinalizers, markTerminating, refuseNamespaceDelete } from './namespace-lifecycle.ts'
import type { DeleteOptions } from './registry.ts'
import type { Deleted } from './api-registry.ts'
import type { Storage } from './storage.ts'
import { timestamp } from './timestamp.ts'

export interface Deletion {
  deleteObject(kind: Kind, namespace: string, name: string, options: DeleteOptions): Deleted
  /** Whether an object that is being deleted has nothing left that keeps it. */
  isOver(kind: Kind, object: KubeObject): boolean
  close(): void
}

interface Parts {
  readonly storage: Storage
  readonly now: () => Date
  /** Stores the draft, or removes it when its deletion is over. */
  readonly store: (kind: Kind, draft: KubeObject) => KubeObject
  /** Hears of garbage collection that failed. */
  readonly failed: (error: unknown) => void
}

export function createDeletion({ storage, now, store, failed }: Parts): Deletion {
  const collector = createCollector(storage, {
    remove: (kind, object, propagation) => {
      deleteObject(kind, object.metadata.namespace ?? '', object.metadata.name, { propagationPolicy: propagation })
    },
    rewrite: (kind, object) => {
      store(kind, object)
    },
    failed,
  })

  function isOver(kind: Kind, object: KubeObject): boolean {
    return object.metadata.deletionTimestamp !== undefined && !hasFinalizers(kind, object) && (object.metadata.deletionGracePeriodSeconds ?? 0) === 0
  }

  function checkPreconditions(kind: Kind, live: KubeObject, { preconditions }: DeleteOptions): void {
    const { name, uid, resourceVersion } = live.metadata
    if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
      throw conflict(kind, name, `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`)
    }
    if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
      throw conflict(kind, name, `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`)
    }
  }

  function withPropagation(live: KubeObject, policy: DeleteOptions['propagationPolicy']): string[] | undefined {
    const others = (live.metadata.finalizers ?? []).filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer)
    const hasDependents = collector.dependents(live.metadata.uid).length > 0
    const added = policy === 'Orphan' && hasDependents ? [orphanFinalizer] : policy === 'Foreground' ? [foregroundFinalizer] : []
    const finalizers = policy === undefined ? (live.metadata.finalizers ?? []) : [...others, ...added]
    return finalizers.length > 0 ? finalizers : undefined
  }

  function deleteObject(kind: Kind, namespace: string, name: string, options: DeleteOptions): Deleted {
    const live = storage.get(kind, namespace, name)
    if (live === undefined) throw notFound(kind, name)
    const refusal = refuseNamespaceDelete(kind, name)
    if (refusal !== undefined) throw refusal
    checkPreconditions(kind, live, options)
    const grace = Math.max(0, kind.gracePeriod?.(live, options.gracePeriodSeconds) ?? 0)
    const draft = copyJson(live)
    const { metadata } = draft
    const finalizers = withPropagation(live, options.propagationPolicy)
    if (finalizers === undefined) delete metadata.finalizers
    else metadata.finalizers = finalizers
    const before = metadata.deletionGracePeriodSeconds
    if (metadata.deletionTimestamp === undefined || (before !== undefined && grace < before)) {
      // A second request may shorten the wait, never lengthen it.
      metadata.deletionTimestamp = timestamp(new Date(now().getTime() + grace * 1000))
      metadata.deletionGracePeriodSeconds = grace
      if (metadata.generation !== undefined && live.metadata.deletionTimestamp === undefined) metadata.generation += 1
      markTerminating(kind, draft)
    }
    const gone = isOver(kind, draft)
    if (options.dryRun === true) return { object: draft, gone }
    // What goes at once goes as it was: its last state carries no deletion timestamp, as in a real API server.
    if (gone) return { object: storage.remove(kind, live.metadata.deletionTimestamp === undefined ? live : draft), gone }
    return { object: store(kind, draft), gone }
  }

  return { deleteObject, isOver, close: () => collector.close() }
}
