// One request of the API from its first byte to its answer: paths that are no resources, then authorization, then the verbs.
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dump } from 'js-yaml'
import { ApiError } from '../api-error.ts'
import type { ApiRegistry } from '../api-registry.ts'
import type { Kind } from '../kind.ts'
import { isNamespaceKind } from '../namespace-lifecycle.ts'
import { authenticate, isAllowed, refuse } from '../rbac/authorizer.ts'
import type { Attributes, User } from '../rbac/authorizer.ts'
import { reviewAccess } from './access-review.ts'
import { parseBody } from './bodies.ts'
import type { Decoders } from './bodies.ts'
import { createDiscovery, reviewGroup } from './discovery.ts'
import type { ConnectSubresource } from './discovery.ts'
import { negotiate, readClauses } from './negotiation.ts'
import { readRequestInfo, verbOf } from './request-info.ts'
import type { RequestInfo, Verb } from './request-info.ts'
import { createResourceHandler, readIncludeObject } from './resource-handler.ts'
import { createServedVersions } from './served-versions.ts'
import { versionInfo } from './version-info.ts'
import type { WatchServer } from './watch.ts'

/** What one API request did, for logs and for comparing verbs used with verbs granted. */
export interface ApiRequest {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly userAgent: string
  /** `system:serviceaccount:ns:name`, or `` for the cluster admin. */
  readonly user: string
}

export interface OpenApi {
  index(): object
  /** `api/v1`, `apis/networking.k8s.io/v1`. */
  document(groupVersion: string): object | undefined
}

export interface ApiHandlerOptions {
  readonly registry: ApiRegistry
  readonly watches: WatchServer
  readonly decoders: Decoders
  readonly openApi: OpenApi
  readonly connect: readonly ConnectSubresource[]
  /** Check bearer tokens against stored RBAC objects. */
  readonly rbac: boolean
  readonly onRequest: (request: ApiRequest) => void
  readonly onError: (error: unknown) => void
}

export type ApiHandler = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void

const notFoundPage = '404 page not found\n'

export function createApiHandler(options: ApiHandlerOptions): ApiHandler {
  const { registry, watches, decoders, openApi } = options
  const versions = createServedVersions(registry.kinds)
  const discovery = createDiscovery(versions, options.connect)
  const handleResource = createResourceHandler(registry, decoders)
  // Documents never change while the server lives: text and entity tag are made once each.
  const documents = new Map<string, { readonly text: string; readonly tag: string }>()

  function sendDocument(request: IncomingMessage, response: ServerResponse, key: string, make: () => object, contentType = 'application/json'): void {
    let known = documents.get(key)
    if (known === undefined) {
      const text = JSON.stringify(make())
      known = { text, tag: `"${createHash('sha256').update(text).digest('hex').toUpperCase()}"` }
      documents.set(key, known)
    }
    const headers = { etag: known.tag, vary: 'Accept', 'cache-control': 'public' }
    if (request.headers['if-none-match'] === known.tag) {
      response.writeHead(304, headers).end()
      return
    }
    response.writeHead(200, { ...headers, 'content-type': contentType }).end(known.text)
  }

  function sendAggregated(request: IncomingMessage, response: ServerResponse, core: boolean): void {
    for (const { type, parameters } of readClauses(request.headers.accept ?? '')) {
      const version = parameters.get('v')
      if (type === 'application/json' && parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('as') === 'APIGroupDiscoveryList' && (version === 'v2' || version === 'v2beta1')) {
        const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
        return sendDocument(request, response, `${String(core)} ${version}`, () => discovery.aggregated(core, version), contentType)
      }
      if (type === 'application/json' && !parameters.has('as')) break
    }
    sendDocument(request, response, `${String(core)} plain`, () => (core ? discovery.apiVersions() : discovery.groupList()))
  }

  /** Answers what is no resource; false where it is one. */
  function serveFixed(request: IncomingMessage, response: ServerResponse, { path }: RequestInfo): boolean {
    const segments = path.split('/').slice(1).filter((segment) => segment !== '')
    const [root = '', group = '', version = ''] = segments
    const plain = (make: () => object | undefined): boolean => {
      const key = segments.join('/')
      if (!documents.has(key) && make() === undefined) return false
      sendDocument(request, response, key, () => make() ?? {})
      return true
    }
    if (root === 'healthz' || root === 'livez' || root === 'readyz') {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }).end('ok')
      return true
    }
    if (path === '/version' || path === '/version/') return plain(versionInfo)
    if (path === '/openapi/v3') return plain(() => openApi.index())
    if (path.startsWith('/openapi/v3/')) return plain(() => openApi.document(segments.slice(2).join('/')))
    if (segments.length === 1 && (root === 'api' || root === 'apis')) {
      sendAggregated(request, response, root === 'api')
      return true
    }
    if (root === 'api' && segments.length === 2) return plain(() => discovery.resourceList('', group))
    if (root === 'apis' && segments.length === 2) return plain(() => discovery.group(group))
    return root === 'apis' && segments.length === 3 && plain(() => discovery.resourceList(group, version))
  }

  function authorize(user: User | undefined, attributes: Attributes): void {
    if (user !== undefined && !isAllowed(registry, user, attributes)) throw refuse(user, attributes)
  }

  function sendObject(response: ServerResponse, code: number, body: object, encoding: 'json' | 'yaml', warnings: readonly string[]): void {
    const text = encoding === 'yaml' ? dump(body, { noRefs: true }) : JSON.stringify(body)
    response.writeHead(code, { 'content-type': `application/${encoding}`, 'cache-control': 'no-cache, private', ...warningHeaders(warnings) }).end(`${text}\n`)
  }

  function attributesOf({ resource: path, query }: RequestInfo, verb: Verb): Attributes {
    // A list or watch of one name counts as a request for that name, so that resourceNames can grant it.
    const named = path?.name ?? /^metadata\.name==?([^,]+)$/.exec(query.get('fieldSelector') ?? '')?.[1]
    return { verb, group: path?.group ?? '', resource: path?.resource ?? '', subresource: path?.subresource ?? '', namespace: path?.namespace ?? '', name: named ?? '' }
  }

  function serve(request: IncomingMessage, body: Buffer, response: ServerResponse, warnings: string[]): void {
    const info = readRequestInfo(request.method ?? '', request.url ?? '')
    if (info === undefined) return notFound(response)
    const impersonated = request.headers['impersonate-user']
    const user = options.rbac ? authenticate(request.headers.authorization, Array.isArray(impersonated) ? impersonated[0] : impersonated) : undefined
    if ((info.method === 'GET' || info.method === 'HEAD') && serveFixed(request, response, info)) return
    const path = info.resource
    if (path === undefined) return notFound(response)
    const verb = verbOf(info)
    if (verb === undefined) throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
    const attributes = attributesOf(info, verb)
    const userAgent = request.headers['user-agent'] ?? ''
    const isReview = path.group === reviewGroup && path.resource === 'selfsubjectaccessreviews' && path.name === undefined
    const served = versions.find(path.group, path.version, path.resource)
    if (served === undefined && !isReview) return notFound(response)
    options.onRequest({ ...attributes, userAgent, user: user?.name ?? '' })
    const content = { bytes: body, contentType: request.headers['content-type'] }
    if (isReview) {
      if (verb !== 'create') throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
      const decide = user === undefined ? undefined : (asked: Attributes): boolean => isAllowed(registry, user, asked)
      return sendObject(response, 201, reviewAccess(parseBody(content, decoders).value, decide), 'json', [])
    }
    if (served === undefined) return notFound(response)
    if (served.deprecation !== undefined) warnings.push(served.deprecation)
    const subresourceVerbs = path.subresource === undefined ? undefined : verbsOf(served.kind, path.subresource)
    if (path.subresource !== undefined && subresourceVerbs === undefined) return notFound(response)
    if (!served.kind.namespaced && path.namespace !== undefined) return notFound(response)
    if (served.kind.namespaced && path.namespace === undefined && path.name !== undefined) return notFound(response)
    if ((subresourceVerbs ?? served.kind.verbs)?.includes(verb) === false) {
      throw new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
    }
    authorize(user, attributes)
    const answer = negotiate(request.headers.accept)
    if (verb === 'watch') {
      const headers = warningHeaders(warnings)
      watches.serve({ served, namespace: path.namespace, query: info.query, answer, include: readIncludeObject(info.query), headers }, response)
      return
    }
    const reply = handleResource({ info, path, served, verb, body: content, answer, defaultManager: managerOf(userAgent) })
    warnings.push(...reply.warnings)
    sendObject(response, reply.code, reply.body, answer.encoding, warnings)
  }

  return (request, body, response) => {
    const warnings: string[] = []
    try {
      serve(request, body, response, warnings)
    } catch (error) {
      if (!(error instanceof ApiError)) options.onError(error)
      const failure = error instanceof ApiError ? error : new ApiError(500, 'InternalError', 'Internal error occurred: the request could not be served', { causes: [] })
      if (response.headersSent) {
        response.destroy()
        return
      }
      const retry = failure.status.details?.retryAfterSeconds
      if (retry !== undefined) response.setHeader('retry-after', String(retry))
      sendObject(response, failure.code, failure.status, 'json', warnings)
    }
  }
}

/** What a subresource takes; undefined where there is none. */
function verbsOf(kind: Kind, subresource: string): readonly string[] | undefined {
  if (subresource === 'finalize' && isNamespaceKind(kind)) return ['update']
  return kind.subresources.some((known) => known === subresource) ? ['get', 'update', 'patch'] : undefined
}

/** As the real server names writers that do not name themselves. */
function managerOf(userAgent: string): string {
  return userAgent.split('/')[0]?.slice(0, 128) || 'unknown'
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }).end(notFoundPage)
}

/** RFC 7234 warn-text: quotes and backslashes escaped, nothing that could end the header. */
function warningHeaders(warnings: readonly string[]): Record<string, string[]> {
  if (warnings.length === 0) return {}
  const unique = [...new Set(warnings)].slice(0, 100)
  return { warning: unique.map((text) => `299 - "${text.replaceAll(/[^\x20-\x7E]/g, '?').replaceAll('\\', '\\\\').replaceAll('"', '\\"').slice(0, 2000)}"`) }
}
