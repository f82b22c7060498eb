// Whether a request that failed on its way to an endpoint, or was answered by one with an error, may be sent once more.
import { FAILURES, type FailureKind } from '../base/failure.ts'
import type { RetryConditions } from '../model/policy.ts'
import type { UpstreamRequest } from '../upstream/request.ts'
import type { Exchange } from './exchange.ts'

/** `same`: an idle connection was stale, which says nothing of its endpoint. */
export type Retry = 'none' | 'same' | 'another'

/** Where a route has no limit. */
const MOST_TRIES = 100

/** RFC 9110 section 9.2.2; others are not sent twice once a byte of them was. */
export function isRepeatable(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'PUT' || method === 'DELETE'
}

/** Before the head of a response. `bodyKept`: all that was sent of the body can be sent again. Counts a retry that the budget of the backend is for. */
export function retryAfter(exchange: Exchange, kind: FailureKind, { reused, responseStarted }: UpstreamRequest, bodyKept: boolean): Retry {
  const { request } = exchange
  const isSafe = (FAILURES[kind].retry && (kind !== 'request-refused' || bodyKept)) || (kind === 'response-cut' && !responseStarted && isRepeatable(request.method) && bodyKept)
  // That happens once a connection, not once a try: it is no burden to limit.
  if (reused && isSafe) return countedTries(exchange) > exchange.context.settings.pool.tries ? 'none' : 'same'
  const on = exchange.route?.policy.retries?.on
  const isAsked = on === undefined ? isSafe : isAmong(on, kind, bodyKept && mayActTwice(request.method, on), bodyKept)
  return isAsked && isWithin(exchange) ? 'another' : 'none'
}

/** For a response whose head is not passed on yet: only where there is another endpoint, for else the client gets it as it is. */
export function isTriedElsewhere(exchange: Exchange, status: number, bodyKept: boolean): boolean {
  const on = exchange.route?.policy.retries?.on
  return on !== undefined && bodyKept && on.statuses.includes(status) && mayActTwice(exchange.request.method, on) && exchange.candidates.others() && isWithin(exchange)
}

/** After a connection that could not be made. */
export function mayConnectElsewhere({ route }: Exchange): boolean {
  return route?.policy.retries?.on?.error !== false
}

function countedTries({ tries, freeTries }: Exchange): number {
  return tries - freeTries
}

function mostTries({ context, route }: Exchange): number {
  const tries = route?.policy.retries?.tries ?? context.settings.pool.tries
  return tries === 0 ? MOST_TRIES : Math.min(tries, MOST_TRIES)
}

/** Tries, time and budget that are left. */
function isWithin(exchange: Exchange): boolean {
  const { context, backend, route, startedAt } = exchange
  const within = route?.policy.retries?.within ?? Infinity
  if (backend === undefined || countedTries(exchange) >= mostTries(exchange) || performance.now() - startedAt >= within) return false
  const isLeft = backend.retries.take(context.now)
  if (!isLeft) context.recorder.retryRefused()
  return isLeft
}

function mayActTwice(method: string, { nonIdempotent }: RetryConditions): boolean {
  return nonIdempotent || isRepeatable(method)
}

/** `isResendable`: it may have been acted on, and may be again. */
function isAmong({ error, timeout, invalidHeader }: RetryConditions, kind: FailureKind, isResendable: boolean, bodyKept: boolean): boolean {
  switch (kind) {
    case 'connect-failed':
    case 'handshake-failed':
    case 'certificate-refused':
      return error
    case 'connect-timeout':
      return timeout
    case 'request-refused':
      return error && bodyKept
    case 'response-cut':
      return error && isResendable
    case 'response-timeout':
      return timeout && isResendable
    case 'response-invalid':
      return invalidHeader && isResendable
    default:
      return false
  }
}
