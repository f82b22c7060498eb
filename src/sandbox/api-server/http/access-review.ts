// SelfSubjectAccessReview (`kubectl auth can-i`): answered, never stored.
import { badRequest } from '../failures.ts'
import { isJsonObject, readPath } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import type { Json } from '../kind.ts'
import type { Attributes } from '../rbac/authorizer.ts'

/** `decide` is undefined for the cluster admin, who may do everything. */
export function reviewAccess(value: Json, decide: ((attributes: Attributes) => boolean) | undefined): JsonObject {
  const spec = isJsonObject(value) ? value['spec'] : undefined
  if (!isJsonObject(spec)) throw badRequest('SelfSubjectAccessReview in version "v1" cannot be handled as a SelfSubjectAccessReview: spec is missing')
  const text = (name: string): string => {
    const member = readPath(spec, 'resourceAttributes', name)
    return typeof member === 'string' ? member : ''
  }
  const attributes = { verb: text('verb'), group: text('group'), resource: text('resource'), subresource: text('subresource'), namespace: text('namespace'), name: text('name') }
  const allowed = decide === undefined || decide(attributes)
  return { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec, status: { allowed } }
}
