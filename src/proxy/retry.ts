// Whether a request that failed on its way to an endpoint may be sent once more.
import { FAILURES, type FailureKind } from '../base/failure.ts'
import type { UpstreamRequest } from '../upstream/request.ts'
import type { Exchange } from './exchange.ts'

/** RFC 9110 section 9.2.2; others are not sent twice once a byte of them was. */
export function isRepeatable(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'PUT' || method === 'DELETE'
}

/** `bodyKept`: all that was sent of the body can be sent again. Counts a retry that the budget of the backend is for. */
export function mayRepeat({ tries: allTries, freeTries, context, request, backend }: Exchange, kind: FailureKind, { reused, responseStarted }: UpstreamRequest, bodyKept: boolean): boolean {
  const most = context.settings.pool.tries
  const tries = allTries - freeTries
  if (tries > most || (!reused && tries >= most)) return false
  const isSafe = (FAILURES[kind].retry && (kind !== 'request-refused' || bodyKept)) || (kind === 'response-cut' && !responseStarted && isRepeatable(request.method) && bodyKept)
  // That an idle connection was stale happens once a connection, not once a try: it is no burden to limit.
  if (!isSafe || reused || backend === undefined) return isSafe && reused
  const isWithin = backend.retries.take(context.now)
  if (!isWithin) context.recorder.retryRefused()
  return isWithin
}
