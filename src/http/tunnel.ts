// Two sockets joined after a 101: bytes both ways, each direction closed on its own, bounded by the sockets' write budgets.
import type { Socket } from 'node:net'
import { Timer, type TimerWheel } from '../base/timer-wheel.ts'
import type { ReadBuffers } from './read-buffers.ts'

export interface TunnelEnd {
  readonly socket: Socket
  pauseReading(): void
  resumeReading(): void
}

export interface TunnelOptions {
  readonly buffers: ReadBuffers
  readonly wheel: TimerWheel
  /** Milliseconds without a byte in either direction. */
  readonly idleTimeout: number
}

export class Tunnel {
  bytesFromClient = 0
  bytesFromUpstream = 0
  readonly #client: TunnelEnd
  readonly #upstream: TunnelEnd
  readonly #buffers: ReadBuffers
  readonly #idleTimeout: number
  readonly #timer: Timer
  readonly #closed: (tunnel: Tunnel) => void
  #clientEnded = false
  #upstreamEnded = false
  #sidesClosed = 0
  #open = true

  /** `closed` is called once, when both sides are gone. */
  constructor(client: TunnelEnd, upstream: TunnelEnd, { buffers, wheel, idleTimeout }: TunnelOptions, closed: (tunnel: Tunnel) => void) {
    this.#client = client
    this.#upstream = upstream
    this.#buffers = buffers
    this.#idleTimeout = idleTimeout
    this.#closed = closed
    this.#timer = new Timer(wheel, { timedOut: () => this.destroy() })
    this.#timer.set(idleTimeout)
  }

  fromClient(buffer: Buffer, start: number, end: number): void {
    this.bytesFromClient += end - start
    this.#pass(buffer, start, end, this.#client, this.#upstream)
  }

  fromUpstream(buffer: Buffer, start: number, end: number): void {
    this.bytesFromUpstream += end - start
    this.#pass(buffer, start, end, this.#upstream, this.#client)
  }

  clientDrained(): void {
    this.#timer.set(this.#idleTimeout)
    this.#upstream.resumeReading()
  }

  upstreamDrained(): void {
    this.#timer.set(this.#idleTimeout)
    this.#client.resumeReading()
  }

  clientEnded(): void {
    this.#clientEnded = true
    this.#upstream.socket.end()
  }

  upstreamEnded(): void {
    this.#upstreamEnded = true
    this.#client.socket.end()
  }

  /** A socket is closed: with both directions ended the other one closes by itself once its last bytes are out. */
  sideClosed(): void {
    if (!this.#clientEnded || !this.#upstreamEnded) this.destroy()
    else if (++this.#sidesClosed === 2) this.#finish()
  }

  /** What is left of both goes at once. */
  destroy(): void {
    if (!this.#open) return
    this.#finish()
    this.#client.socket.destroy()
    this.#upstream.socket.destroy()
  }

  #pass(buffer: Buffer, start: number, end: number, from: TunnelEnd, to: TunnelEnd): void {
    if (!this.#open || end === start) return
    this.#timer.set(this.#idleTimeout)
    if (buffer === this.#buffers.shared) to.socket.write(Buffer.from(buffer.subarray(start, end)))
    else this.#buffers.write(to.socket, buffer, start, end)
    if (to.socket.writableNeedDrain) from.pauseReading()
  }

  #finish(): void {
    if (!this.#open) return
    this.#open = false
    this.#timer.drop()
    this.#closed(this)
  }
}
