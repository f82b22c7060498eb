// Compares the HTTP exchanges of a command with the recorded ones.
import { readRequestInfo } from '../../../../src/sandbox/api-server/http/request-info.ts'
import { isJsonObject } from '../../../../src/sandbox/api-server/json-value.ts'
import { decodeProtobuf } from '../../../../src/sandbox/api-server/protobuf/decode.ts'
import { differences, normalJson, normalPath } from './recording-normal-form.ts'
import { isBeyond, isOutside } from './recording-scope.ts'
import type { Exchange } from './recordings.ts'

type Found = ReturnType<typeof differences>

function isDiscovery(path: string): boolean {
  return /^\/apis?\?/.test(path)
}

/**
 * OpenAPI documents are not recorded; the version question is this machine's kubectl dispatcher's; when discovery is asked again
 * is the business of kubectl's cache.
 */
function counts({ request: { method, path } }: Exchange, withDiscovery: boolean): boolean {
  if (path.startsWith('/openapi/') || path.startsWith('/version?timeout=5s') || (isDiscovery(path) && !withDiscovery)) return false
  const resource = readRequestInfo(method, path)?.resource
  return resource === undefined || !isOutside(`${resource.group}/${resource.version}/${resource.resource}`)
}

export function compareExchanges(recorded: readonly Exchange[], actual: readonly Exchange[]): Found {
  const withDiscovery = [recorded, actual].every((list) => list.some(({ request }) => isDiscovery(request.path)))
  const left = recorded.filter((exchange) => counts(exchange, withDiscovery))
  const right = actual.filter((exchange) => counts(exchange, withDiscovery))
  const key = ({ request }: Exchange): string => `${request.method} ${normalPath(request.path)}`
  const sequence = differences(left.map(key), right.map(key), 'requests')
  if (sequence.length > 0) return sequence
  return left.flatMap((exchange, at) => {
    const other = right[at]
    return other === undefined ? [] : compareResponses(exchange, other, `exchange ${at + 1}`)
  })
}

function compareResponses({ request, response: recorded }: Exchange, { response: actual }: Exchange, where: string): Found {
  const discovery = isDiscovery(request.path)
  // Whether a cached document still holds depends on the cache alone.
  if (discovery && (recorded.status === 304 || actual.status === 304)) return []
  const found = [
    ...differences(recorded.status, actual.status, `${where} status`),
    ...differences(normalJson(recorded.warning), normalJson(actual.warning), `${where} warning`),
  ]
  if (recorded.lines !== undefined) return [...found, ...differences(normalJson(recorded.lines), normalJson(actual.lines), `${where} lines`)]
  if (recorded.bodyBase64 !== undefined) {
    // The decoder knows what kubectl sends, which is less than what a server answers: what it finds must be in our answer.
    const object = fromProtobuf(recorded.bodyBase64)
    return object === undefined ? found : [...found, ...differences(normalJson(object), normalJson(actual.body), `${where} body`).filter((difference) => difference.recorded !== undefined)]
  }
  if (discovery || isResourceList(recorded.body)) return [...found, ...differences(discoveredResources(recorded.body), discoveredResources(actual.body), `${where} body`)]
  return [...found, ...differences(normalJson(recorded.body), normalJson(actual.body), `${where} body`)]
}

/** undefined for messages of kinds that the decoder does not know. */
function fromProtobuf(base64: string): unknown {
  try {
    return decodeProtobuf(Buffer.from(base64, 'base64'))
  } catch {
    return undefined
  }
}

function isResourceList(body: unknown): boolean {
  return isJsonObject(body) && body['kind'] === 'APIResourceList'
}

/** Every resource and subresource of a discovery document that is in scope, by name. */
function discoveredResources(document: unknown): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  const add = (name: string, value: unknown): void => {
    if (!isOutside(name) && !isBeyond(name)) found[name] = value
  }
  const items = (value: unknown, name: string): readonly unknown[] => (isJsonObject(value) && Array.isArray(value[name]) ? value[name] : [])
  const text = (value: unknown, name: string): string => (isJsonObject(value) ? String(value[name] ?? '') : '')
  for (const group of items(document, 'items')) {
    const metadata = isJsonObject(group) ? group['metadata'] : undefined
    for (const version of items(group, 'versions')) {
      for (const resource of items(version, 'resources')) {
        const name = `${text(metadata, 'name')}/${text(version, 'version')}/${text(resource, 'resource')}`
        add(name, without(resource, 'subresources'))
        for (const subresource of items(resource, 'subresources')) add(`${name}/${text(subresource, 'subresource')}`, subresource)
      }
    }
  }
  // Only storage migration reads the hash of the storage encoding.
  for (const resource of items(document, 'resources')) add(`${text(document, 'groupVersion')}/${text(resource, 'name')}`, without(resource, 'storageVersionHash'))
  return found
}

function without(value: unknown, name: string): unknown {
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).filter(([key]) => key !== name)) : value
}

/** The table of `kubectl api-resources`, in scope. */
export function resourcesInScope(text: string): string {
  return text.split('\n').filter((line) => {
    const [name = '', ...columns] = line.trim().split(/\s+/)
    const version = columns.at(-3) ?? ''
    const full = `${version.includes('/') ? version : `/${version}`}/${name}`
    return !isOutside(full) && !isBeyond(full)
  }).join('\n')
}
