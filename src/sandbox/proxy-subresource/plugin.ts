// Routes of the API server that reach into pods: the proxy subresources of Services and Pods, and logs. What would need
// a container (exec, attach, port-forward) is refused in clear words.
import httpProxy from '@fastify/http-proxy'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import { ApiError } from '../api-server/api-error.ts'
import { notFound } from '../api-server/failures.ts'
import type { Registry } from '../api-server/registry.ts'
import type { Pod } from '../controllers/object-shapes.ts'
import type { PodLog } from '../pods/pod-log.ts'
import { checkLogQuery, isTrue, printed, printedLog, type LogQuery } from './pod-log-reply.ts'
import { parseProxyName, podOrigin, serviceOrigin } from './proxy-target.ts'

export interface ProxySubresourceOptions {
  readonly registry: Registry
  /** The access log of a running pod. */
  readonly podLog: (namespace: string, name: string) => PodLog | undefined
  readonly now?: () => number
  /** 0 up to 1; picks the endpoint of a Service. */
  readonly random?: () => number
}

/** What these routes add to discovery. */
export const CONNECT_SUBRESOURCES = [
  { resource: 'pods', subresource: 'log', kind: 'Pod', verbs: ['get'] },
  { resource: 'pods', subresource: 'proxy', kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
  { resource: 'services', subresource: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
] as const

interface Params {
  readonly namespace: string
  readonly name: string
}

const BASE = '/api/v1/namespaces/:namespace'
const METHODS = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT', 'OPTIONS'] as const
/** A follower of a log that reads no more than this behind is cut off. */
const MOST_UNREAD = 1024 * 1024

export function proxySubresource({ registry, podLog, now = Date.now, random = Math.random }: ProxySubresourceOptions): FastifyPluginAsync {
  return async (api) => {
    api.setErrorHandler((error, _request, reply) => sendStatus(reply, error))
    await api.register(proxyRoutes('services', ({ namespace, name }) => serviceOrigin(registry, namespace, parseProxyName(name), random)))
    await api.register(proxyRoutes('pods', ({ namespace, name }) => podOrigin(registry, namespace, parseProxyName(name))))

    api.get<{ Params: Params; Querystring: LogQuery }>(`${BASE}/pods/:name/log`, (request, reply) => {
      const { namespace, name } = request.params
      const pod = registry.get('pods', namespace, name) as Pod | undefined
      if (!pod) throw notFound({ group: '', resource: 'pods', kind: 'Pod' }, name)
      checkLogQuery(pod, request.query)
      const log = podLog(namespace, name)
      const text = log ? printedLog(log, request.query, now()) : ''
      if (!log || !isTrue(request.query.follow)) return reply.type('text/plain').send(text)
      follow(reply, log, text, request.query)
      return reply
    })

    for (const subresource of ['exec', 'attach', 'portforward']) {
      await api.register(async (refused) => {
        acceptAnyBody(refused)
        refused.route({ method: ['GET', 'POST'], url: `${BASE}/pods/:name/${subresource}`, handler: () => {
          throw new ApiError(501, 'NotImplemented', `the sandbox runs no containers, so there is nothing to ${subresource} to; pods answer HTTP at their address (kubectl get pods -o wide) and at pods/NAME/proxy`, {})
        } })
      })
    }
  }
}

function proxyRoutes(resource: 'services' | 'pods', originOf: (params: Params) => string): FastifyPluginAsync {
  /** Chosen once a request, before anything is sent. */
  const origins = new WeakMap<object, string>()
  return async (api) => {
    api.removeAllContentTypeParsers()
    await api.register(httpProxy, {
      upstream: '',
      prefix: `${BASE}/${resource}/:name/proxy`,
      rewritePrefix: '/',
      websocket: true,
      httpMethods: [...METHODS],
      disableRequestLogging: true,
      internalRewriteLocationHeader: false,
      http: { agentOptions: { keepAlive: false } },
      preHandler(request, reply, done) {
        const path = request.raw.url ?? ''
        const end = path.indexOf('?') < 0 ? path.length : path.indexOf('?')
        // As the real one: relative links of the page need the slash.
        if (path.slice(0, end).endsWith('/proxy')) {
          void reply.redirect(`${path.slice(0, end)}/${path.slice(end)}`, 301)
          return
        }
        try {
          origins.set(request, originOf(request.params as Params))
          done()
        } catch (error) {
          sendStatus(reply, error)
        }
      },
      replyOptions: {
        getUpstream: (request) => origins.get(request) ?? '',
        // A backend's 503 is an answer to show, not to hide by retries.
        retryDelay: () => null,
        onError: (reply, { error }) => sendStatus(reply, new ApiError(503, 'ServiceUnavailable', `error trying to reach ${resource === 'pods' ? 'pod' : 'service'}: ${causeOf(error)}`, {})),
      },
    })
  }
}

function follow(reply: FastifyReply, log: PodLog, before: string, query: LogQuery): void {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, { 'Content-Type': 'text/plain' })
  raw.flushHeaders()
  if (before !== '') raw.write(before)
  const stop = log.follow((line) => {
    raw.write(printed(line, query))
    if (raw.writableLength > MOST_UNREAD) raw.destroy()
  }, () => raw.end())
  raw.on('close', stop)
}

function acceptAnyBody(api: FastifyInstance): void {
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })
}

interface StatusReply {
  code(code: number): { type(contentType: string): { send(payload: unknown): unknown } }
}

function sendStatus(reply: StatusReply, error: unknown): void {
  const known = error instanceof ApiError ? error : new ApiError(400, 'BadRequest', error instanceof Error ? error.message : 'the request could not be read', {})
  void reply.code(known.code).type('application/json').send(known.status)
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message
}
