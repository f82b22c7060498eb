// What a request asks for: verb, group-version, resource, namespace, name, subresource, query. Pure.
// Follows k8s.io/apiserver request.RequestInfo.

export interface ResourcePath {
  readonly group: string
  readonly version: string
  /** undefined: cluster-scoped, or all namespaces. */
  readonly namespace: string | undefined
  readonly resource: string
  readonly name: string | undefined
  readonly subresource: string | undefined
}

export interface RequestInfo {
  readonly method: string
  /** Decoded, without query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly resource: ResourcePath | undefined
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** Longest target that is read at all. */
const maxTarget = 64 * 1024

/** undefined where the target is no valid path. */
export function readRequestInfo(method: string, target: string): RequestInfo | undefined {
  if (target.length > maxTarget || !target.startsWith('/')) return undefined
  const mark = target.indexOf('?')
  const rawPath = mark < 0 ? target : target.slice(0, mark)
  const segments: string[] = []
  for (const segment of rawPath.slice(1).split('/')) {
    try {
      segments.push(decodeURIComponent(segment))
    } catch {
      return undefined
    }
  }
  return { method, path: rawPath, query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)), resource: resourcePath(segments) }
}

function resourcePath(segments: readonly string[]): ResourcePath | undefined {
  const [root, ...rest] = segments
  if (root !== 'api' && root !== 'apis') return undefined
  const group = root === 'api' ? '' : (rest.shift() ?? '')
  const version = rest.shift() ?? ''
  if (version === '' || rest.length === 0 || rest[0] === '' || (root === 'apis' && group === '')) return undefined
  if (rest[0] === 'namespaces' && group === '') {
    const [, name, resource, ...more] = rest
    if (name === undefined || name === '') return rest.length === 1 ? { group, version, namespace: undefined, resource: 'namespaces', name: undefined, subresource: undefined } : undefined
    if (resource === undefined || ((resource === 'status' || resource === 'finalize') && more.length === 0)) {
      return { group, version, namespace: undefined, resource: 'namespaces', name, subresource: resource }
    }
    return inNamespace(group, version, name, [resource, ...more])
  }
  if (rest[0] === 'namespaces' && rest.length >= 3) return inNamespace(group, version, rest[1], rest.slice(2))
  return inNamespace(group, version, undefined, rest)
}

function inNamespace(group: string, version: string, namespace: string | undefined, rest: readonly string[]): ResourcePath | undefined {
  const [resource = '', name, subresource, ...more] = rest
  if (resource === '' || name === '' || subresource === '' || more.length > 0) return undefined
  return { group, version, namespace, resource, name, subresource }
}

/** undefined where the method has no meaning. */
export function verbOf({ method, resource, query }: RequestInfo): Verb | undefined {
  const named = resource?.name !== undefined
  switch (method) {
    case 'GET':
    case 'HEAD':
      return isTrue(query.get('watch')) && !named ? 'watch' : named ? 'get' : 'list'
    case 'POST': return 'create'
    case 'PUT': return named ? 'update' : undefined
    case 'PATCH': return named ? 'patch' : undefined
    case 'DELETE': return named ? 'delete' : 'deletecollection'
    default: return undefined
  }
}

export function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0'
}
