// One data-plane thread as the supervisor sees it: boots a worker, passes messages, says when it is gone. Holds no table.
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { FromThread, ToThread } from './messages.ts'

/** booting: no word yet. booted: waits for a table. starting: was told what to serve. */
export type ThreadState = 'booting' | 'booted' | 'starting' | 'serving' | 'gone'

export interface ThreadEvents {
  onMessage(thread: DataPlaneThread, message: FromThread): void
  /** Once, after which nothing is posted; `thread.reason` may say why. */
  onGone(thread: DataPlaneThread): void
}

/**
 * Two halves of 1 MiB, in which all that lives for one request is written again and again: they stay in a core's second-level cache, which
 * larger ones do not. Smaller ones would be full of what thousands of requests in flight need.
 */
const YOUNG_MIB = 3
/**
 * Of the process. At the start every connection there is survives a scavenge, from which V8 concludes that what they are made of belongs into the old
 * generation. There the closed ones lie until the next full collection, and all they refer to survives with them: a third of what is allocated.
 */
const ALLOCATE_YOUNG = '--no-allocation-site-pretenuring'

export class DataPlaneThread {
  readonly index: number
  state: ThreadState = 'booting'
  /** The last version of the table that it said to serve; 0: none. */
  acknowledged = 0
  /** Whether `apply` waits for it: a replacement counts only once it serves. */
  counted: boolean
  /** Why it ended; undefined while it lives and when it ended by itself. */
  reason: Error | undefined
  readonly #worker: Worker

  constructor(index: number, entry: URL, counted: boolean, events: ThreadEvents) {
    this.index = index
    this.counted = counted
    setFlagsFromString(ALLOCATE_YOUNG)
    this.#worker = new Worker(entry, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB }, name: `data-plane-${index}` })
    this.#worker.on('message', (message: FromThread) => events.onMessage(this, message))
    this.#worker.on('error', (error: unknown) => (this.reason ??= error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => {
      this.state = 'gone'
      events.onGone(this)
    })
  }

  /** Whether it was given a table, so that the differences after it are for it too. */
  get isFed(): boolean {
    return this.state === 'starting' || this.state === 'serving'
  }

  /** Milliseconds that its event loop was not idle since it began. */
  busyMs(): number {
    return this.#worker.performance.eventLoopUtilization().active
  }

  post(message: ToThread): void {
    if (this.state !== 'gone') this.#worker.postMessage(message)
  }

  /** Ends it for a reason of its own making, such as a port that it can't have. */
  fail(reason: Error): void {
    this.reason = reason
    void this.#worker.terminate()
  }

  /** Lets it close what it holds for `graceMs`, then ends it. */
  async end(graceMs: number): Promise<void> {
    if (this.state === 'gone') return
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve))
    const timer = setTimeout(() => void this.#worker.terminate(), this.isFed ? graceMs : 0)
    this.post({ kind: 'close' })
    await exited
    clearTimeout(timer)
  }

  /** It has closed all it held. */
  terminate(): void {
    void this.#worker.terminate()
  }
}
