// What the recorder hears of a finished request.
import { performance } from 'node:perf_hooks'
import { FAILURES, type FailureKind } from '../base/failure.ts'
import type { Exchange } from './exchange.ts'

/** `failure`: why the request was not answered by its backend. */
export function recordRequest(exchange: Exchange, failure: FailureKind | undefined): void {
  const { request, client, origin, context, status, startedAt, responseAt } = exchange
  const { record } = context
  record.method = request.method
  record.host = request.hostName
  record.path = request.path
  record.protocol = client.http2 ? '2' : request.minorVersion === 1 ? '1.1' : '1.0'
  record.tls = exchange.tls
  record.clientAddress = origin.address
  record.requestId = exchange.requestId
  record.route = exchange.route?.source
  record.backend = exchange.backend?.backend.id ?? ''
  record.endpoint = exchange.pool?.endpoint.id ?? ''
  record.status = status === 0 && failure !== undefined ? FAILURES[failure].status : status
  record.failure = failure
  record.bytesIn = exchange.bytesIn
  record.bytesOut = client.bytesOut
  record.tries = exchange.tries
  record.duration = performance.now() - startedAt
  record.startedAt = context.now - record.duration
  record.responseStart = responseAt === 0 ? -1 : responseAt - startedAt
  context.recorder.request(record)
}
