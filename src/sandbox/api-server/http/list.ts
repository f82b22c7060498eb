// Lists: selection, paging with continue tokens over a consistent snapshot, versions.
import { ApiError } from '../api-error.ts'
import type { ApiRegistry } from '../api-registry.ts'
import { badRequest, expired, invalid } from '../failures.ts'
import { isJsonObject } from '../json-value.ts'
import type { Cause, KubeObject } from '../kind.ts'
import { parseFieldSelector, parseLabelSelector } from '../selectors.ts'
import { objectKey } from '../storage.ts'
import { isTrue } from './request-info.ts'
import type { Served } from './served-versions.ts'
import type { ListMeta } from './table.ts'

export interface Page {
  readonly objects: readonly KubeObject[]
  readonly metadata: ListMeta
}

export type Selection = (object: KubeObject) => boolean

/** Label and field selectors of a query. Throws ApiError 400. */
export function readSelection(served: Served, query: URLSearchParams): Selection {
  const labels = parseLabelSelector(query.get('labelSelector') ?? undefined)
  const fields = parseFieldSelector(query.get('fieldSelector') ?? undefined, served.kind, served.legacy)
  return (object) => labels(object) && fields(object)
}

/** A resourceVersion parameter; undefined when it is not given. */
export function readVersion(query: URLSearchParams): number | undefined {
  const text = query.get('resourceVersion')
  if (text === null || text === '') return undefined
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

export function readLimit(query: URLSearchParams): number {
  const text = query.get('limit')
  if (text === null || text === '') return 0
  if (!/^-?\d{1,15}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Math.max(0, Number(text))
}

export function invalidOptions(kind: string, causes: readonly Cause[]): ApiError {
  return invalid({ group: 'meta.k8s.io', resource: '', kind }, '', causes)
}

export function listPage(registry: ApiRegistry, served: Served, namespace: string | undefined, query: URLSearchParams): Page {
  const select = readSelection(served, query)
  const limit = readLimit(query)
  const token = query.get('continue') ?? ''
  checkMatch(query)
  const requested = readVersion(query)
  const { storage } = registry
  if (token !== '' && requested !== undefined && requested !== 0) throw badRequest('specifying resource version is not allowed when using continue')
  if (requested !== undefined && requested > storage.version) throw tooLarge(requested, storage.version)
  const start = token === '' ? undefined : readToken(token)
  const exact = query.get('resourceVersionMatch') === 'Exact' ? requested : undefined
  const version = start === undefined ? (exact ?? storage.version) : start.version < 0 ? storage.version : start.version
  const all = storage.listAt(served.kind, namespace, version)
  if (all === undefined) throw start === undefined ? expired(`The resourceVersion for the provided list is too old.`) : expiredToken(start.key)
  const from = start === undefined ? all : all.filter((object) => listKey(object, namespace) >= start.key)
  const selected = from.filter(select)
  const resourceVersion = String(version)
  if (limit === 0 || selected.length <= limit) return { objects: selected, metadata: { resourceVersion } }
  const objects = selected.slice(0, limit)
  const last = objects.at(-1)
  const selective = query.get('labelSelector') || query.get('fieldSelector')
  return {
    objects,
    metadata: {
      resourceVersion,
      continue: writeToken(version, last === undefined ? '' : `${listKey(last, namespace)}\0`),
      ...(!selective && { remainingItemCount: selected.length - limit }),
    },
  }
}

/** Below one namespace keys are names, else namespace/name with a slash before, as etcd's keys below the prefix. */
function listKey(object: KubeObject, namespace: string | undefined): string {
  if (namespace !== undefined || object.metadata.namespace === undefined) return object.metadata.name
  return `/${objectKey(object)}`
}

function writeToken(version: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start }).replaceAll('\0', '\\u0000')).toString('base64url')
}

function readToken(token: string): { version: number; key: string } {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    throw badRequest('continue key is not valid: invalid character in token')
  }
  const version = isJsonObject(value) ? value['rv'] : undefined
  const key = isJsonObject(value) ? value['start'] : undefined
  if (!isJsonObject(value) || value['v'] !== 'meta.k8s.io/v1' || typeof version !== 'number' || !Number.isSafeInteger(version) || typeof key !== 'string') {
    throw badRequest('continue key is not valid: server does not recognize this encoded version')
  }
  return { version, key }
}

/** A token of a snapshot that is gone comes with one that goes on from the present state. */
function expiredToken(key: string): ApiError {
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  )
  return new ApiError(error.code, 'Expired', error.message, undefined, { continue: writeToken(-1, key) })
}

export function tooLarge(requested: number, current: number): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1,
  })
}

function checkMatch(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? ''
  const version = query.get('resourceVersion') ?? ''
  const field = 'resourceVersionMatch'
  const refuse = (detail: string): ApiError => invalidOptions('ListOptions', [{ reason: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` }])
  if (isTrue(query.get('sendInitialEvents')) && query.has('sendInitialEvents')) {
    throw invalidOptions('ListOptions', [{ reason: 'FieldValueForbidden', field: 'sendInitialEvents', message: 'Forbidden: sendInitialEvents is forbidden for list' }])
  }
  if (match === '') return
  if (query.get('continue')) throw refuse('resourceVersionMatch is forbidden when continue is provided')
  if (version === '') throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw invalidOptions('ListOptions', [{ reason: 'FieldValueNotSupported', field, message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"` }])
  }
  if (match === 'Exact' && version === '0') throw refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
}
