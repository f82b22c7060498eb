// Two ends joined after a switch of protocols: bytes both ways, each direction ended on its own, bounded by what the ends take.
// A side that was cut is never passed on as one that has ended. Knows no sockets: an end may as well be a stream of HTTP/2.
import { Timer, type TimerWheel } from '../base/timer-wheel.ts'

/** One side of a tunnel, to write to and to hold back. What it hears, it tells the tunnel: bytes, `drained`, `ended` and `closed`. */
export interface TunnelEnd {
  /** More was written than goes out; `drained` follows when this is over. */
  readonly full: boolean
  /** Bytes written that are not out, as far as the end knows. */
  readonly unsent: number
  /** They go out at the end of this turn of the event loop at the latest. See SocketWriter.bytes for who owns the buffer. */
  write(buffer: Buffer, start: number, end: number): void
  /** Nothing more will be written; what was written goes out first. */
  end(): void
  /** Both directions, once what was written is out. */
  close(): void
  /** At once, and so that the peer can't take it for an end. */
  cut(): void
  pauseReading(): void
  resumeReading(): void
}

export interface TunnelOptions {
  readonly wheel: TimerWheel
  /** Milliseconds without a byte in either direction. */
  readonly idleTimeout: number
}

/** Milliseconds that a side has to end after the other one is gone for good, with everything that it had to say. */
const LINGER_TIME = 2000

export class Tunnel {
  bytesFromClient = 0
  readonly #client: TunnelEnd
  readonly #upstream: TunnelEnd
  readonly #idleTimeout: number
  readonly #timer: Timer
  readonly #closed: (tunnel: Tunnel) => void
  #clientEnded = false
  #upstreamEnded = false
  /** One side is gone: what the other one still sends is for nobody. */
  #oneClosed = false
  /** When time was last over without anything new. */
  #unsent = Infinity
  #open = true

  /** `closed` is called once, when both sides are gone or are being cut. */
  constructor(client: TunnelEnd, upstream: TunnelEnd, { wheel, idleTimeout }: TunnelOptions, closed: (tunnel: Tunnel) => void) {
    this.#client = client
    this.#upstream = upstream
    this.#idleTimeout = idleTimeout
    this.#closed = closed
    this.#timer = new Timer(wheel, this)
    this.#timer.set(idleTimeout)
  }

  fromClient(buffer: Buffer, start: number, end: number): void {
    this.bytesFromClient += end - start
    this.#pass(buffer, start, end, this.#client, this.#upstream)
  }

  fromUpstream(buffer: Buffer, start: number, end: number): void {
    this.#pass(buffer, start, end, this.#upstream, this.#client)
  }

  clientDrained(): void {
    this.#drained(this.#upstream)
  }

  upstreamDrained(): void {
    this.#drained(this.#client)
  }

  clientEnded(): void {
    this.#clientEnded = true
    if (this.#open && !this.#oneClosed) this.#upstream.end()
  }

  upstreamEnded(): void {
    this.#upstreamEnded = true
    if (this.#open && !this.#oneClosed) this.#client.end()
  }

  clientClosed(): void {
    this.#sideClosed(this.#clientEnded, this.#upstream)
  }

  upstreamClosed(): void {
    this.#sideClosed(this.#upstreamEnded, this.#client)
  }

  timedOut(): void {
    const unsent = this.#client.unsent + this.#upstream.unsent
    // As long as some of it goes out, a side is slow, not gone.
    if (unsent > 0 && unsent < this.#unsent) {
      this.#unsent = unsent
      this.#timer.set(this.#oneClosed ? LINGER_TIME : this.#idleTimeout)
    } else this.destroy()
  }

  /** Both sides are closed now. */
  destroy(): void {
    if (!this.#open) return
    this.#finish()
    for (const end of [this.#client, this.#upstream]) {
      // Who does not take what waits for it would be waited for without end.
      if (end.unsent > 0) end.cut()
      else end.close()
    }
  }

  #pass(buffer: Buffer, start: number, end: number, from: TunnelEnd, to: TunnelEnd): void {
    if (!this.#open || this.#oneClosed || end === start) return
    to.write(buffer, start, end)
    this.#touch()
    if (to.full) from.pauseReading()
  }

  #drained(other: TunnelEnd): void {
    if (!this.#open) return
    if (!this.#oneClosed) this.#touch()
    other.resumeReading()
  }

  /** The other side goes by itself when both directions had ended. It gets what was said in full; otherwise it is cut like this one. */
  #sideClosed(ended: boolean, other: TunnelEnd): void {
    if (!this.#open) return
    if (this.#oneClosed) return this.#finish()
    this.#oneClosed = true
    if (!ended) {
      this.#finish()
      other.cut()
    } else if (!(this.#clientEnded && this.#upstreamEnded)) {
      // It was told that nothing more comes, and goes on talking.
      this.#timer.set(LINGER_TIME)
      other.resumeReading()
    }
  }

  #touch(): void {
    this.#unsent = Infinity
    this.#timer.set(this.#idleTimeout)
  }

  #finish(): void {
    this.#open = false
    this.#timer.drop()
    this.#closed(this)
  }
}
