// The OpenAPI v3 documents that kubectl asks for: whether the server validates fields itself, and what `kubectl explain` prints.
import { createHash } from 'node:crypto'
import type { Kind, Schema } from './kind.ts'
import { referenceName } from './schemas/compact.ts'
import { SCHEMAS } from './schemas/table.ts'

export interface OpenApi {
  /** Body of GET /openapi/v3. */
  index(): object
  /** Body of GET /openapi/v3/<groupVersion>: `api/v1`, `apis/networking.k8s.io/v1`. Undefined for a group-version without kinds. */
  document(groupVersion: string): object | undefined
}

/** A resource in one group-version. */
interface ServedKind {
  readonly kind: Kind
  readonly group: string
  readonly version: string
  readonly schemaName: string
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const TIME = `${META}.Time`
const MICRO_TIME = `${META}.MicroTime`
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'

/** Types that the schema table keeps as formats of strings, under the names that the documents have for them. */
const NAMED_FORMATS: Readonly<Record<string, string>> = { 'date-time': TIME, 'micro-time': MICRO_TIME, 'int-or-string': INT_OR_STRING, 'quantity': QUANTITY }

const NAMED_SCHEMAS: Readonly<Record<string, object>> = {
  [TIME]: { description: 'Time is a wrapper around time.Time which supports correct marshaling to YAML and JSON.  Wrappers are provided for many of the factory methods that the time package offers.', type: 'string', format: 'date-time' },
  [MICRO_TIME]: { description: 'MicroTime is version of Time with microsecond level precision.', type: 'string', format: 'date-time' },
  [INT_OR_STRING]: {
    description: 'IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it produces or consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number.',
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  [QUANTITY]: { description: 'Quantity is a fixed-point representation of a number.', oneOf: [{ type: 'string' }, { type: 'number' }] },
}

function referTo(name: string): object {
  return { $ref: `#/components/schemas/${name}` }
}

/** A schema as the documents write it: references that carry a description go into allOf. Calls `follow` with every type it refers to. */
function emit(schema: Schema, follow: (name: string) => void): object {
  const { $ref, format, items, additionalProperties, properties, 'x-kubernetes-int-or-string': _, ...rest } = schema
  const named = $ref === undefined ? NAMED_FORMATS[format ?? ''] : referenceName($ref)
  if (named !== undefined) {
    follow(named)
    const { type: _type, ...beside } = rest
    return Object.keys(beside).length === 0 ? referTo(named) : { ...beside, allOf: [referTo(named)] }
  }
  return {
    ...rest,
    ...(format !== undefined && { format }),
    ...(items !== undefined && { items: emit(items, follow) }),
    ...(additionalProperties !== undefined && { additionalProperties: emit(additionalProperties, follow) }),
    ...(properties !== undefined && { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, emit(property, follow)])) }),
  }
}

function parameter(name: string): object {
  return { name, in: 'query', schema: { type: 'string', uniqueItems: true } }
}

function operation(served: ServedKind, action: string): object {
  const { kind, group, version } = served
  const isWrite = action === 'post' || action === 'put' || action === 'patch'
  return {
    'parameters': isWrite ? ['dryRun', 'fieldManager', 'fieldValidation'].map(parameter) : [],
    'responses': { 200: { description: 'OK', content: { 'application/json': { schema: referTo(served.schemaName) } } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind: kind.kind },
  }
}

function pathsOf(served: ServedKind): Record<string, object> {
  const { kind, group, version } = served
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const collection = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.resource}` : `${root}/${kind.resource}`
  return {
    [collection]: { get: operation(served, 'list'), post: operation(served, 'post') },
    [`${collection}/{name}`]: { get: operation(served, 'get'), put: operation(served, 'put'), patch: operation(served, 'patch'), delete: operation(served, 'delete') },
  }
}

function documentOf(kinds: readonly ServedKind[]): object {
  const schemas: Record<string, object> = {}
  const queue = kinds.map(served => served.schemaName)
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (schemas[name] !== undefined) continue
    const schema = SCHEMAS[name]
    schemas[name] = schema === undefined ? (NAMED_SCHEMAS[name] ?? { type: 'object' }) : emit(schema, next => queue.push(next))
  }
  for (const { kind, group, version, schemaName } of kinds) {
    schemas[schemaName] = { ...schemas[schemaName], 'x-kubernetes-group-version-kind': [{ group, version, kind: kind.kind }] }
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.2' },
    paths: Object.assign({}, ...kinds.map(pathsOf)) as object,
    components: { schemas },
  }
}

export function createOpenApi(kinds: readonly Kind[]): OpenApi {
  const served: ServedKind[] = kinds.flatMap(kind => [
    { kind, group: kind.group, version: kind.version, schemaName: kind.schemaName },
    ...(kind.legacy ?? []).map(({ group, version, schemaName }) => ({ kind, group, version, schemaName })),
  ])
  const byVersion = Map.groupBy(served, ({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`))
  const documents = new Map<string, object>()
  let index: object | undefined

  function document(groupVersion: string): object | undefined {
    const known = documents.get(groupVersion)
    const members = byVersion.get(groupVersion)
    if (known !== undefined || members === undefined) return known
    const made = documentOf(members)
    documents.set(groupVersion, made)
    return made
  }

  return {
    document,
    index() {
      // kubectl keeps documents by their hash, over servers and versions.
      index ??= {
        paths: Object.fromEntries(
          [...byVersion.keys()].map(groupVersion => {
            const hash = createHash('sha512').update(JSON.stringify(document(groupVersion))).digest('hex').toUpperCase()
            return [groupVersion, { serverRelativeURL: `/openapi/v3/${groupVersion}?hash=${hash}` }]
          }),
        ),
      }
      return index
    },
  }
}
