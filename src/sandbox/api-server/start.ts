// Starts the sandbox's Kubernetes API server: a registry behind fastify on a loopback address.
import Fastify from 'fastify'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { ApiError } from './api-error.ts'
import type { ApiRegistry } from './api-registry.ts'
import { createRegistry } from './create-registry.ts'
import { createApiHandler } from './http/api-handler.ts'
import type { ApiRequest, OpenApi } from './http/api-handler.ts'
import type { Decoders } from './http/bodies.ts'
import { decoders } from './http/decoders.ts'
import type { ConnectSubresource } from './http/discovery.ts'
import { isLoopback, refuseForeign } from './http/loopback-guard.ts'
import { createWatchServer } from './http/watch.ts'
import type { Kind } from './kind.ts'
import { createOpenApi } from './openapi.ts'
import { rbacKinds } from './rbac/rbac-kinds.ts'
import type { SchemaTable } from './schema-walk.ts'
import { SCHEMAS } from './schemas/table.ts'

/** As the real server: larger request bodies are refused with 413. */
const bodyLimit = 3 * 1024 * 1024
const bookmarkMilliseconds = 60_000

export interface ApiServerOptions {
  /** 0 takes any free port. */
  readonly port: number
  readonly address: string
  readonly kinds: readonly Kind[]
  /** These three are the real kinds' own when left out. */
  readonly schemas?: SchemaTable
  readonly decoders?: Decoders
  readonly openApi?: OpenApi
  readonly log: (line: string) => void
  /** Requests with `Authorization: Bearer serviceaccount:<namespace>:<name>` get the rights of that account only. */
  readonly rbac?: boolean
  readonly now?: () => Date
  readonly historySize?: number
  readonly bookmarkMilliseconds?: number
  readonly nameSuffix?: (generateName: string) => string
  /** Routes of other parts (pod and service proxies); they win over the API's own. */
  readonly plugins?: (registry: ApiRegistry) => readonly FastifyPluginAsync[]
  /** What those routes add to discovery. */
  readonly connect?: readonly ConnectSubresource[]
}

export interface ApiServer {
  readonly port: number
  readonly url: string
  readonly registry: ApiRegistry
  /** Hears of every request for a resource; the answer stops it. */
  onRequest(listener: (request: ApiRequest) => void): () => void
  close(): Promise<void>
}

/** Throws what listening throws (EADDRINUSE). */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const report = (error: unknown): void => options.log(`sandbox api: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  const kinds = [...options.kinds, ...rbacKinds]
  const registry = createRegistry({
    kinds,
    schemas: options.schemas ?? SCHEMAS,
    onError: report,
    ...(options.now && { now: options.now }),
    ...(options.nameSuffix && { nameSuffix: options.nameSuffix }),
    ...(options.historySize !== undefined && { historySize: options.historySize }),
  })
  const watches = createWatchServer(registry, { bookmarkMilliseconds: options.bookmarkMilliseconds ?? bookmarkMilliseconds })
  const listeners = new Set<(request: ApiRequest) => void>()
  const handle = createApiHandler({
    registry,
    watches,
    decoders: options.decoders ?? decoders,
    openApi: options.openApi ?? createOpenApi(kinds),
    connect: options.connect ?? [],
    rbac: options.rbac === true,
    onRequest: (request) => {
      for (const listener of listeners) listener(request)
    },
    onError: report,
  })

  const fastify = Fastify({ logger: false, bodyLimit, forceCloseConnections: true, exposeHeadRoutes: false, routerOptions: { maxParamLength: 2000 } })
  if (isLoopback(options.address)) {
    fastify.addHook('onRequest', (request, reply, done) => {
      try {
        refuseForeign(request.headers)
        done()
      } catch (error) {
        const { status } = error instanceof ApiError ? error : errorStatus(error)
        void reply.code(status.code ?? 403).type('application/json').send(status)
      }
    })
  }
  for (const plugin of options.plugins?.(registry) ?? []) await fastify.register(plugin)
  await fastify.register(async (api) => {
    api.removeAllContentTypeParsers()
    api.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    api.setErrorHandler((error, _request, reply) => {
      const { status } = errorStatus(error)
      return reply.code(status.code ?? 500).type('application/json').send(status)
    })
    api.route({
      method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      url: '/*',
      handler: (request: FastifyRequest, reply) => {
        reply.hijack()
        handle(request.raw, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0), reply.raw)
      },
    })
  })
  await fastify.listen({ port: options.port, host: options.address })
  const bound = fastify.server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port
  const host = options.address.includes(':') ? `[${options.address}]` : options.address

  return {
    port,
    url: `http://${host}:${port}`,
    registry,
    onRequest(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    async close() {
      watches.closeAll()
      await fastify.close()
      registry.close()
    },
  }
}

function errorStatus(error: unknown): ApiError {
  const code = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  if (code === 413) return new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimit}`, {})
  if (code === 415) return new ApiError(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format', {})
  return new ApiError(typeof code === 'number' && code >= 400 && code < 500 ? code : 500, code === 400 ? 'BadRequest' : 'InternalError', 'the request could not be read', {})
}
