// Two sockets joined: bytes both ways, each direction ended on its own. What waits is bounded by the sockets' write budgets, and a
// connection that is cut is never passed on as one that has ended.
import type { Socket } from 'node:net'
import { Timer, type TimerWheel } from '../base/timer-wheel.ts'
import type { ReadBuffers } from '../http/read-buffers.ts'
import type { StreamCounters } from '../observe/stream-counters.ts'

export interface SpliceOptions {
  readonly wheel: TimerWheel
  readonly buffers: ReadBuffers
  /** Milliseconds without a byte in either direction. */
  readonly idleTimeout: number
  readonly counters: Pick<StreamCounters, 'received' | 'sent'>
  /** Once, when both sides are gone or are being closed. */
  readonly onClosed: () => void
}

/** The client is read by `data` events; what comes from upstream is handed to `fromUpstream`. Both sockets allow half-open. */
export class Splice {
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #options: SpliceOptions
  readonly #timer: Timer
  #clientEnded = false
  #upstreamEnded = false
  #sidesClosed = 0
  #open = true

  constructor(client: Socket, upstream: Socket, options: SpliceOptions) {
    this.#client = client
    this.#upstream = upstream
    this.#options = options
    this.#timer = new Timer(options.wheel, { timedOut: () => this.close() })
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk))
    client.on('drain', () => this.#drained(upstream))
    upstream.on('drain', () => this.#drained(client))
    client.on('end', () => this.#endUpstream())
    upstream.on('end', () => {
      this.#upstreamEnded = true
      client.end()
    })
    client.on('close', () => this.#sideClosed())
    upstream.on('close', () => this.#sideClosed())
    this.#touch()
  }

  /** The client is read from now on; what was read of it before has been written upstream. */
  start(): void {
    // A paused socket emits `end` nevertheless when nothing came before it.
    if (this.#client.readableEnded) this.#endUpstream()
    else this.#client.resume()
  }

  fromUpstream(buffer: Buffer, count: number): void {
    if (!this.#open || count === 0) return
    this.#touch()
    const { buffers, counters } = this.#options
    counters.sent(count)
    if (buffer === buffers.shared) this.#client.write(Buffer.from(buffer.subarray(0, count)))
    else buffers.write(this.#client, buffer, 0, count)
    if (this.#client.writableNeedDrain) this.#upstream.pause()
  }

  /** Ends both sides now. */
  close(): void {
    if (!this.#open) return
    this.#finish()
    this.#client.destroy()
    this.#upstream.destroy()
  }

  #endUpstream(): void {
    this.#clientEnded = true
    this.#upstream.end()
  }

  #fromClient(chunk: Buffer): void {
    if (!this.#open) return
    this.#touch()
    this.#options.counters.received(chunk.length)
    if (!this.#upstream.write(chunk)) this.#client.pause()
  }

  #drained(other: Socket): void {
    this.#touch()
    other.resume()
  }

  /** With both directions ended the other side closes by itself once its last bytes are out; else one was cut, and so is the other. */
  #sideClosed(): void {
    if (!this.#open) return
    if (this.#clientEnded && this.#upstreamEnded) {
      if (++this.#sidesClosed === 2) this.#finish()
      return
    }
    this.#finish()
    this.#client.resetAndDestroy()
    this.#upstream.resetAndDestroy()
  }

  #touch(): void {
    this.#timer.set(this.#options.idleTimeout)
  }

  #finish(): void {
    this.#open = false
    this.#timer.drop()
    this.#options.onClosed()
  }
}
