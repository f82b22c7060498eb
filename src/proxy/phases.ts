// The phases of a request up to its backend, in order. Each lets the exchange go on, says that it was answered, or why it fails.
// A new feature is a filter and a line in filters/filter.ts, or a phase and a line here.
import type { FailureKind } from '../base/failure.ts'
import { withoutFields } from '../http/http1/field-lines.ts'
import { normalisePath } from '../http/http1/path.ts'
import { hostFor, matchIn } from '../table/table.ts'
import type { Exchange } from './exchange.ts'
import { checkClient } from './filters/client-certificate.ts'
import { isMisdirected } from './misdirected.ts'
import { pick } from './pick.ts'
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
  const { table, backends } = exchange.context.routing
  const { hostName } = exchange.request
  const host = hostFor(table, hostName)
  if (exchange.client.http2 && isMisdirected(table, exchange.client.origin.handshake, hostName, host)) return 'misdirected'
  // Of such a host no handshake is ours, so this one was for another name.
  if (host?.passthrough !== undefined && exchange.client.origin.handshake !== undefined) return 'misdirected'
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
  if (route?.policy.timeouts !== undefined) exchange.timeouts = exchange.context.timeoutsOf(route.policy.timeouts)
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

/** Over an idle connection at once, over a new one as soon as it is there. */
function send(exchange: Exchange): Outcome {
  exchange.send()
  return 'continue'
}

export const PHASES: readonly Phase[] = [identify, match, limit, filter, pick, send]
/** Where another try begins. */
export const RETRY_FROM = PHASES.indexOf(pick)
