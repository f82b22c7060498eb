// The phase that finds an endpoint of the backend: that of the session or the client where the route or the Service wants it so,
// else the scheduler's choice, then one that was not tried in vain.
import { moveCount } from '../balance/client-affinity.ts'
import { nextBehind, type Usable } from '../balance/turns.ts'
import type { FailureKind } from '../base/failure.ts'
import { byClient } from './client-affinity.ts'
import { byCookie } from './cookie-affinity.ts'
import type { Exchange } from './exchange.ts'
import type { LiveBackend } from './routing.ts'

export function pick(exchange: Exchange): 'continue' | FailureKind {
  const { backend, route, context } = exchange
  if (backend === undefined) return route === undefined || (route.backend === undefined && route.status === 404) ? 'no-route' : 'no-backend'
  if (exchange.candidates.tried.length > 0) exchange.counted.leave()
  else backend.retries.requests++
  exchange.candidates.admits = backend.health.admits(context.now)
  const affinity = route?.policy.affinity
  let index: number
  let isCounted = backend.counts
  if (affinity === undefined && backend.clients === undefined) index = choose(exchange, backend)
  else {
    let chosen = -1
    const find = (): number => (chosen = choose(exchange, backend))
    index = affinity !== undefined ? byCookie(exchange, backend, affinity, find) : byClient(exchange, backend, find)
    if (index !== chosen) isCounted = moveCount(backend.scheduler, backend.backend.endpoints, chosen, index)
  }
  const pool = exchange.candidates.poolOf(index)
  if (pool === undefined) return exchange.lastFailure ?? (isLimited(exchange, backend) && backend[exchange.tls ? 'tlsPools' : 'pools'].some((each) => each.queueFull) ? 'queue-full' : 'no-endpoints')
  if (isCounted) exchange.counted.take(backend, index)
  exchange.pool = pool
  exchange.endpointIndex = index
  return 'continue'
}

/** An endpoint may have all the connections that it may have, and none to spare. Sessions of HTTP/2 are always few. */
function isLimited({ context }: Exchange, { backend: { protocol } }: LiveBackend): boolean {
  return context.settings.pool.connectionsPerEndpoint > 0 || protocol?.version === 2
}

/** At first the scheduler's choice, then one that was not tried in vain. */
function choose(exchange: Exchange, backend: LiveBackend): number {
  const isRetry = exchange.candidates.tried.length > 0
  let index = among(exchange, backend, isRetry)
  if (index < 0 && exchange.candidates.admits !== undefined) {
    index = isRetry ? -1 : replacement(exchange, backend)
    exchange.candidates.admits = undefined
    if (index < 0) index = among(exchange, backend, isRetry)
  }
  return index < 0 && isLimited(exchange, backend) ? scheduled(exchange, backend, exchange.candidates.waitable) : index
}

function among(exchange: Exchange, backend: LiveBackend, isRetry: boolean): number {
  if (isRetry && !backend.counts) return nextBehind(backend.backend.endpoints, exchange.endpointIndex, exchange.candidates.usable)
  return scheduled(exchange, backend, isRetry || exchange.candidates.admits !== undefined || isLimited(exchange, backend) ? exchange.candidates.usable : undefined)
}

function scheduled(exchange: Exchange, { backend: { endpoints }, scheduler, key }: LiveBackend, usable: Usable): number {
  return scheduler.pick(endpoints, usable, key === undefined ? 0 : key(exchange))
}

/** Of a key whose own endpoint is out of use: the next one in order, where a retry would go too. */
function replacement(exchange: Exchange, backend: LiveBackend): number {
  if (backend.key === undefined || backend.counts) return -1
  const own = scheduled(exchange, backend, undefined)
  return own < 0 ? -1 : nextBehind(backend.backend.endpoints, own, exchange.candidates.usable)
}
