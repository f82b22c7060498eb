// Many marks become few runs: one after a quiet time, but never later than a longest wait. Runs never overlap; what is
// marked during a run leads to one more.
import type { Clock } from './clock.ts'

export interface CoalesceOptions {
  readonly clock: Clock
  /** Milliseconds without a mark before a run. */
  readonly quiet: number
  /** Milliseconds from the first mark to the run at most. */
  readonly longest: number
  /** Must not throw nor reject. */
  readonly run: () => void | Promise<void>
}

export class Coalesce {
  readonly #options: CoalesceOptions
  #first = 0
  #last = 0
  #marked = false
  #running: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: CoalesceOptions) {
    this.#options = options
  }

  /** Says that something changed. Cheap: a burst of marks sets one timer. */
  mark(): void {
    if (this.#closed) return
    this.#last = this.#options.clock.now()
    if (this.#marked) return
    this.#marked = true
    this.#first = this.#last
    if (this.#running === undefined) this.#wait()
  }

  /** No run begins after this; resolves when the one under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    await this.#running
  }

  #wait(): void {
    const { clock, quiet, longest } = this.#options
    const due = Math.min(this.#last + quiet, this.#first + longest)
    this.#cancel = clock.after(Math.max(0, due - clock.now()), () => {
      const isLate = clock.now() >= Math.min(this.#last + quiet, this.#first + longest)
      if (isLate) this.#run()
      else this.#wait()
    })
  }

  #run(): void {
    this.#marked = false
    this.#cancel = undefined
    // The run begins a step later, when #running is set: it may mark by itself.
    this.#running = Promise.resolve()
      .then(() => this.#options.run())
      .then(() => {
        this.#running = undefined
        if (this.#marked && !this.#closed) this.#wait()
      })
  }
}
