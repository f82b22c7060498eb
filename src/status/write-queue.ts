// Writes to the API server, a few at a time and not too many a second. A later write under the same key replaces one that waits.
import { createBackoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'

export interface WriteQueueOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Writes at once. */
  readonly parallel: number
  /** Writes in a burst; then `perSecond`. */
  readonly burst: number
  readonly perSecond: number
  /** Keys that may wait; more are dropped, the oldest first. */
  readonly longest: number
  /** What becomes of a write that has failed. */
  readonly onFailure: (error: unknown, key: string, tries: number) => 'retry' | 'drop'
}

/** Resolves when it is done or no longer needed. */
export type Write = (signal: AbortSignal) => Promise<void>

interface Waiting {
  readonly write: Write
  readonly tries: number
}

const FIRST_WAIT = 500
const LONGEST_WAIT = 30_000

export class WriteQueue {
  readonly #options: WriteQueueOptions
  readonly #waiting = new Map<string, Waiting>()
  readonly #busy = new Map<string, Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #backoff
  #tokens: number
  #filledAt: number
  /** Nothing is written before this, milliseconds since the epoch. */
  #pausedUntil = 0
  #cancel: (() => void) | undefined

  constructor(options: WriteQueueOptions) {
    this.#options = options
    this.#tokens = options.burst
    this.#filledAt = options.clock.now()
    this.#backoff = createBackoff(FIRST_WAIT, LONGEST_WAIT, options.random)
  }

  put(key: string, write: Write): void {
    this.#enqueue(key, { write, tries: 0 })
  }

  /** Ends the writes under way and forgets the others. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#waiting.clear()
    this.#cancel?.()
    await Promise.all(this.#busy.values())
  }

  #enqueue(key: string, item: Waiting): void {
    if (this.#stopping.signal.aborted) return
    this.#waiting.set(key, item)
    if (this.#waiting.size > this.#options.longest) {
      const [oldest] = this.#waiting.keys()
      if (oldest !== undefined) this.#waiting.delete(oldest)
    }
    this.#pump()
  }

  #pump(): void {
    const { clock, parallel } = this.#options
    this.#cancel?.()
    this.#cancel = undefined
    const wait = this.#pausedUntil - clock.now()
    if (this.#waiting.size > 0 && wait > 0) {
      this.#cancel = clock.after(wait, () => this.#pump())
      return
    }
    for (const [key, item] of this.#waiting) {
      if (this.#busy.size >= parallel) return
      // The same key again only after the write before it.
      if (this.#busy.has(key)) continue
      const delay = this.#takeToken()
      if (delay > 0) {
        this.#cancel = clock.after(delay, () => this.#pump())
        return
      }
      this.#waiting.delete(key)
      this.#busy.set(key, this.#run(key, item))
    }
  }

  /** 0, or milliseconds until there is a token. */
  #takeToken(): number {
    const { clock, burst, perSecond } = this.#options
    const now = clock.now()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond)
    this.#filledAt = now
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / perSecond) * 1000)
    this.#tokens--
    return 0
  }

  async #run(key: string, { write, tries }: Waiting): Promise<void> {
    const { signal } = this.#stopping
    try {
      await write(signal)
      this.#backoff.reset()
    } catch (error) {
      if (!signal.aborted && this.#options.onFailure(error, key, tries + 1) === 'retry') {
        this.#pausedUntil = this.#options.clock.now() + this.#backoff.next()
        // What was put meanwhile is newer and takes its place.
        if (!this.#waiting.has(key)) this.#waiting.set(key, { write, tries: tries + 1 })
      }
    }
    this.#busy.delete(key)
    if (!signal.aborted) this.#pump()
  }
}
