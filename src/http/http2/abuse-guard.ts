// Counts what a peer may do without bound as far as the protocol goes, and must not do without bound. See Http2AbuseLimits.
import type { Http2AbuseLimits } from '../../model/http2-settings.ts'

/** So many at once, so many a second in the long run, and one more for each piece of honest work. */
class Allowance {
  readonly #burst: number
  readonly #perSecond: number
  #used = 0
  #at = 0
  #work = 0

  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perSecond = perSecond
  }

  /** `work`: all that was done so far. False: used up. */
  take(now: number, work: number): boolean {
    const inTime = Math.max(Math.min(0, this.#used), this.#used - ((now - this.#at) / 1000) * this.#perSecond)
    // What is earned may be used later: the answers to data on its way come when it has all been sent.
    this.#used = Math.max(-this.#burst, inTime - (work - this.#work)) + 1
    this.#at = now
    this.#work = work
    return this.#used <= this.#burst
  }
}

/** For frames whose bound grows with what they are about. */
const FLOOR = 100

export class AbuseGuard {
  readonly #limits: Http2AbuseLimits
  readonly #resets: Allowance
  readonly #control: Allowance
  #priorities = 0
  #windowUpdates = 0
  #unread = 0

  constructor(limits: Http2AbuseLimits) {
    this.#limits = limits
    this.#resets = new Allowance(limits.resetBurst, limits.resetsPerSecond)
    this.#control = new Allowance(limits.controlBurst, limits.controlPerSecond)
  }

  // Each answers whether it may still be borne. `now`: milliseconds of the wheel.

  /** `completed`: streams that both sides have ended. Who often gives up, but mostly does not, is no attacker. */
  reset(now: number, completed: number): boolean {
    return this.#resets.take(now, completed)
  }

  /** `dataFrames`: both ways. Peers that measure the delay while bytes flow (gRPC) send a PING for every few of them. */
  control(now: number, dataFrames: number): boolean {
    return this.#control.take(now, dataFrames)
  }

  priority(streams: number): boolean {
    return ++this.#priorities <= FLOOR + this.#limits.prioritiesPerStream * streams
  }

  /** Each stream may widen its window before it has any data. */
  windowUpdate(streams: number, dataFrames: number): boolean {
    return ++this.#windowUpdates <= FLOOR + 2 * streams + this.#limits.windowUpdatesPerData * dataFrames
  }

  unreadReply(): boolean {
    return ++this.#unread <= this.#limits.unreadReplies
  }

  repliesRead(): void {
    this.#unread = 0
  }

  continuation(count: number): boolean {
    return count <= this.#limits.continuations
  }
}
