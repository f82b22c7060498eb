// The streams of a connection by their numbers: which are open, which were, which never have been (RFC 9113 section 5.1.1).
import { ClosedStreams } from './closed-streams.ts'
import type { Role } from './peer-settings.ts'
import type { Http2Stream } from './stream.ts'

export class Streams {
  readonly open = new Map<number, Http2Stream>()
  readonly closed = new ClosedStreams()
  /** Server: the highest that we have acted on, and that has come. */
  lastOfPeer = 0
  seen = 0
  /** Ever opened, and ended by both sides. */
  opened = 0
  completed = 0
  readonly #role: Role
  #nextOwn = 1

  constructor(role: Role) {
    this.#role = role
  }

  /** The numbers are used up. */
  get exhausted(): boolean {
    return this.#nextOwn >= 2 ** 31 - 1
  }

  /** Nobody has opened it. There is no push, so all streams are the client's. */
  isIdle(id: number): boolean {
    if (id % 2 === 0) return true
    return this.#role === 'server' ? id > this.seen : id >= this.#nextOwn
  }

  /** Client: the next number. */
  takeNumber(): number {
    const id = this.#nextOwn
    this.#nextOwn += 2
    return id
  }

  add(stream: Http2Stream): void {
    this.opened++
    this.open.set(stream.id, stream)
  }
}
