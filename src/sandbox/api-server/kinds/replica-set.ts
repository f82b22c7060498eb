// ReplicaSet: so many pods of one template.
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { CONTAINER_COLUMNS, containerCells, nonNegative, validateSelectorKept, validateWorkload } from './deployment.ts'
import { printSelector, validateMetadata } from './metadata.ts'
import type { LabelSelector } from './metadata.ts'
import { dns1123Subdomain } from './names.ts'
import { defaultPodTemplate } from './pod-spec.ts'
import type { PodTemplate } from './pod-spec.ts'
import { describe } from '../schemas/table.ts'

interface ReplicaSetSpec {
  replicas?: number
  selector?: LabelSelector
  template?: PodTemplate
  minReadySeconds?: number
}

interface ReplicaSetStatus {
  replicas?: number
  readyReplicas?: number
}

function spec(object: KubeObject): ReplicaSetSpec {
  return (object['spec'] ?? {}) as ReplicaSetSpec
}

function status(object: KubeObject): ReplicaSetStatus {
  return (object['status'] ?? {}) as ReplicaSetStatus
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const { replicas, minReadySeconds, selector, template } = spec(object)
  return [
    ...validateMetadata(object, old, true, dns1123Subdomain),
    ...nonNegative(replicas, 'spec.replicas'),
    ...nonNegative(minReadySeconds, 'spec.minReadySeconds'),
    ...validateWorkload(selector, template, 'replicaset'),
    ...(old === undefined ? [] : validateSelectorKept(selector, spec(old).selector)),
  ]
}

const SPEC = 'apps.v1.ReplicaSetSpec'

export const replicaSetKind: Kind = {
  group: 'apps', version: 'v1', kind: 'ReplicaSet', resource: 'replicasets', singular: 'replicaset', shortNames: ['rs'], categories: ['all'],
  namespaced: true, subresources: ['scale', 'status'], schemaName: 'io.k8s.api.apps.v1.ReplicaSet', generation: true,
  defaults(draft) {
    draft['spec'] ??= {}
    draft['status'] ??= {}
    const replicaSet = spec(draft)
    replicaSet.replicas ??= 1
    status(draft).replicas ??= 0
    defaultPodTemplate((replicaSet.template ??= {}))
  },
  prepareForCreate(draft) {
    draft['status'] = { replicas: 0 }
  },
  validate,
  columns: [
    NAME,
    column('Desired', describe(SPEC, 'replicas'), { type: 'integer' }),
    column('Current', describe('apps.v1.ReplicaSetStatus', 'replicas'), { type: 'integer' }),
    column('Ready', describe('apps.v1.ReplicaSetStatus', 'readyReplicas'), { type: 'integer' }),
    AGE,
    ...CONTAINER_COLUMNS,
    column('Selector', describe(SPEC, 'selector'), { priority: 1 }),
  ],
  row: (object, now) => [
    object.metadata.name, spec(object).replicas ?? 0, status(object).replicas ?? 0, status(object).readyReplicas ?? 0, ageCell(object, now),
    ...containerCells(spec(object).template), printSelector(spec(object).selector),
  ],
  fields: { 'status.replicas': object => String(status(object).replicas ?? 0) },
}
