// What HTTP handlers need of the registry beyond the contract that controllers use.
import type { Kind, KubeObject, Schema } from './kind.ts'
import type { DeleteOptions, Registry, WriteOptions } from './registry.ts'
import type { SchemaWalk } from './schema-walk.ts'
import type { Storage } from './storage.ts'

export interface Deleted {
  readonly object: KubeObject
  /** false while finalizers or a grace period keep the object. */
  readonly gone: boolean
}

export interface ApiRegistry extends Registry {
  readonly kinds: readonly Kind[]
  readonly storage: Storage
  readonly schemas: SchemaWalk
  /** The schema of a kind's own version. */
  schemaOf(kind: Kind): Schema
  now(): Date
  createObject(kind: Kind, draft: KubeObject, options: WriteOptions): KubeObject
  /** Computes the next object from the live one and stores it. Throws ApiError, 404 when there is none. */
  modify(kind: Kind, namespace: string, name: string, change: (live: KubeObject) => KubeObject, options: WriteOptions): KubeObject
  /** Server-side apply; creates the object when it is absent. */
  apply(kind: Kind, namespace: string, name: string, applied: KubeObject, options: WriteOptions & { readonly force: boolean }): { readonly object: KubeObject; readonly created: boolean }
  deleteObject(kind: Kind, namespace: string, name: string, options: DeleteOptions): Deleted
  close(): void
}

