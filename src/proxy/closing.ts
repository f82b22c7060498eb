// The end of a client's connection once the last response is written: RFC 9112 section 9.6.
import type { Socket } from 'node:net'

/** Bytes and time granted to a client that still sends, so that it reads the response before a reset. */
const LINGER_BYTES = 256 * 1024
const LINGER_TIME = 2000

/** To be asked when time is over, and with what still comes. */
export class Closing {
  readonly #socket: Socket
  readonly #sendTimeout: number
  readonly #lingers: boolean
  #received = 0
  #unsent: number

  /** Ends the socket's writing. `lingers`: the client may still be sending. `hasLastWord`: the end is more than that of the bytes, as it is with TLS. */
  constructor(socket: Socket, lingers: boolean, hasLastWord: boolean, sendTimeout: number) {
    this.#socket = socket
    this.#lingers = lingers
    this.#sendTimeout = sendTimeout
    this.#unsent = socket.writableLength
    if (lingers) socket.end()
    else if (this.#unsent > 0 || (hasLastWord && !socket.readableEnded)) socket.destroySoon()
    else {
      // The kernel has all of it. Closed in the same breath as the last write, it costs no shutdown, and the client is woken once. A client
      // that has said its own last word is told ours, in this very call, and waits for nothing else.
      if (hasLastWord) socket.end()
      socket.destroy()
    }
  }

  /** Milliseconds after which to ask again; 0: the socket is destroyed. */
  get patience(): number {
    return this.#unsent > 0 ? this.#sendTimeout : LINGER_TIME
  }

  /** Time is over: answers how long to wait on, or 0 when it was ended. */
  timedOut(): number {
    const unsent = this.#socket.writableLength
    const moved = unsent < this.#unsent
    this.#unsent = unsent
    if (moved) return this.patience
    this.#socket.destroy()
    return 0
  }

  /** Bytes that nobody wants. */
  received(count: number): void {
    const before = this.#received
    this.#received += count
    // Once only: each time is another listener on the socket.
    if (this.#lingers && before <= LINGER_BYTES && this.#received > LINGER_BYTES) this.#socket.destroySoon()
  }
}
