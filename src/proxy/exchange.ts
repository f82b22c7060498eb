// One request and its response: runs the phases, then moves bodies both ways until the response is complete or one side fails.
// Knows neither the client's wire (Downstream) nor how a backend's bytes are read (UpstreamConnection).
import { performance } from 'node:perf_hooks'
import type { Admits } from '../balance/endpoint-health.ts'
import { FAILURES, type FailureKind } from '../base/failure.ts'
import { RequestHead } from '../http/http1/request-head.ts'
import type { ResponseHead } from '../http/http1/response-head.ts'
import type { Endpoint, Route } from '../model/routing.ts'
import type { UpstreamConnection } from '../upstream/connection.ts'
import type { EndpointPool } from '../upstream/pool.ts'
import type { ResponseSink } from '../upstream/response-sink.ts'
import { failureAnswer, type Answer } from './answer.ts'
import type { ProxyContext } from './context.ts'
import { CountedEndpoint } from './counted-endpoint.ts'
import type { Downstream } from './downstream.ts'
import type { Origin } from './origin.ts'
import { PHASES, RETRY_FROM } from './phases.ts'
import { QueueWait } from './queue-wait.ts'
import { RequestBody } from './request-body.ts'
import { requestText } from './request-text.ts'
import { EMPTY_LIVE_ROUTING, type LiveBackend, type Routing } from './routing.ts'

/** RFC 9110 section 9.2.2; others are not sent twice once a byte of them was. */
const isRepeatable = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'PUT' || method === 'DELETE'

export class Exchange implements ResponseSink {
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
  routing: Routing = EMPTY_LIVE_ROUTING
  route: Route | undefined
  backend: LiveBackend | undefined
  pool: EndpointPool | undefined
  /** Index in the backend of the endpoint that `pool` is of. */
  endpointIndex = -1
  /** What the health of the endpoints has to say, during a pick. */
  admits: Admits | undefined
  lastFailure: FailureKind | undefined
  /** A Set-Cookie line for the response; empty: none. */
  setCookie = ''
  /** Pools of endpoints that could not be connected to. */
  readonly tried: EndpointPool[] = []
  readonly usable = (_endpoint: Endpoint, index: number): boolean => this.isUsable(index)
  readonly waitable = (_endpoint: Endpoint, index: number): boolean => this.mayWait(index)
  readonly counted = new CountedEndpoint()
  readonly #body = new RequestBody()
  #wait: QueueWait | undefined
  #upstream: UpstreamConnection | undefined
  #tries = 0
  #fresh = false
  #status = 0
  #responseStarted = false
  #startedAt = 0
  #responseAt = 0

  constructor(context: ProxyContext, client: Downstream) {
    this.context = context
    this.client = client
    this.tls = client.tls
    this.origin = client.origin
  }

  /** `request` is parsed; its body follows through `requestData` and `requestEnd`. */
  begin(): void {
    this.active = true
    this.origin = this.client.origin
    this.routing = this.context.routing
    this.route = this.backend = this.pool = this.lastFailure = undefined
    if (this.tried.length > 0) this.tried.length = 0
    this.#upstream = undefined
    this.#tries = this.#status = this.#responseAt = 0
    this.#fresh = this.#responseStarted = false
    this.setCookie = ''
    this.#startedAt = performance.now()
    this.#body.start(this.request.framing, isRepeatable(this.request.method))
    this.#run(0)
  }

  /** The head was refused: `request` holds what was understood of it. */
  refuse(kind: FailureKind): void {
    this.active = true
    this.origin = this.client.origin
    this.route = this.backend = this.pool = undefined
    this.requestId = this.request.requestId === '' ? this.context.newRequestId() : this.request.requestId
    this.#tries = this.#responseAt = 0
    this.#responseStarted = false
    this.#startedAt = performance.now()
    this.fail(kind)
  }

  #run(from: number): void {
    for (let i = from; i < PHASES.length; i++) {
      const outcome = PHASES[i]?.(this)
      if (outcome === 'continue') continue
      if (outcome !== undefined && outcome !== 'answered') this.fail(outcome)
      return
    }
  }

  /** The last phase before the backend has the word. */
  send(): void {
    const { pool } = this
    if (pool === undefined) return
    this.#tries++
    if (!pool.connectable) {
      this.tried.push(pool)
      this.lastFailure = 'connect-failed'
      return this.#run(RETRY_FROM)
    }
    this.#obtain(pool)
  }

  #obtain(pool: EndpointPool): void {
    const idle = this.#fresh ? undefined : pool.take()
    if (idle !== undefined) return this.upstreamReady(idle)
    this.client.blockBody()
    if (pool.full) (this.#wait ??= new QueueWait(this)).start(pool)
    else this.#upstream = pool.connect(this)
  }

  /** After waiting for a connection. */
  turnCame(pool: EndpointPool): void {
    if (pool.users > 0) this.#obtain(pool)
    else {
      this.tried.push(pool)
      this.lastFailure = 'no-endpoints'
      this.#run(RETRY_FROM)
    }
    if (this.#upstream?.reused === true) this.client.unblockBody()
    this.requestTurnEnd()
    this.client.flushSoon()
  }

  // === from the client

  requestData(buffer: Buffer, start: number, end: number): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    this.#body.write(upstream, buffer, start, end)
    if (upstream.writer.full) {
      upstream.awaitDrain()
      this.client.blockBody()
    }
  }

  requestEnd(trailers: string): void {
    this.#body.end(this.#upstream, trailers)
    if (this.#upstream?.writer.full === false) this.#upstream.awaitResponse()
  }

  /** All that arrived at once was handed over. */
  requestTurnEnd(): void {
    this.#upstream?.writer.flushSoon()
  }

  clientDrained(): void {
    this.#upstream?.resumeReading()
  }

  clientGone(): void {
    if (this.active) this.#finish('client-gone')
  }

  // === from the backend

  upstreamReady(connection: UpstreamConnection): void {
    this.#upstream = connection
    connection.start(this, this.request.method === 'HEAD', this.request.websocket)
    connection.writer.text(requestText(this.request, this.requestId, this.origin.fields))
    this.#body.replay(connection)
    // A client that waits for 100 waits for the backend.
    if (connection.requestComplete || this.request.expectContinue) connection.awaitResponse()
    else connection.awaitRequest()
    if (!connection.reused) {
      connection.writer.flush()
      this.client.unblockBody()
    }
  }

  interimResponse(head: ResponseHead): void {
    if (this.request.minorVersion === 1) this.client.sendInterim(head)
    if (this.#upstream?.requestComplete === false) this.#upstream.awaitRequest()
  }

  responseHead(head: ResponseHead): void {
    this.#responseStarted = true
    this.#status = head.status
    this.#responseAt = performance.now()
    const { backend } = this
    if (backend !== undefined && (head.status >= 500 || backend.health.watching)) backend.health.answered(this.endpointIndex, head.status, this.context.now)
    if (this.setCookie !== '') head.fields += this.setCookie
    this.client.sendHead(head)
  }

  responseData(buffer: Buffer, start: number, end: number): void {
    this.client.sendData(buffer, start, end)
    if (this.client.full) this.#upstream?.pauseReading()
  }

  responseEnd(trailers: string): void {
    this.#upstream = undefined
    this.counted.answered()
    this.client.sendEnd(trailers)
  }

  responseTurnEnd(): void {
    this.client.flushSoon()
  }

  switchedProtocols(head: ResponseHead, connection: UpstreamConnection): void {
    this.#status = head.status
    this.#responseStarted = true
    this.#responseAt = performance.now()
    if (this.setCookie !== '') head.fields += this.setCookie
    // From here on it belongs to the tunnel.
    this.#upstream = undefined
    this.client.switchProtocols(head, connection)
  }

  upstreamDrained(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    if (upstream.requestComplete) upstream.awaitResponse()
    else upstream.awaitRequest()
    this.client.unblockBody()
  }

  upstreamFailed(kind: FailureKind, connection: UpstreamConnection): void {
    this.#upstream = undefined
    this.lastFailure = kind
    if (!connection.reused && !this.#responseStarted) this.backend?.health.failed(this.endpointIndex, kind, this.context.now)
    if (this.#mayRepeat(kind, connection)) this.#repeat(connection)
    else this.fail(kind)
    this.client.flushSoon()
  }

  #repeat({ reused }: UpstreamConnection): void {
    this.#fresh = true
    const { pool } = this
    // A stale idle connection says nothing about its endpoint, so that one is asked again, over a new connection: unless it is gone.
    if (reused && pool !== undefined && pool.users > 0) return this.send()
    if (pool !== undefined) this.tried.push(pool)
    this.#run(RETRY_FROM)
  }

  #mayRepeat(kind: FailureKind, connection: UpstreamConnection): boolean {
    if (this.#responseStarted || this.#tries > this.context.settings.pool.tries) return false
    if (!connection.reused && this.#tries >= this.context.settings.pool.tries) return false
    const isSafe = FAILURES[kind].retry || (kind === 'response-cut' && !connection.responseStarted && isRepeatable(this.request.method) && this.#body.repeatable)
    // That an idle connection was stale happens once a connection, not once a try: it is no burden to limit.
    return isSafe && (connection.reused || this.backend?.retries.take(this.context.now) === true)
  }

  /** By its index in the backend: the endpoint was not tried in vain, and takes another connection. */
  isUsable(index: number): boolean {
    const pool = this.backend?.pools[index]
    return pool !== undefined && !pool.full && !this.tried.includes(pool) && (this.admits === undefined || this.admits(index))
  }

  /** Likewise, or may be waited for. */
  mayWait(index: number): boolean {
    const pool = this.backend?.pools[index]
    return pool !== undefined && !(pool.full && pool.queueFull) && !this.tried.includes(pool)
  }

  // === the end

  /** `close`: the connection serves no further request. */
  answer(answer: Answer, close = false): void {
    this.#status = answer.status
    this.client.sendAnswer(answer, close)
  }

  fail(kind: FailureKind): void {
    if (this.#responseStarted || kind === 'client-gone') {
      this.#finish(kind)
      this.client.cut()
      return
    }
    this.#detach()
    this.lastFailure = kind
    this.#status = FAILURES[kind].status
    this.client.sendAnswer(failureAnswer(kind, this.request, this.requestId), FAILURES[kind].source === 'client' && kind !== 'no-route')
  }

  /** The response was handed over in full. */
  completed(): void {
    if (this.active) this.#finish(this.#responseStarted ? undefined : this.lastFailure)
  }

  /** The connection is idle: lets go of the table, and of the strings that hold the whole head. */
  release(): void {
    this.request.reset()
    this.routing = EMPTY_LIVE_ROUTING
    this.route = this.backend = this.pool = undefined
    this.path = this.requestId = ''
    this.origin = this.client.origin
  }

  #detach(): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    this.#wait?.stop()
    upstream?.destroy()
  }

  #finish(failure: FailureKind | undefined): void {
    this.active = false
    this.#detach()
    this.counted.leave()
    this.#body.clear()
    const { request, client, origin } = this
    const { record } = this.context
    const now = performance.now()
    record.method = request.method
    record.host = request.hostName
    record.path = request.path
    record.protocol = request.minorVersion === 1 ? '1.1' : '1.0'
    record.tls = this.tls
    record.clientAddress = origin.address
    record.requestId = this.requestId
    record.route = this.route?.source
    record.backend = this.backend?.backend.id ?? ''
    record.endpoint = this.pool?.endpoint.id ?? ''
    record.status = this.#status === 0 && failure !== undefined ? FAILURES[failure].status : this.#status
    record.failure = failure
    record.bytesIn = this.bytesIn
    record.bytesOut = client.bytesOut
    record.tries = this.#tries
    record.duration = now - this.#startedAt
    record.startedAt = this.context.now - record.duration
    record.responseStart = this.#responseAt === 0 ? -1 : this.#responseAt - this.#startedAt
    this.context.recorder.request(record)
  }
}
