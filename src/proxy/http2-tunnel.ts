// A stream of HTTP/2 as the client's end of a tunnel (RFC 8441): takes the place of the request that it began with.
import { CANCEL, NO_ERROR } from '../http/http2/error-code.ts'
import type { StreamHandler } from '../http/http2/handlers.ts'
import type { Http2Stream } from '../http/http2/stream.ts'
import type { Tunnel, TunnelEnd } from '../http/tunnel.ts'

export class StreamEnd implements TunnelEnd {
  readonly #stream: Http2Stream
  /** Told how much was written. */
  readonly #wrote: (count: number) => void
  /** The tunnel is over. */
  #closes = false

  constructor(stream: Http2Stream, wrote: (count: number) => void) {
    this.#stream = stream
    this.#wrote = wrote
  }

  get full(): boolean {
    return this.#stream.full
  }

  get unsent(): number {
    return this.#stream.unsent
  }

  /** From now on what the client says goes there. */
  join(tunnel: Tunnel): void {
    this.#stream.handler = new TunnelHandler(this, tunnel)
    this.#stream.resumeReading()
  }

  write(buffer: Buffer, start: number, end: number): void {
    this.#stream.sendData(buffer, start, end, false)
    this.#wrote(end - start)
  }

  end(): void {
    this.#stream.sendEnd('')
    // With both directions ended nothing more is heard of the stream.
    this.#stream.handler.drained()
  }

  close(): void {
    this.#closes = true
    this.#stream.sendEnd('')
    this.finishIfSent()
  }

  /** RFC 8441 section 5: as a reset of TCP. */
  cut(): void {
    this.#stream.reset(CANCEL)
  }

  pauseReading(): void {
    this.#stream.pauseReading()
  }

  resumeReading(): void {
    this.#stream.resumeReading()
  }

  get hasEnded(): boolean {
    return this.#stream.sent && this.#stream.received
  }

  /** Whether the tunnel is over: then so is the stream, once all is out. */
  finishIfSent(): boolean {
    if (this.#closes && this.#stream.sent) this.#stream.reset(NO_ERROR)
    return this.#closes
  }
}

class TunnelHandler implements StreamHandler {
  readonly #end: StreamEnd
  readonly #tunnel: Tunnel
  #clientEnded = false
  #closed = false

  constructor(end: StreamEnd, tunnel: Tunnel) {
    this.#end = end
    this.#tunnel = tunnel
  }

  /** There is one head only, and it was that of the request. */
  head(): void {}

  interim(): void {}

  data(buffer: Buffer, start: number, end: number): void {
    this.#tunnel.fromClient(buffer, start, end)
  }

  end(): void {
    this.#clientEnded = true
    this.#tunnel.clientEnded()
    if (this.#end.hasEnded) this.reset()
  }

  /** Or both directions have ended. */
  reset(): void {
    if (this.#closed) return
    this.#closed = true
    this.#tunnel.clientClosed()
  }

  drained(): void {
    if (this.#end.finishIfSent()) return
    this.#tunnel.clientDrained()
    if (this.#clientEnded && this.#end.hasEnded) this.reset()
  }

  turnEnd(): void {}
}
