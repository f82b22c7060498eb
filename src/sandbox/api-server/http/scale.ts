// The scale subresource: autoscaling/v1 Scale over spec.replicas of any kind that offers it.
import { badRequest, invalid, modified } from '../failures.ts'
import { copyJson, isJsonObject, readPath } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import type { KubeObject } from '../kind.ts'
import type { Served } from './served-versions.ts'
import { nameOf } from './served-versions.ts'

export function toScale({ metadata, ...object }: KubeObject): JsonObject {
  const replicas = readPath(object, 'spec', 'replicas')
  const selector = selectorText(readPath(object, 'spec', 'selector'))
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    // Zero is left out, as Go's omitempty does.
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: { replicas: readPath(object, 'status', 'replicas') ?? 0, ...(selector !== '' && { selector }) },
  }
}

/** The live object with the replicas of a Scale. Throws ApiError for versions that differ and bad numbers. */
export function withScale(served: Served, live: KubeObject, scale: unknown): KubeObject {
  if (!isJsonObject(scale)) throw badRequest('the body is no Scale object')
  const version = readPath(scale, 'metadata', 'resourceVersion')
  if (version !== undefined && version !== '' && version !== live.metadata.resourceVersion) throw modified(nameOf(served), live.metadata.name)
  const replicas = readPath(scale, 'spec', 'replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw badRequest(`Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal ${typeof replicas} into Go struct field ScaleSpec.spec.replicas of type int32`)
  }
  if (replicas < 0) {
    throw invalid({ group: 'autoscaling', resource: 'scales', kind: 'Scale' }, live.metadata.name, [
      { reason: 'FieldValueInvalid', field: 'spec.replicas', message: `Invalid value: ${replicas}: must be greater than or equal to 0` },
    ])
  }
  const draft = copyJson(live)
  const spec = draft['spec']
  draft['spec'] = { ...(isJsonObject(spec) ? spec : {}), replicas }
  return draft
}

/** A label selector as one line: `app=web,tier in (a,b)`. */
function selectorText(selector: unknown): string {
  const labels = readPath(selector, 'matchLabels')
  const expressions = readPath(selector, 'matchExpressions')
  const terms = isJsonObject(labels) ? Object.entries(labels).map(([key, value]) => ({ key, text: `${key}=${String(value)}` })) : []
  for (const expression of Array.isArray(expressions) ? expressions : []) {
    const key = String(readPath(expression, 'key') ?? '')
    const values = readPath(expression, 'values')
    const list = `(${(Array.isArray(values) ? values : []).map(String).toSorted().join(',')})`
    switch (readPath(expression, 'operator')) {
      case 'In': terms.push({ key, text: `${key} in ${list}` }); break
      case 'NotIn': terms.push({ key, text: `${key} notin ${list}` }); break
      case 'Exists': terms.push({ key, text: key }); break
      default: terms.push({ key, text: `!${key}` })
    }
  }
  return terms.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map((term) => term.text).join(',')
}
