// The door to the stored objects, for HTTP handlers and in-process controllers alike. Synchronous: every answer is
// after admission (defaults, validation, versions); every write is visible to watchers before the call returns.
import type { Json, KubeObject } from './kind.ts'

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED'

export interface WatchEvent {
  readonly type: WatchEventType
  readonly object: KubeObject
}

export interface WriteOptions {
  readonly fieldManager?: string
  readonly dryRun?: boolean
  /** `finalize` writes a Namespace's spec.finalizers and nothing else. */
  readonly subresource?: 'status' | 'scale' | 'finalize'
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
}

export interface DeleteOptions {
  /** undefined: the kind's default (Pod 30 s, others 0). */
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: boolean
}

/**
 * `resource` is the plural (`ingresses`, `endpointslices`, `events`), or `plural.group` where two groups share one;
 * `namespace` is '' for cluster-scoped kinds.
 * Objects that come out are frozen: copy (structuredClone) before changing. All writes throw ApiError.
 */
export interface Registry {
  get(resource: string, namespace: string, name: string): KubeObject | undefined
  /** All namespaces when `namespace` is left out. */
  list(resource: string, namespace?: string): readonly KubeObject[]
  create(resource: string, object: unknown, options?: WriteOptions): KubeObject
  /** Replaces the object; a resourceVersion that is given must be the stored one (409 otherwise). */
  update(resource: string, object: KubeObject, options?: WriteOptions): KubeObject
  /** JSON merge patch, for controllers. */
  patch(resource: string, namespace: string, name: string, patch: Json, options?: WriteOptions): KubeObject
  delete(resource: string, namespace: string, name: string, options?: DeleteOptions): KubeObject
  /** Calls back for every change from now on, in order, inside the writing call's tick (queueMicrotask). The answer stops it. */
  watch(resource: string, listener: (event: WatchEvent) => void): () => void
}
