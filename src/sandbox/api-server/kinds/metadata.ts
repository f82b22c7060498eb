// The rules for metadata that all kinds share: names, labels, annotations, owners, finalizers.
import type { Cause, KubeObject, ObjectMeta, OwnerReference } from '../kind.ts'
import { forbidden, invalid, invalids, required, tooLong } from './cause.ts'
import { asPrefix, dns1123Label, labelValue, qualifiedName } from './names.ts'
import type { NameCheck } from './names.ts'

const ANNOTATION_BYTES = 256 * 1024

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key?: string; operator?: string; values?: string[] }[]
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, field: string): Cause[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [...invalids(field, key, qualifiedName(key)), ...invalids(field, value, labelValue(value))])
}

export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, field: string): Cause[] {
  const entries = Object.entries(annotations ?? {})
  const causes = entries.flatMap(([key]) => invalids(field, key, qualifiedName(key.toLowerCase())))
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  if (bytes > ANNOTATION_BYTES) causes.push(tooLong(field, ANNOTATION_BYTES))
  return causes
}

function validateOwner(owner: OwnerReference, field: string): Cause[] {
  const causes: Cause[] = []
  const version = owner.apiVersion ?? ''
  if (version === '' || version.endsWith('/')) causes.push(invalid(`${field}.apiVersion`, version, 'version must not be empty'))
  for (const name of ['kind', 'name', 'uid'] as const) {
    if ((owner[name] ?? '') === '') causes.push(invalid(`${field}.${name}`, owner[name] ?? '', 'must not be empty'))
  }
  if (version === 'v1' && owner.kind === 'Event') causes.push(invalid(field, owner, '/v1, Kind=Event is disallowed from being an owner'))
  return causes
}

function validateOwners(owners: readonly OwnerReference[], field: string): Cause[] {
  const causes = owners.flatMap(owner => validateOwner(owner, field))
  const [first, second] = owners.filter(owner => owner.controller === true)
  // The whole list is printed: once, not for every further controller.
  if (first !== undefined && second !== undefined) {
    causes.push(invalid(field, owners, `Only one reference can have Controller set to true. Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`))
  }
  return causes
}

function validateFinalizers(finalizers: readonly string[], field: string): Cause[] {
  const causes = finalizers.flatMap(finalizer => invalids(field, finalizer, qualifiedName(finalizer)))
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    causes.push(invalid(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  return causes
}

function validateUpdate(metadata: ObjectMeta, old: ObjectMeta): Cause[] {
  const causes: Cause[] = []
  if (old.deletionTimestamp !== undefined) {
    const before = new Set(old.finalizers)
    const added = (metadata.finalizers ?? []).filter(finalizer => !before.has(finalizer))
    if (added.length > 0) {
      const list = added.map(finalizer => JSON.stringify(finalizer)).join(', ')
      causes.push(forbidden('metadata.finalizers', `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`))
    }
  }
  for (const name of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (metadata[name] !== old[name]) causes.push(invalid(`metadata.${name}`, metadata[name], 'field is immutable'))
  }
  return causes
}

/** `nameCheck` is the kind's rule for names. */
export function validateMetadata(object: KubeObject, old: KubeObject | undefined, namespaced: boolean, nameCheck: NameCheck): Cause[] {
  const metadata = object.metadata
  const causes: Cause[] = []
  if (old === undefined) {
    if (metadata.generateName) causes.push(...invalids('metadata.generateName', metadata.generateName, nameCheck(asPrefix(metadata.generateName))))
    if ((metadata.name ?? '') === '') causes.push(required('metadata.name', 'name or generateName is required'))
    else causes.push(...invalids('metadata.name', metadata.name, nameCheck(metadata.name)))
    if (!namespaced) {
      if (metadata.namespace) causes.push(forbidden('metadata.namespace', 'not allowed on this type'))
    } else if (!metadata.namespace) causes.push(required('metadata.namespace'))
    else causes.push(...invalids('metadata.namespace', metadata.namespace, dns1123Label(metadata.namespace)))
  } else causes.push(...validateUpdate(metadata, old.metadata))
  causes.push(...validateLabels(metadata.labels, 'metadata.labels'))
  causes.push(...validateAnnotations(metadata.annotations, 'metadata.annotations'))
  causes.push(...validateOwners(metadata.ownerReferences ?? [], 'metadata.ownerReferences'))
  causes.push(...validateFinalizers(metadata.finalizers ?? [], 'metadata.finalizers'))
  return causes
}

export function validateLabelSelector(selector: LabelSelector | undefined, field: string): Cause[] {
  const causes = validateLabels(selector?.matchLabels, `${field}.matchLabels`)
  for (const [index, { key = '', operator = '', values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${index}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) causes.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) causes.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    } else causes.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'))
    causes.push(...invalids(`${at}.key`, key, qualifiedName(key)))
    for (const [position, value] of values.entries()) causes.push(...invalids(`${at}.values[${position}]`, value, labelValue(value)))
  }
  return causes
}

export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0
}

export function selectorMatches(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const has = (key: string): boolean => Object.hasOwn(labels, key)
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => has(key) && labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key = '', operator, values = [] }) => {
      if (operator === 'In') return has(key) && values.includes(labels[key] ?? '')
      if (operator === 'NotIn') return !has(key) || !values.includes(labels[key] ?? '')
      return operator === 'Exists' ? has(key) : !has(key)
    })
  )
}

/** As kubectl prints a selector: `app=web,tier in (a,b)`. */
export function printSelector(selector: LabelSelector | undefined): string {
  const terms = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  for (const { key = '', operator, values = [] } of selector?.matchExpressions ?? []) {
    if (operator === 'In') terms.push(`${key} in (${[...values].sort().join(',')})`)
    else if (operator === 'NotIn') terms.push(`${key} notin (${[...values].sort().join(',')})`)
    else terms.push(operator === 'Exists' ? key : `!${key}`)
  }
  return terms.length === 0 ? '<none>' : terms.sort().join(',')
}
