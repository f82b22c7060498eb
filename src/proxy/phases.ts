// The phases of a request up to its backend, in order. Each lets the exchange go on, says that it was answered, or why it fails.
// A new feature is a filter and a line in filters/filter.ts, or a phase and a line here.
import type { Usable } from '../balance/turns.ts'
import type { FailureKind } from '../base/failure.ts'
import { withoutFields } from '../http/http1/field-lines.ts'
import { normalisePath } from '../http/http1/path.ts'
import { hostFor, matchIn } from '../table/table.ts'
import type { Exchange } from './exchange.ts'
import { checkClient } from './filters/client-certificate.ts'
import type { LiveBackend } from './routing.ts'
import { originThroughProxy } from './trusted-proxy.ts'

export type Outcome = 'continue' | 'answered' | FailureKind

export type Phase = (exchange: Exchange) => Outcome

/** Where the request comes from, its id, and the path that routes are matched on. */
function identify(exchange: Exchange): Outcome {
  const { request, context, client } = exchange
  if (client.origin.isTrusted) exchange.origin = originThroughProxy(request, client.origin, context.settings.client, context.trustedProxies)
  else if (context.claimFields !== undefined) request.fields = withoutFields(request.fields, context.claimFields)
  exchange.requestId = request.requestId === '' ? context.newRequestId() : request.requestId
  const path = request.path === '*' ? '/' : normalisePath(request.path)
  if (path === undefined) return 'bad-request'
  exchange.path = path
  return 'continue'
}

/** The route that takes it, and with it the backend: unless its host wants a client certificate that is not there. */
function match(exchange: Exchange): Outcome {
  const { table, backends } = exchange.routing
  const host = hostFor(table, exchange.request.hostName)
  if (host?.clientCertificates !== undefined) {
    const refusal = checkClient(host, exchange.request, exchange.client.origin.handshake)
    if (typeof refusal === 'string') return refusal
    if (refusal !== undefined) {
      exchange.answer(refusal, true)
      return 'answered'
    }
  }
  const route = matchIn(table, host, exchange.path)
  exchange.route = route
  const id = route === undefined ? table.config.defaultBackend : route.backend
  if (id !== undefined) exchange.backend = backends.get(id)
  return 'continue'
}

/** What is known to be too much before any of it was read. */
function limit(exchange: Exchange): Outcome {
  const { bodyBytes } = exchange.context.settings.limits
  return bodyBytes > 0 && exchange.request.contentLength > bodyBytes ? 'body-too-large' : 'continue'
}

/** The policies of the route, which may answer even where there is no backend. */
function filter(exchange: Exchange): Outcome {
  const { route, context } = exchange
  if (route === undefined) return 'continue'
  const filters = context.filtersOf(route)
  for (let i = 0; i < filters.length; i++) {
    const answer = filters[i]?.(exchange)
    if (answer !== undefined) {
      exchange.answer(answer)
      return 'answered'
    }
  }
  return 'continue'
}

/** An endpoint of the backend: at first the scheduler's choice, then one that was not tried in vain. */
function pick(exchange: Exchange): Outcome {
  const { backend, route, context } = exchange
  if (backend === undefined) return route === undefined || (route.backend === undefined && route.status === 404) ? 'no-route' : 'no-backend'
  const limited = context.settings.pool.connectionsPerEndpoint > 0
  const isRetry = exchange.tried.length > 0
  if (isRetry) exchange.counted.leave()
  else backend.retries.requests++
  exchange.admits = backend.health.admits(context.now)
  let index = choose(exchange, backend, isRetry, limited)
  if (index < 0 && exchange.admits !== undefined) {
    index = isRetry ? -1 : replacement(exchange, backend)
    exchange.admits = undefined
    if (index < 0) index = choose(exchange, backend, isRetry, limited)
  }
  if (index < 0 && limited) index = scheduled(exchange, backend, exchange.waitable)
  const pool = backend.pools[index]
  if (pool === undefined) return exchange.lastFailure ?? (limited && backend.pools.some((each) => each.queueFull) ? 'queue-full' : 'no-endpoints')
  if (backend.counts) exchange.counted.take(backend, index)
  exchange.pool = pool
  exchange.endpointIndex = index
  return 'continue'
}

function choose(exchange: Exchange, backend: LiveBackend, isRetry: boolean, limited: boolean): number {
  if (isRetry && !backend.counts) return another(exchange, backend, exchange.endpointIndex)
  return scheduled(exchange, backend, isRetry || limited || exchange.admits !== undefined ? exchange.usable : undefined)
}

function scheduled(exchange: Exchange, { backend: { endpoints }, scheduler, key }: LiveBackend, usable: Usable): number {
  return scheduler.pick(endpoints, usable, key === undefined ? 0 : key(exchange))
}

/**
 * The next one in order, without the scheduler: a turn of rr taken for the second try would send
 * the first try of the next request to the same dead endpoint again.
 */
function another(exchange: Exchange, { backend: { endpoints } }: LiveBackend, failed: number): number {
  for (let step = 1; step <= endpoints.length; step++) {
    const index = (failed + step) % endpoints.length
    if ((endpoints[index]?.weight ?? 0) > 0 && exchange.isUsable(index)) return index
  }
  return -1
}

/** Of a key whose own endpoint is out of use: the next one in order, where a retry would go too. */
function replacement(exchange: Exchange, backend: LiveBackend): number {
  if (backend.key === undefined || backend.counts) return -1
  const own = scheduled(exchange, backend, undefined)
  return own < 0 ? -1 : another(exchange, backend, own)
}

/** Over an idle connection at once, over a new one as soon as it is there. */
function send(exchange: Exchange): Outcome {
  exchange.send()
  return 'continue'
}

export const PHASES: readonly Phase[] = [identify, match, limit, filter, pick, send]
/** Where another try begins. */
export const RETRY_FROM = PHASES.indexOf(pick)
