// Coarse deadlines for a thread: one wheel, one tick, one small timer object a connection, nothing allocated a request.
import type { Clock } from './clock.ts'

const SLOTS = 1024

/** What a timer calls when its time is over. */
export interface Timed {
  timedOut(): void
}

/** A member of a circular list; a slot of the wheel is one without a timer around it. */
class Link {
  next: Link = this
  previous: Link = this
}

/**
 * Time in steps of `tick` milliseconds. A timer never fires early and at most three steps late, in time that the thread ran: a pause of
 * the whole thread, after which what peers sent meanwhile is still unread, counts as two steps, and so does a clock that jumps.
 */
export class TimerWheel {
  /** Milliseconds that the thread ran. */
  now = 0
  readonly tick: number
  readonly #clock: Clock
  readonly #onTick: ((now: number) => void) | undefined
  readonly #slots: readonly Link[] = Array.from({ length: SLOTS }, () => new Link())
  #position = 0
  #clockAt: number
  #cancel: (() => void) | undefined

  /** `onTick` gets milliseconds since the epoch. */
  constructor(clock: Clock, onTick?: (now: number) => void, tick = 100) {
    this.#clock = clock
    this.#onTick = onTick
    this.tick = tick
    this.#clockAt = clock.now()
    this.#arm()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #arm(): void {
    this.#cancel = this.#clock.after(this.tick, () => {
      this.#arm()
      this.#advance()
    })
  }

  #advance(): void {
    const clockAt = this.#clock.now()
    this.now += Math.max(0, Math.min(clockAt - this.#clockAt, 2 * this.tick))
    this.#clockAt = clockAt
    this.#onTick?.(clockAt)
    const target = Math.floor(this.now / this.tick)
    while (this.#position < target) {
      this.#position++
      this.#fire(this.#slotAt(this.#position))
    }
  }

  #fire(slot: Link): void {
    // Timers are only ever linked into other slots, and the owner's call may drop any of them.
    while (slot.next !== slot) {
      const timer = slot.next
      if (!(timer instanceof Timer)) return
      timer.unlink()
      if (timer.deadline <= this.now) {
        timer.deadline = Infinity
        timer.owner.timedOut()
      } else if (timer.deadline !== Infinity) this.link(timer)
    }
  }

  /** For Timer only. */
  link(timer: Timer): void {
    const furthest = this.#position + SLOTS - 1
    const position = Math.min(Math.max(Math.ceil(timer.deadline / this.tick), this.#position + 1), furthest)
    timer.linkedAt = position * this.tick
    const slot = this.#slotAt(position)
    timer.previous = slot
    timer.next = slot.next
    slot.next.previous = timer
    slot.next = timer
  }

  #slotAt(position: number): Link {
    const slot = this.#slots[position % SLOTS]
    if (slot === undefined) throw new RangeError('the wheel has no such slot')
    return slot
  }
}

/** One deadline of one owner. Moving it later or clearing it is one assignment: the wheel looks again when the old time comes. */
export class Timer extends Link {
  deadline = Infinity
  /** When the wheel will look at it; 0: not in the wheel. */
  linkedAt = 0
  readonly owner: Timed
  readonly #wheel: TimerWheel

  constructor(wheel: TimerWheel, owner: Timed) {
    super()
    this.#wheel = wheel
    this.owner = owner
  }

  /** `ms` from now, in place of the deadline before. */
  set(ms: number): void {
    const wheel = this.#wheel
    this.deadline = wheel.now + ms + wheel.tick
    if (this.linkedAt === 0) wheel.link(this)
    else if (this.deadline < this.linkedAt) {
      this.unlink()
      wheel.link(this)
    }
  }

  clear(): void {
    this.deadline = Infinity
  }

  /** Clears it and lets the wheel forget its owner. */
  drop(): void {
    this.deadline = Infinity
    if (this.linkedAt !== 0) this.unlink()
  }

  unlink(): void {
    this.next.previous = this.previous
    this.previous.next = this.next
    this.next = this.previous = this
    this.linkedAt = 0
  }
}
