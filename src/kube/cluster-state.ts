// The objects as they are now, indexed: what translation reads. Each map and each value keeps its identity
// until something in it changes, so that translation can memoise by identity.
import type { ConfigMap, EndpointSlice, Ingress, IngressClass, ObjectKey, Secret, Service } from './objects.ts'

export interface ClusterState {
  readonly ingresses: ReadonlyMap<ObjectKey, Ingress>
  readonly ingressClasses: ReadonlyMap<ObjectKey, IngressClass>
  readonly services: ReadonlyMap<ObjectKey, Service>
  /** By `namespace/service-name`; the array is replaced when one of its slices changes. */
  readonly slicesByService: ReadonlyMap<ObjectKey, readonly EndpointSlice[]>
  readonly secrets: ReadonlyMap<ObjectKey, Secret>
  readonly configMaps: ReadonlyMap<ObjectKey, ConfigMap>
}
