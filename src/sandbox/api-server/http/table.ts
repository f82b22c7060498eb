// Answers as meta.k8s.io Tables and PartialObjectMetadata. Pure.
import type { KubeObject } from '../kind.ts'
import { present } from './served-versions.ts'
import type { Served } from './served-versions.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

export interface ListMeta {
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export function partialMetadata(object: KubeObject, version: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}

/** `headers` false leaves the columns out, as later events of a watch do. */
export function table(served: Served, objects: readonly KubeObject[], metadata: ListMeta, version: string, include: IncludeObject, now: Date, headers = true): object {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: headers ? served.kind.columns : null,
    rows: objects.map((object) => ({
      cells: served.kind.row(object, now),
      object: include === 'None' ? null : include === 'Object' ? present(served, object) : partialMetadata(object, version),
    })),
  }
}
