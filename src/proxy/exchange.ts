// One request and its response: runs the phases, then moves bodies both ways until the response is complete or one side fails.
// Knows neither the client's wire (Downstream) nor how a backend's bytes are read (UpstreamRequest).
import { FAILURES, type FailureKind } from '../base/failure.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import type { EndpointPool } from '../upstream/pool.ts'
import type { UpstreamRequest, UpstreamTunnel } from '../upstream/request.ts'
import type { ResponseSink } from '../upstream/response-sink.ts'
import { failureAnswer, reasonOf, type Answer } from './answer.ts'
import { Candidates } from './candidates.ts'
import { ChangeWait } from './change-wait.ts'
import { CountedEndpoint } from './counted-endpoint.ts'
import { ExchangeFacts } from './exchange-facts.ts'
import { inWordsOf, isGrpc } from './grpc-answer.ts'
import { PHASES, RETRY_FROM } from './phases.ts'
import { QueueWait } from './queue-wait.ts'
import { RequestBody } from './request-body.ts'
import { recordRequest } from './request-facts.ts'
import { isRepeatable, isTriedElsewhere, mayConnectElsewhere, retryAfter } from './retry.ts'
import type { LiveBackend } from './routing.ts'

export class Exchange extends ExchangeFacts implements ResponseSink {
  readonly candidates = new Candidates(this)
  readonly counted = new CountedEndpoint()
  readonly #body = new RequestBody()
  #wait: QueueWait | undefined
  #change: ChangeWait | undefined
  /** Not ready yet. */
  #coming: UpstreamRequest | undefined
  /** Its head was sent, and it is neither over nor anybody else's. */
  #upstream: UpstreamRequest | undefined
  /** The body is held back until there is one. */
  #holds = false
  #fresh = false
  #responseStarted = false

  /** `request` is parsed; its body follows through `requestData` and `requestEnd`. */
  begin(): void {
    this.#start()
    this.#body.start(!this.request.hasBody, isRepeatable(this.request.method))
    this.#run(0)
  }

  /** The head was refused: `request` holds what was understood of it. `silently`: the client learns it otherwise than by an answer. */
  refuse(kind: FailureKind, silently = false): void {
    this.#start()
    this.requestId = this.request.requestId === '' ? this.context.newRequestId() : this.request.requestId
    if (silently) this.#finish(kind)
    else this.fail(kind)
  }

  #start(): void {
    this.startFacts()
    this.candidates.clear()
    this.#coming = this.#upstream = undefined
    this.#fresh = this.#holds = this.#responseStarted = false
  }

  #run(from: number): void {
    for (let i = from; i < PHASES.length; i++) {
      const outcome = PHASES[i]?.(this)
      if (outcome === 'continue') continue
      if (outcome !== undefined && outcome !== 'answered' && !(from === RETRY_FROM && this.#awaitsChange(outcome))) this.fail(outcome)
      return
    }
  }

  /** The last phase before the backend has the word. */
  send(): void {
    const { pool } = this
    if (pool === undefined) return
    this.tries++
    if (pool.connectable) this.#obtain(pool)
    else this.#passOver(pool, 'connect-failed')
  }

  /** It was tried in vain: another endpoint. */
  #passOver(pool: EndpointPool, kind: FailureKind): void {
    this.candidates.tried.push(pool)
    this.lastFailure = kind
    this.#run(RETRY_FROM)
  }

  #obtain(pool: EndpointPool): void {
    const idle = this.#fresh ? undefined : pool.take()
    if (idle !== undefined) return this.upstreamReady(idle)
    this.#holds = true
    this.client.blockBody()
    if (pool.full) (this.#wait ??= new QueueWait(this)).start(pool)
    else pool.connect(this)
  }

  /** After waiting for a connection. */
  turnCame(pool: EndpointPool): void {
    if (pool.users > 0) this.#obtain(pool)
    else this.#passOver(pool, 'no-endpoints')
    this.client.flushSoon()
  }

  /** It may be sent once more, and its endpoints are gone: whether it waits for others. */
  #awaitsChange(kind: FailureKind): boolean {
    const { backend, pool } = this
    if ((kind !== 'connect-failed' && kind !== 'response-cut') || backend === undefined || pool === undefined || !mayConnectElsewhere(this)) return false
    if (!this.candidates.tried.includes(pool)) this.candidates.tried.push(pool)
    return (this.#change ??= new ChangeWait(this)).start(backend, kind)
  }

  /** After waiting for that; undefined: there is no such backend any more. Who refused before is not tried again. */
  backendChanged(backend: LiveBackend | undefined, before: FailureKind): void {
    if (backend === undefined) this.fail(before)
    else {
      this.counted.leave()
      this.backend = backend
      this.freeTries = this.refusals
      this.#run(RETRY_FROM)
    }
    this.client.flushSoon()
  }

  // === from the client

  requestData(buffer: Buffer, start: number, end: number): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    this.#body.write(upstream, buffer, start, end)
    if (upstream.full && upstream === this.#upstream) {
      upstream.awaitDrain()
      this.client.blockBody()
    }
  }

  requestEnd(trailers: string): void {
    this.#body.end(this.#upstream, trailers)
    if (this.#upstream?.full === true) this.#upstream.awaitDrain()
    else this.#upstream?.awaitResponse()
  }

  /** All that arrived at once was handed over. */
  requestTurnEnd(): void {
    this.#upstream?.flushSoon()
  }

  clientDrained(): void {
    this.#upstream?.resumeReading()
  }

  /** `kind`: what it did, if it is not just gone. */
  clientGone(kind: FailureKind = 'client-gone'): void {
    if (this.active) this.#finish(kind)
  }

  // === from the backend

  upstreamComing(upstream: UpstreamRequest): void {
    this.#coming = upstream
  }

  upstreamReady(upstream: UpstreamRequest): void {
    this.#coming = undefined
    this.#upstream = upstream
    if (upstream.mayRefuse || this.route?.policy.retries?.on?.nonIdempotent === true) this.#body.keep()
    // Each of these may fail, and then another try is on its way, or none, when it returns.
    upstream.sendHead(this, this.request, this.requestId, this.origin.fields)
    if (upstream === this.#upstream) this.#body.replay(upstream)
    if (upstream !== this.#upstream) return
    // A client that waits for 100 waits for the backend.
    if (upstream.requestComplete || this.request.expectContinue) upstream.awaitResponse()
    else upstream.awaitRequest()
    if (!this.#holds) return
    upstream.flush()
    if (upstream !== this.#upstream) return
    this.#holds = false
    if (upstream.full) upstream.awaitDrain()
    else this.client.unblockBody()
  }

  interimResponse(head: ResponseHead): void {
    if (this.request.minorVersion === 1) this.client.sendInterim(head)
    if (this.#upstream?.requestComplete === false) this.#upstream.awaitRequest()
  }

  responseHead(head: ResponseHead): void {
    // A client of HTTP/2 would take it for a tunnel (RFC 8441 section 5).
    if (this.client.http2 && this.request.upgrade !== '' && head.status < 300) return this.fail('response-invalid')
    const { backend } = this
    if (backend !== undefined && (head.status >= 500 || backend.health.watching)) backend.health.answered(this.endpointIndex, head.status, this.context.now)
    if (isTriedElsewhere(this, head.status, this.#body.repeatable)) return this.#decline()
    this.#answered(head)
    this.#body.forget()
    this.client.sendHead(head)
  }

  /** The answer is not to be the client's: another endpoint may have a better one. */
  #decline(): void {
    this.#detach()
    this.#fresh = true
    if (this.pool !== undefined) this.#passOver(this.pool, 'request-refused')
    this.client.flushSoon()
  }

  #answered(head: ResponseHead): void {
    this.#responseStarted = true
    this.status = head.status
    this.responseAt = performance.now()
    if (this.setCookie !== '') head.fields += this.setCookie
  }

  responseData(buffer: Buffer, start: number, end: number): void {
    this.client.sendData(buffer, start, end)
    if (this.client.full) this.#upstream?.pauseReading()
  }

  upstreamDone(): void {
    this.#upstream = undefined
  }

  responseEnd(trailers: string): void {
    this.counted.answered()
    this.client.sendEnd(trailers)
  }

  responseTurnEnd(): void {
    this.client.flushSoon()
  }

  switchedProtocols(head: ResponseHead, upstream: UpstreamTunnel): void {
    this.#answered(head)
    // From here on it belongs to the tunnel.
    this.#upstream = undefined
    this.client.switchProtocols(head, upstream)
  }

  upstreamDrained(): void {
    if (this.#upstream?.requestComplete === true) this.#upstream.awaitResponse()
    else this.#upstream?.awaitRequest()
    this.client.unblockBody()
  }

  upstreamFailed(kind: FailureKind, upstream: UpstreamRequest): void {
    if (upstream !== this.#upstream && upstream !== this.#coming) return
    this.#coming = this.#upstream = undefined
    this.lastFailure = kind
    if (kind === 'connect-failed') this.refusals++
    if (!upstream.reused && !this.#responseStarted) this.backend?.health.failed(this.endpointIndex, kind, this.context.now)
    const { pool } = this
    // HTTP/2 backends may take back what they have begun to answer; the client has that.
    const retry = pool === undefined || this.#responseStarted ? 'none' : retryAfter(this, kind, upstream, this.#body.repeatable)
    if (pool !== undefined && retry !== 'none') {
      this.#fresh = true
      // Over a new connection: unless the endpoint is gone.
      if (retry === 'same' && pool.users > 0) this.send()
      else this.#passOver(pool, kind)
    } else if (kind !== 'connect-failed' || !this.#awaitsChange(kind)) this.fail(kind, upstream.resetCode)
    this.client.flushSoon()
  }

  // === the end

  /** `close`: the connection serves no further request. */
  answer(answer: Answer, close = false): void {
    this.#say(inWordsOf(this.request, answer, reasonOf(answer.status)), close)
  }

  #say(answer: Answer, close: boolean): void {
    this.status = answer.status
    this.client.sendAnswer(answer, close)
  }

  /** `resetCode`: with which the endpoint has reset it. A gRPC client reads more in that than in an answer of ours. */
  fail(kind: FailureKind, resetCode = 0): void {
    if (this.#responseStarted || kind === 'client-gone' || (resetCode !== 0 && this.client.http2 && isGrpc(this.request))) {
      this.#finish(kind)
      return this.client.cut(resetCode)
    }
    this.#detach()
    this.lastFailure = kind
    this.#say(failureAnswer(kind, this.request, this.requestId), FAILURES[kind].source === 'client' && kind !== 'no-route')
  }

  /** The response was handed over in full. */
  completed(): void {
    if (this.active) this.#finish(this.#responseStarted ? undefined : this.lastFailure)
  }

  #detach(): void {
    const upstream = this.#upstream ?? this.#coming
    this.#coming = this.#upstream = undefined
    this.#wait?.stop()
    this.#change?.stop()
    upstream?.destroy()
  }

  #finish(failure: FailureKind | undefined): void {
    this.active = false
    this.#detach()
    this.counted.leave()
    this.#body.clear()
    recordRequest(this, failure)
  }
}
