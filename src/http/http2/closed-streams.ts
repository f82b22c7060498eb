// How the streams that closed last came to their end: frames that were under way meanwhile are no fault of the peer's (RFC 9113 section 5.1).

export type Ending =
  /** Both sides said all. */
  | 'complete'
  /** By the peer. */
  | 'reset'
  /** By us: the peer may not know yet. */
  | 'given-up'
  | 'unknown'

const SIZE = 256
const ENDINGS: readonly Ending[] = ['complete', 'reset', 'given-up']

export class ClosedStreams {
  readonly #ids = new Int32Array(SIZE)
  readonly #endings = new Uint8Array(SIZE)
  #next = 0

  add(id: number, ending: Ending): void {
    this.#ids[this.#next] = id
    this.#endings[this.#next] = ending === 'complete' ? 0 : ending === 'reset' ? 1 : 2
    this.#next = (this.#next + 1) % SIZE
  }

  /** `unknown`: too long ago, or never opened. */
  find(id: number): Ending {
    const at = this.#ids.lastIndexOf(id)
    return at < 0 ? 'unknown' : (ENDINGS[this.#endings[at] ?? 0] ?? 'unknown')
  }
}
