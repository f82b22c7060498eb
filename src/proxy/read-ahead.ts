// What a client sent before its turn: held here up to a budget, beyond it left in the kernel.
import type { Socket } from 'node:net'

export class ReadAhead {
  /** The socket is not read from. */
  paused = false
  readonly #socket: Socket
  #held: Buffer | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get waiting(): boolean {
    return this.#held !== undefined
  }

  hold(buffer: Buffer, start: number, end: number): void {
    this.#held = Buffer.from(buffer.subarray(start, end))
  }

  /** What was held, with what came now behind it. */
  with(buffer: Buffer, count: number): Buffer {
    const held = this.take()
    return held === undefined ? buffer.subarray(0, count) : Buffer.concat([held, buffer.subarray(0, count)])
  }

  take(): Buffer | undefined {
    const held = this.#held
    this.#held = undefined
    return held
  }

  pause(): void {
    this.paused = true
    this.#socket.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#socket.resume()
  }
}
