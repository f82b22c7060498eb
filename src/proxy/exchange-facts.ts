// What is known of a request so far: the phases fill it in; filters, retries, the client's side and the record of the request read it.
import type { FailureKind } from '../base/failure.ts'
import { RequestHead } from '../http/http1/request-head.ts'
import type { Route } from '../model/routing.ts'
import type { Timeouts } from '../model/settings.ts'
import type { EndpointPool } from '../upstream/pool.ts'
import type { ProxyContext } from './context.ts'
import type { Downstream } from './downstream.ts'
import type { Origin } from './origin.ts'
import type { LiveBackend } from './routing.ts'

export abstract class ExchangeFacts {
  readonly context: ProxyContext
  readonly client: Downstream
  readonly request = new RequestHead()
  readonly tls: boolean
  /** Bytes of the request, head included; the client's side counts them. */
  bytesIn = 0
  active = false
  requestId = ''
  /** Where the request comes from. */
  origin: Origin
  /** Normalised. */
  path = ''
  route: Route | undefined
  backend: LiveBackend | undefined
  /** Those of the settings, or what the route has in their place. */
  timeouts: Timeouts
  pool: EndpointPool | undefined
  /** Index in the backend of the endpoint that `pool` is of. */
  endpointIndex = -1
  lastFailure: FailureKind | undefined
  /** A Set-Cookie line for the response; empty: none. */
  setCookie = ''
  /** How often it was sent, or should have been. */
  tries = 0
  /** Those of them that count no more: nobody took them, and since then its backend has other endpoints. */
  freeTries = 0
  /** Connections that could not be made. */
  refusals = 0
  /** To the client; 0: nothing yet. */
  status = 0
  /** By `performance.now`; `responseAt` 0: the backend has not answered. */
  startedAt = 0
  responseAt = 0

  constructor(context: ProxyContext, client: Downstream) {
    this.context = context
    this.client = client
    this.tls = client.tls
    this.origin = client.origin
    this.timeouts = context.settings.timeouts
  }

  /** Of the next request nothing is known but its head. */
  protected startFacts(): void {
    this.active = true
    this.origin = this.client.origin
    this.timeouts = this.context.settings.timeouts
    this.route = this.backend = this.pool = this.lastFailure = undefined
    this.tries = this.freeTries = this.refusals = this.status = this.responseAt = 0
    this.setCookie = ''
    this.startedAt = performance.now()
  }

  /** The connection is idle: lets go of what it was routed by, and of the strings that hold the whole head. */
  release(): void {
    this.request.reset()
    this.route = this.backend = this.pool = undefined
    this.path = this.requestId = ''
    this.origin = this.client.origin
    this.timeouts = this.context.settings.timeouts
  }
}
