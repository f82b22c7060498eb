// The first bytes of a connection without TLS, where HTTP/2 may be spoken as well: its clients begin with a preface that no HTTP/1.1
// request can begin with (RFC 9113 section 3.4).
import type { Socket } from 'node:net'
import { Timer, type TimerWheel } from '../base/timer-wheel.ts'
import type { Reader } from './shared-read.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export class PrefaceReader implements Reader {
  readonly #timer: Timer
  readonly #begin: (isHttp2: boolean) => Reader
  #held = Buffer.alloc(0)
  #reader: Reader | undefined

  /** `begin` is called once, when it is known what the client speaks. One that says nothing in `timeout` milliseconds is closed. */
  constructor(socket: Socket, wheel: TimerWheel, timeout: number, begin: (isHttp2: boolean) => Reader) {
    this.#begin = begin
    this.#timer = new Timer(wheel, { timedOut: () => socket.destroy() })
    this.#timer.set(timeout)
    socket.once('close', () => this.#timer.drop())
    socket.once('end', () => {
      if (this.#reader === undefined) socket.destroySoon()
    })
  }

  received(buffer: Buffer, count: number): boolean {
    if (this.#reader !== undefined) return this.#reader.received(buffer, count)
    // The buffer as it came where nothing was held: whose it is counts for those who write it on.
    const bytes = this.#held.length === 0 ? buffer : Buffer.concat([this.#held, buffer.subarray(0, count)])
    const total = this.#held.length + count
    const length = Math.min(total, PREFACE.length)
    const isHttp2 = bytes.compare(PREFACE, 0, length, 0, length) === 0
    if (isHttp2 && length < PREFACE.length) {
      this.#held = Buffer.from(bytes.subarray(0, total))
      return false
    }
    this.#timer.drop()
    this.#held = Buffer.alloc(0)
    this.#reader = this.#begin(isHttp2)
    return this.#reader.received(bytes, total)
  }
}
