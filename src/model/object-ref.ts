// Names a Kubernetes object without holding it. Used by diagnostics, events and metrics labels.

export interface ObjectRef {
  readonly kind: string
  readonly apiVersion: string
  /** Empty for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
  readonly uid?: string
}

/** `Ingress dev/web`, or `IngressClass narthex` for a cluster-scoped object. */
export function formatRef(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`
}
