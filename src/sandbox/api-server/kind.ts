// What the API server must know of a kind. One file a kind under kinds/ makes one of these; the server itself knows none by name.

export interface ObjectMeta {
  name: string
  namespace?: string
  generateName?: string
  uid: string
  resourceVersion: string
  generation?: number
  creationTimestamp: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFieldsEntry[]
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  /** Absent on entries of the scale subresource. */
  time?: string
  fieldsType: 'FieldsV1'
  fieldsV1: Record<string, unknown>
  subresource?: string
}

export type Json = null | boolean | number | string | Json[] | { [field: string]: Json }

/** A stored object. Fields below `metadata` are the kind's own and are checked by its schema. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** A field error as `Status.details.causes` carries it. */
export interface Cause {
  readonly reason: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueNotSupported' | 'FieldValueDuplicate' | 'FieldValueForbidden' | 'FieldValueTooLong' | 'FieldValueTooMany' | 'FieldValueNotFound' | 'FieldValueTypeInvalid' | 'InternalError'
  /** With the prefix of its reason: `Invalid value: "x": must be …`. */
  readonly message: string
  readonly field: string
}

/** OpenAPI v3 schema with the Kubernetes extensions; drives field validation, strategic merge, server-side apply and explain. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly format?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly enum?: readonly string[]
  /** `{}` marks a field that is there in an empty object too (a struct, not a pointer): decides about "." in managed fields. */
  readonly default?: Json
  /** `#/components/schemas/io.k8s.api.networking.v1.IngressSpec`; resolved through the schema table. */
  readonly $ref?: string
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
  readonly 'x-kubernetes-int-or-string'?: boolean
}

export interface TableColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date' | 'boolean'
  readonly format: string
  readonly description: string
  /** 0: always shown; 1: with -o wide. */
  readonly priority: number
}

export type TableCell = string | number | boolean | null

/** Read access to the other objects, for defaulting and validation that need them (class defaults, address allocation). */
export interface Lookup {
  get(resource: string, namespace: string, name: string): KubeObject | undefined
  list(resource: string, namespace?: string): readonly KubeObject[]
  now(): Date
}

export interface Kind extends GroupVersionKind {
  /** Plural, lower case: `ingresses`. Unique key of the kind in the registry together with the group. */
  readonly resource: string
  readonly singular: string
  readonly shortNames: readonly string[]
  /** `all` makes `kubectl get all` list it. */
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly subresources: readonly Subresource[]
  /** All of create delete deletecollection get list patch update watch when left out. */
  readonly verbs?: readonly string[]
  /** Name in the schema table: `io.k8s.api.networking.v1.Ingress`. */
  readonly schemaName: string
  /** Whether metadata.generation is kept (kinds with a spec that controllers observe). */
  readonly generation: boolean
  /** The other group-versions that serve the same stored objects (`extensions/v1beta1` Ingress, `events.k8s.io/v1` Event). */
  readonly legacy?: readonly LegacyVersion[]
  /** Warning header (299) of every request on this version, reads too. */
  readonly deprecation?: string
  /**
   * Seconds between the deletion request and the end of the object (a Pod's grace period). `requested` is what the
   * request asks for. 0 deletes at once; kinds without this function are always deleted at once.
   */
  gracePeriod?(object: KubeObject, requested: number | undefined): number
  /** Fills in what the API server fills in. Runs on every decoded object before validation. Mutates the draft. */
  defaults(draft: KubeObject): void
  /** Runs on create after defaults: resets status, allocates addresses and ports, applies admission defaults. Throws ApiError. */
  prepareForCreate?(draft: KubeObject, lookup: Lookup): void
  /**
   * Runs on update after defaults: keeps what this kind never lets change, allocates. The separation of status and the rest
   * has been made by then, from `subresources`: a main write keeps `old.status`, a status write everything but status and metadata.
   */
  prepareForUpdate?(draft: KubeObject, old: KubeObject, lookup: Lookup, subresource?: Subresource): void
  /** All mistakes at once; `old` is given on update. */
  validate(object: KubeObject, old: KubeObject | undefined, lookup: Lookup): readonly Cause[]
  /** Warning headers (299), e.g. for deprecated fields. */
  warnings?(object: KubeObject, old: KubeObject | undefined): readonly string[]
  readonly columns: readonly TableColumn[]
  /** One cell a column. */
  row(object: KubeObject, now: Date): readonly TableCell[]
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly fields: Readonly<Record<string, (object: KubeObject) => string>>
}

export type Subresource = 'status' | 'scale'

/** Another group-version of a kind. Objects are stored in the kind's own version; `metadata` is the same in both. */
export interface LegacyVersion {
  readonly group: string
  readonly version: string
  /** Schema that requests in this version are checked against, before conversion. */
  readonly schemaName: string
  /** Turns an object of this version into the kind's own version, `apiVersion` included. Does not change its argument. */
  toCurrent(object: KubeObject): KubeObject
  /** The way back, for reads through this version. Does not change its argument. */
  fromCurrent(object: KubeObject): KubeObject
  /** Warning header (299) of every request on this version. */
  readonly deprecation?: string
  /** Field selector labels of this version that have another name in the kind's own: `regarding.kind` to `involvedObject.kind`. */
  readonly fieldLabels?: Readonly<Record<string, string>>
}
