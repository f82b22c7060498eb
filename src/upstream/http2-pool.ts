// Sessions of HTTP/2 to one endpoint. Streams go to the oldest session that takes one, so that the others grow idle and close; another session is
// opened when none does.
import type { BackendProtocol } from '../model/backend-protocol.ts'
import type { Endpoint } from '../model/routing.ts'
import type { UpstreamContext } from './context.ts'
import { dialTo, type Dial } from './dial.ts'
import { Http2Request } from './http2-request.ts'
import { Http2Session } from './http2-session.ts'
import { EndpointPool } from './pool.ts'
import type { ResponseSink } from './response-sink.ts'

/** That may wait for a session to come up: RFC 9113 section 6.5.2 wants peers to take as many streams. */
const MOST_WAITING = 100

export class Http2Pool extends EndpointPool {
  readonly dial: Dial
  readonly #tls: boolean
  /** Up or coming up, those that go away excepted. */
  readonly #sessions: Http2Session[] = []

  constructor(endpoint: Endpoint, protocol: BackendProtocol, context: UpstreamContext) {
    super(endpoint, context)
    this.dial = dialTo(endpoint, protocol, context)
    this.#tls = protocol.tls !== undefined
  }

  get idle(): number {
    let count = 0
    for (const session of this.#sessions) if (session.unused) count++
    return count
  }

  get full(): boolean {
    return !this.#mayOpen && this.#available() === undefined && this.#comingUp() === undefined
  }

  take(): Http2Request | undefined {
    const session = this.#available()
    return session === undefined ? undefined : new Http2Request(session, undefined)
  }

  connect(sink: ResponseSink): void {
    const session = this.#available() ?? this.#comingUp() ?? this.#open(sink.timeouts.connect)
    const request = new Http2Request(session, sink)
    sink.upstreamComing(request)
    if (session.available) request.ready()
    else request.await(session)
  }

  /** These were promised a session that has no room for them. */
  rehouse(requests: Set<Http2Request>): void {
    if (!this.#mayOpen) {
      for (const request of requests) request.awaitRoom()
      return
    }
    const session = this.#open(this.context.timeouts.connect)
    for (const request of requests) {
      requests.delete(request)
      request.await(session)
    }
  }

  /** It takes no further streams. */
  leaves(session: Http2Session): void {
    const index = this.#sessions.indexOf(session)
    if (index >= 0) this.#sessions.splice(index, 1)
  }

  closed(session: Http2Session): void {
    this.open--
    this.leaves(session)
  }

  closeIdle(): void {
    for (const session of this.#sessions.splice(0)) session.retire()
  }

  get #mayOpen(): boolean {
    const { connectionsPerEndpoint, sessionsPerEndpoint } = this.context.pool
    const most = connectionsPerEndpoint > 0 ? Math.min(connectionsPerEndpoint, sessionsPerEndpoint) : sessionsPerEndpoint
    return this.open < most
  }

  /** `patience`: milliseconds that it may take to come up. */
  #open(patience: number): Http2Session {
    this.open++
    const session = new Http2Session(this, this.context, this.#tls, patience)
    this.#sessions.push(session)
    return session
  }

  #available(): Http2Session | undefined {
    return this.#sessions.find((session) => session.available)
  }

  #comingUp(): Http2Session | undefined {
    return this.#sessions.find((session) => session.connecting && session.waiting < MOST_WAITING)
  }
}
