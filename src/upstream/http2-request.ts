// A request to an HTTP/2 backend: one stream of a session, from the time that it waits for the session on. Knows the exchange as a ResponseSink only.
import type { FailureKind } from '../base/failure.ts'
import { Timer } from '../base/timer-wheel.ts'
import type { RequestHead } from '../http/http1/request-head.ts'
import { CANCEL, INTERNAL_ERROR, NO_ERROR, type ErrorCode } from '../http/http2/error-code.ts'
import type { FieldList } from '../http/http2/field-list.ts'
import type { StreamHandler } from '../http/http2/handlers.ts'
import { encodeFieldLines } from '../http/http2/hpack/encoder.ts'
import { responseHeadOf, trailersText } from '../http/http2/response-fields.ts'
import type { Http2Stream } from '../http/http2/stream.ts'
import type { Http2Session } from './http2-session.ts'
import { requestBlock } from './request-block.ts'
import type { UpstreamRequest } from './request.ts'
import type { ResponseSink, UpstreamTimeouts } from './response-sink.ts'

const MOST_INTERIM = 16

export class Http2Request implements UpstreamRequest, StreamHandler {
  /** Where it waits, or is sent to. */
  session: Http2Session
  reused: boolean
  requestComplete = false
  responseStarted = false
  resetCode = NO_ERROR
  readonly mayRefuse = true
  #stream: Http2Stream | undefined
  #sink: ResponseSink | undefined
  #timeouts: UpstreamTimeouts
  #deadline: 'read' | 'send' | 'none' = 'none'
  #toHead = false
  #waitsForRoom = false
  #interim = 0
  readonly #timer: Timer

  /** `sink`: hears `upstreamReady` when there is a session; undefined: there is one. */
  constructor(session: Http2Session, sink: ResponseSink | undefined) {
    this.session = session
    this.#sink = sink
    this.#timeouts = sink?.timeouts ?? session.context.timeouts
    this.reused = sink === undefined && session.served
    this.#timer = new Timer(session.context.wheel, this)
  }

  get full(): boolean {
    return this.#stream?.full === true
  }

  /** Until that one is up and takes it. */
  await(session: Http2Session): void {
    this.session = session
    session.await(this, this.#timeouts.connect)
    if (!this.#waitsForRoom) this.#timer.set(this.#timeouts.connect)
  }

  /** The session takes it now. */
  ready(): void {
    this.#timer.clear()
    this.#sink?.upstreamReady(this)
  }

  sendHead(sink: ResponseSink, request: RequestHead, requestId: string, originFields: string): void {
    this.#sink = sink
    this.#timeouts = sink.timeouts
    this.#toHead = request.method === 'HEAD'
    const bodiless = request.framing === 'none'
    this.#stream = this.session.openStream(this, requestBlock(request, requestId, originFields, this.session.tls), bodiless, this.#toHead)
    this.requestComplete = bodiless
    if (this.#stream === undefined) this.#refused()
  }

  sendData(buffer: Buffer, start: number, end: number): void {
    this.#stream?.sendData(buffer, start, end, false)
  }

  sendEnd(trailers: string): void {
    if (this.requestComplete) return
    this.requestComplete = true
    this.#stream?.sendEnd(encodeFieldLines(trailers))
  }

  flush(): void {
    this.session.flush()
  }

  /** The codec does. */
  flushSoon(): void {}

  awaitResponse(): void {
    this.#deadline = 'read'
    this.#timer.set(this.#timeouts.read)
  }

  awaitRequest(): void {
    this.#deadline = 'none'
    this.#timer.clear()
  }

  awaitDrain(): void {
    this.#deadline = 'send'
    this.#timer.set(this.#timeouts.send)
  }

  pauseReading(): void {
    this.#timer.clear()
    this.#stream?.pauseReading()
  }

  resumeReading(): void {
    if (this.#deadline === 'read') this.awaitResponse()
    const sink = this.#sink
    this.#stream?.resumeReading()
    sink?.responseTurnEnd()
  }

  destroy(): void {
    this.#sink = undefined
    this.#end(CANCEL)
  }

  /** The session is up and has no room: as long as requests wait for connections elsewhere. */
  awaitRoom(): void {
    if (this.#waitsForRoom) return
    this.#waitsForRoom = true
    this.#timer.set(this.session.context.pool.queueTimeout)
  }

  timedOut(): void {
    if (this.#stream === undefined) return this.#fail(this.#waitsForRoom ? 'queue-timeout' : 'connect-timeout')
    // Perhaps nobody is there any more, whom nothing else would tell from a slow one: the next requests find out over a session of their own.
    this.session.retire()
    this.#fail('response-timeout')
  }

  /** It never came to a stream of its own. */
  sessionFailed(kind: FailureKind): void {
    this.#fail(kind)
  }

  // === from the stream

  head(list: FieldList, endStream: boolean): void {
    this.#heard()
    const sink = this.#sink
    if (sink === undefined) return
    if (list.oversized || list.status > 599) return this.#fail('response-invalid')
    const { head } = this.session
    responseHeadOf(list, endStream, this.#toHead, head)
    sink.responseHead(head)
    if (endStream) this.#finish('')
  }

  interim(list: FieldList): void {
    this.#heard()
    const { head } = this.session
    if (list.oversized || ++this.#interim > MOST_INTERIM) return this.#fail('response-invalid')
    responseHeadOf(list, false, this.#toHead, head)
    this.#sink?.interimResponse(head)
  }

  data(buffer: Buffer, start: number, end: number): void {
    this.#heard()
    this.#sink?.responseData(buffer, start, end)
  }

  end(trailers: FieldList | undefined): void {
    if (trailers?.oversized === true) this.#fail('response-invalid')
    else this.#finish(trailersText(trailers))
  }

  reset(code: ErrorCode, unprocessed: boolean): void {
    // What has an answer was acted on, whatever its endpoint says now; a client that heard that code would repeat it.
    const isAnswered = this.#stream?.headReceived === true
    this.#stream = undefined
    if (!this.session.lost) this.resetCode = unprocessed && isAnswered ? INTERNAL_ERROR : code
    if (unprocessed && !isAnswered) this.#refused()
    else this.#fail('response-cut')
  }

  drained(): void {
    this.#sink?.upstreamDrained()
  }

  turnEnd(): void {
    this.#sink?.responseTurnEnd()
  }

  /** That nothing of it was acted on says nothing of the endpoint, which may be asked again. */
  #refused(): void {
    this.reused = true
    this.#fail('request-refused')
  }

  #heard(): void {
    this.responseStarted = true
    if (this.#deadline === 'read') this.#timer.set(this.#timeouts.read)
  }

  #finish(trailers: string): void {
    const sink = this.#sink
    this.#sink = undefined
    sink?.upstreamDone()
    this.session.served = true
    this.#end(this.requestComplete ? NO_ERROR : CANCEL)
    sink?.responseEnd(trailers)
    sink?.responseTurnEnd()
  }

  #fail(kind: FailureKind): void {
    const sink = this.#sink
    this.#sink = undefined
    this.#end(CANCEL)
    sink?.upstreamFailed(kind, this)
  }

  #end(code: ErrorCode): void {
    const stream = this.#stream
    this.#stream = undefined
    this.#timer.drop()
    // After a whole response it ends a request that is not.
    stream?.reset(code)
    this.session.left(this)
  }
}
