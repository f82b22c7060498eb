// The admin server: health for the platform, metrics, and the state for people. It only reads; what it reads comes in as AdminView.
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import type { Log } from '../base/log.ts'
import { EXPOSITION_TYPE } from '../observe/exposition.ts'
import { renderMetrics } from '../observe/metrics.ts'
import { renderProcessMetrics } from '../observe/process-metrics.ts'
import { explain, type ExplainRequest } from './explain.ts'
import { renderPage } from './page.ts'
import { routingView } from './routing-view.ts'
import type { AdminView } from './view.ts'

export interface AdminOptions {
  /** 0: any free one. */
  readonly port: number
  /** Empty: all addresses. */
  readonly address: string
  readonly view: AdminView
  readonly log: Log
}

export interface AdminServer {
  readonly port: number
  close(): Promise<void>
}

/** Rejects with the error of `listen` when the port can't be had. */
export async function startAdmin({ port, address, view, log }: AdminOptions): Promise<AdminServer> {
  const app = createAdmin(view, log)
  try {
    await app.listen({ port, host: address === '' ? '::' : address })
  } catch (error) {
    if (!(address === '' && error instanceof Error && 'code' in error && error.code === 'EAFNOSUPPORT')) throw error
    await app.listen({ port, host: '0.0.0.0' })
  }
  const bound = app.server.address()
  return { port: typeof bound === 'object' && bound !== null ? bound.port : port, close: () => app.close() }
}

/** Not listening yet: tests inject requests. */
export function createAdmin(view: AdminView, log: Log): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, bodyLimit: 1024 })
  app.addHook('onSend', (_request, reply, payload, done) => {
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    done(null, payload)
  })
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof RangeError) return reply.code(400).send({ error: error.message })
    const status = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
    if (status >= 500) log('error', 'admin request failed', { url: request.routeOptions.url, error: error instanceof Error ? error.message : String(error) })
    return reply.code(status).send({ error: status >= 500 ? 'internal error, see the log' : 'bad request' })
  })
  health(app, view)
  state(app, view)
  return app
}

function health(app: FastifyInstance, view: AdminView): void {
  app.get('/healthz', (_request, reply) => (view.isShuttingDown() ? text(reply.code(500), 'shutting down\n') : text(reply, 'ok\n')))
  app.get('/readyz', (_request, reply) => {
    const reason = view.isShuttingDown() ? 'shutting down' : view.notReady()
    return reason === undefined ? text(reply, 'ready\n') : text(reply.code(503), `not ready: ${reason}\n`)
  })
  app.get('/metrics', async (_request, reply) => {
    const [dataPlane, ofProcess] = await Promise.all([view.dataPlane(), renderProcessMetrics()])
    const ours = renderMetrics({
      version: view.version,
      ready: !view.isShuttingDown() && view.notReady() === undefined,
      config: view.config(),
      diagnostics: view.diagnostics(),
      dataPlane,
      loop: view.loop(),
      leads: view.leads(),
      watchRestarts: view.watchRestarts(),
    })
    return reply.type(EXPOSITION_TYPE).send(ours + ofProcess)
  })
}

function state(app: FastifyInstance, view: AdminView): void {
  app.get('/api/routes', (request) => {
    const host = one(request.query, 'host')
    const name = host === undefined ? undefined : (view.hostName(host) ?? host)
    return view.dataPlane().then(({ version, endpointHealth }) => ({ version, listeners: view.listeners(), ...routingView(view.config(), name, endpointHealth) }))
  })
  app.get('/api/diagnostics', () => ({ diagnostics: view.diagnostics() }))
  app.get('/api/explain', (request) => explain(explainRequest(request.query), { ...view, config: view.config(), settings: view.settings() }))
  app.get('/', async (_request, reply) => {
    const { version: tableVersion, endpointHealth } = await view.dataPlane()
    const page = renderPage({
      version: view.version,
      tableVersion,
      notReady: view.isShuttingDown() ? 'shutting down' : view.notReady(),
      routing: routingView(view.config(), undefined, endpointHealth),
      diagnostics: view.diagnostics(),
      now: Date.now(),
    })
    return reply.type('text/html; charset=utf-8').header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'").send(page)
  })
}

function explainRequest(query: unknown): ExplainRequest {
  const url = one(query, 'url')
  if (url === undefined) throw new RangeError('url is missing: /api/explain?url=http://host/path')
  const headers = all(query, 'header').map((line): [string, string] => {
    const colon = line.indexOf(':')
    if (colon < 1) throw new RangeError(`header "${line}" is not of the form Name: value`)
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
  })
  const from = one(query, 'from')
  return { url, method: (one(query, 'method') ?? 'GET').toUpperCase(), headers, ...(from !== undefined && { from }) }
}

function text(reply: FastifyReply, body: string): FastifyReply {
  return reply.type('text/plain; charset=utf-8').send(body)
}

function all(query: unknown, name: string): readonly string[] {
  const value = typeof query === 'object' && query !== null ? Reflect.get(query, name) : undefined
  if (value === undefined) return []
  return Array.isArray(value) ? value.map(String) : [String(value)]
}

function one(query: unknown, name: string): string | undefined {
  return all(query, name).at(-1)
}
