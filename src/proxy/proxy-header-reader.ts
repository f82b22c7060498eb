// The first bytes of a connection where a PROXY protocol header is expected: gathers them until the header is whole, refused or late.
// Senders are checked before: whoever may send a header chooses the client address that all else believes.
import type { Socket } from 'node:net'
import { Timer, type TimerWheel } from '../base/timer-wheel.ts'
import type { Proxied } from '../http/proxy-protocol/header.ts'
import { parseProxyHeader } from '../http/proxy-protocol/parse.ts'

const NOTHING = Buffer.alloc(0)

export interface HeaderEvents {
  /** `proxied` undefined: the connection's own addresses hold. `rest` is what came behind the header, a buffer of its own. */
  complete(proxied: Proxied | undefined, rest: Buffer): void
  /** Invalid or not there in time; not called when the sender closes before. */
  refused(): void
}

export class ProxyHeaderReader {
  readonly #socket: Socket
  readonly #timer: Timer
  readonly #events: HeaderEvents
  readonly #onEnd = (): void => this.#refuse()
  readonly #onClose = (): void => this.#timer.drop()
  #bytes: Buffer = NOTHING
  /** Nothing more is to be handed to it. */
  done = false

  constructor(socket: Socket, wheel: TimerWheel, timeout: number, events: HeaderEvents) {
    this.#socket = socket
    this.#events = events
    this.#timer = new Timer(wheel, { timedOut: () => this.#refuse() })
    this.#timer.set(timeout)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onClose)
  }

  /** Keeps nothing of `buffer`. */
  received(buffer: Buffer, count: number): void {
    if (this.done) return
    this.#bytes = Buffer.concat([this.#bytes, buffer.subarray(0, count)])
    const header = parseProxyHeader(this.#bytes)
    if (header.kind === 'more') return
    if (header.kind === 'invalid') return this.#refuse()
    const rest = this.#bytes.subarray(header.length)
    this.#finish()
    this.#events.complete(header.proxied, rest)
  }

  #refuse(): void {
    if (this.done) return
    this.#finish()
    this.#events.refused()
  }

  #finish(): void {
    this.done = true
    this.#bytes = NOTHING
    this.#timer.drop()
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('close', this.#onClose)
  }
}
