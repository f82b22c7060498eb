// The deadlines of one connection on one timer.
import { Timer, type Timed, type TimerWheel } from '../../base/timer-wheel.ts'

/** In order: the peer's SETTINGS and its acknowledgement of ours; the rest of a header block; the next look whether it is silent; the answer to
 * a PING; the second GOAWAY; the next look at streams that wait. */
export type Deadline = 'settings' | 'head' | 'silence' | 'pong' | 'go-away' | 'stall'

export class Deadlines implements Timed {
  readonly #at = new Map<Deadline, number>()
  readonly #wheel: TimerWheel
  readonly #timer: Timer
  readonly #passed: (deadline: Deadline) => void

  constructor(wheel: TimerWheel, passed: (deadline: Deadline) => void) {
    this.#wheel = wheel
    this.#timer = new Timer(wheel, this)
    this.#passed = passed
  }

  has(deadline: Deadline): boolean {
    return this.#at.has(deadline)
  }

  set(deadline: Deadline, ms: number): void {
    this.#at.set(deadline, this.#wheel.now + ms)
    this.#arm()
  }

  clear(deadline: Deadline): void {
    this.#at.delete(deadline)
  }

  drop(): void {
    this.#at.clear()
    this.#timer.drop()
  }

  timedOut(): void {
    for (const [deadline, at] of this.#at) {
      if (at > this.#wheel.now) continue
      this.#at.delete(deadline)
      this.#passed(deadline)
    }
    this.#arm()
  }

  #arm(): void {
    let next = Infinity
    for (const at of this.#at.values()) next = Math.min(next, at)
    if (next < Infinity) this.#timer.set(Math.max(0, next - this.#wheel.now))
  }
}
