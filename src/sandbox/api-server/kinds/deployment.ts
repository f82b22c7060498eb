// Deployment: a template of pods and how to roll it out.
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { forbidden, invalid, invalidUnquoted, notSupported, required } from './cause.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { isEmptySelector, printSelector, selectorMatches, validateLabelSelector, validateMetadata } from './metadata.ts'
import type { LabelSelector } from './metadata.ts'
import { dns1123Subdomain } from './names.ts'
import { defaultPodTemplate } from './pod-spec.ts'
import type { PodTemplate } from './pod-spec.ts'
import { validatePodTemplate } from './pod-validation.ts'
import { describe } from '../schemas/table.ts'

interface DeploymentSpec {
  replicas?: number
  selector?: LabelSelector
  template?: PodTemplate
  strategy?: { type?: string; rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string } }
  minReadySeconds?: number
  revisionHistoryLimit?: number
  progressDeadlineSeconds?: number
}

interface DeploymentStatus {
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
}

function spec(object: KubeObject): DeploymentSpec {
  return (object['spec'] ?? {}) as DeploymentSpec
}

/** Selector and template of a workload: the rules that Deployments and ReplicaSets share. */
export function validateWorkload(selector: LabelSelector | undefined, template: PodTemplate | undefined, kind: string): Cause[] {
  const causes: Cause[] = []
  if (selector === undefined) causes.push(required('spec.selector'))
  else {
    causes.push(...validateLabelSelector(selector, 'spec.selector'))
    if (isEmptySelector(selector)) causes.push(invalid('spec.selector', selector, `empty selector is invalid for ${kind}`))
  }
  const labels = template?.metadata?.labels ?? {}
  // A selector that is missing selects nothing, one that is empty everything.
  if (selector === undefined || (!isEmptySelector(selector) && !selectorMatches(selector, labels))) {
    causes.push(invalid('spec.template.metadata.labels', template?.metadata?.labels, '`selector` does not match template `labels`'))
  }
  return [...causes, ...validatePodTemplate(template, 'spec.template')]
}

export function nonNegative(value: number | undefined, field: string): Cause[] {
  return value !== undefined && value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : []
}

/** Selectors decide who owns which pods: changing one would orphan them. */
export function validateSelectorKept(selector: LabelSelector | undefined, old: LabelSelector | undefined): Cause[] {
  return canonical(selector) === canonical(old) ? [] : [invalid('spec.selector', selector, 'field is immutable')]
}

function canonical(selector: LabelSelector | undefined): string {
  return JSON.stringify([Object.entries(selector?.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)), selector?.matchExpressions ?? []])
}

function validateAmount(value: number | string | undefined, field: string): Cause[] {
  if (typeof value === 'number') return nonNegative(value, field)
  if (value === undefined || /^\d+%$/.test(value)) return []
  return [invalidUnquoted(field, value, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')")]
}

function isZero(value: number | string | undefined): boolean {
  return value === 0 || value === '0%'
}

function validateStrategy({ strategy = {} }: DeploymentSpec): Cause[] {
  const field = 'spec.strategy'
  if (strategy.type === 'Recreate') {
    return strategy.rollingUpdate === undefined ? [] : [forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")]
  }
  // The whole struct, as Go names its fields.
  if (strategy.type !== 'RollingUpdate') return [notSupported(field, { Type: strategy.type, RollingUpdate: null }, ['Recreate', 'RollingUpdate'])]
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate ?? {}
  const causes = [...validateAmount(maxUnavailable, `${field}.rollingUpdate.maxUnavailable`), ...validateAmount(maxSurge, `${field}.rollingUpdate.maxSurge`)]
  if (isZero(maxUnavailable) && isZero(maxSurge)) causes.push(invalidUnquoted(`${field}.rollingUpdate.maxUnavailable`, maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0'))
  if (typeof maxUnavailable === 'string' && Number.parseInt(maxUnavailable, 10) > 100) causes.push(invalidUnquoted(`${field}.rollingUpdate.maxUnavailable`, maxUnavailable, 'must not be greater than 100%'))
  return causes
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const deployment = spec(object)
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = deployment
  const causes = [
    ...validateMetadata(object, old, true, dns1123Subdomain),
    ...nonNegative(deployment.replicas, 'spec.replicas'),
    ...validateWorkload(deployment.selector, deployment.template, 'deployment'),
    ...validateStrategy(deployment),
    ...nonNegative(minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(deployment.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...nonNegative(deadline, 'spec.progressDeadlineSeconds'),
  ]
  if (deadline !== undefined && deadline <= minReadySeconds) causes.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'))
  if (old !== undefined) causes.push(...validateSelectorKept(deployment.selector, spec(old).selector))
  return causes
}

/** Cells about the containers of a template: names, images. */
export function containerCells(template: PodTemplate | undefined): [string, string] {
  const containers = template?.spec?.containers ?? []
  return [containers.map(container => container.name ?? '').join(','), containers.map(container => container.image ?? '').join(',')]
}

export const CONTAINER_COLUMNS = [
  column('Containers', 'Names of each container in the template.', { priority: 1 }),
  column('Images', 'Images referenced by each container in the template.', { priority: 1 }),
]

export const deploymentKind: Kind = {
  group: 'apps', version: 'v1', kind: 'Deployment', resource: 'deployments', singular: 'deployment', shortNames: ['deploy'], categories: ['all'],
  namespaced: true, subresources: ['scale', 'status'], schemaName: 'io.k8s.api.apps.v1.Deployment', generation: true,
  defaults(draft) {
    draft['spec'] ??= {}
    draft['status'] ??= {}
    const deployment = spec(draft)
    deployment.replicas ??= 1
    deployment.revisionHistoryLimit ??= 10
    deployment.progressDeadlineSeconds ??= 600
    const strategy = (deployment.strategy ??= {})
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      strategy.rollingUpdate ??= {}
      strategy.rollingUpdate.maxUnavailable ??= '25%'
      strategy.rollingUpdate.maxSurge ??= '25%'
    }
    defaultPodTemplate((deployment.template ??= {}))
  },
  prepareForCreate(draft) {
    draft['status'] = {}
  },
  validate,
  columns: [
    NAME,
    column('Ready', 'Number of the pod with ready state'),
    column('Up-to-date', describe('apps.v1.DeploymentStatus', 'updatedReplicas')),
    column('Available', describe('apps.v1.DeploymentStatus', 'availableReplicas')),
    AGE,
    ...CONTAINER_COLUMNS,
    column('Selector', describe('apps.v1.DeploymentSpec', 'selector'), { priority: 1 }),
  ],
  row(object, now) {
    const { replicas = 0, selector, template } = spec(object)
    const status = (object['status'] ?? {}) as DeploymentStatus
    return [
      object.metadata.name, `${status.readyReplicas ?? 0}/${replicas}`, status.updatedReplicas ?? 0, status.availableReplicas ?? 0, ageCell(object, now),
      ...containerCells(template), printSelector(selector),
    ]
  },
  fields: {},
}
