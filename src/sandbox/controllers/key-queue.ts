// The queue of one controller: keys waiting to be reconciled, each at most once, drained in the tick of the change
// (microtasks), so that what follows from a write is there before the next request is read. Failures come back later and later.
import type { Clock } from '../../base/clock.ts'

export interface KeyQueue {
  add(key: string): void
  /** Once, `ms` from now; an earlier one that waits for the same key stays if it is sooner. */
  addAfter(key: string, ms: number): void
  close(): void
}

export interface KeyQueueOptions {
  readonly clock: Clock
  /** Brings the object named by the key to where it should be; throws to be called again. */
  readonly reconcile: (key: string) => void
  readonly failed: (key: string, error: unknown, attempt: number) => void
}

const FIRST_RETRY_MS = 5
const LONGEST_RETRY_MS = 10_000
/** Keys reconciled before the event loop gets its turn: controllers that feed each other must not starve it. */
const KEYS_PER_TURN = 100
const RETRIES_BEFORE_HOLD = 3

interface Waiting {
  readonly at: number
  readonly cancel: () => void
}

export function createKeyQueue({ clock, reconcile, failed }: KeyQueueOptions): KeyQueue {
  const keys = new Set<string>()
  const waiting = new Map<string, Waiting>()
  const attempts = new Map<string, number>()
  let scheduled = false
  let closed = false
  let budget = KEYS_PER_TURN
  let renewal: NodeJS.Immediate | undefined

  const schedule = (): void => {
    if (scheduled || closed || budget === 0) return
    scheduled = true
    renewal ??= setImmediate(renewBudget)
    queueMicrotask(drain)
  }

  const renewBudget = (): void => {
    renewal = undefined
    budget = KEYS_PER_TURN
    if (keys.size > 0) schedule()
  }

  const drain = (): void => {
    scheduled = false
    for (const key of keys) {
      if (closed || budget === 0) return
      budget--
      keys.delete(key)
      try {
        reconcile(key)
        attempts.delete(key)
      } catch (error) {
        const attempt = (attempts.get(key) ?? 0) + 1
        attempts.set(key, attempt)
        failed(key, error, attempt)
        addAfter(key, Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS))
      }
    }
  }

  const add = (key: string): void => {
    if (closed) return
    const later = waiting.get(key)
    if (later) {
      // A reconcile that writes and then fails wakes itself: its back-off must hold.
      if ((attempts.get(key) ?? 0) > RETRIES_BEFORE_HOLD) return
      later.cancel()
      waiting.delete(key)
    }
    keys.add(key)
    schedule()
  }

  const addAfter = (key: string, ms: number): void => {
    if (closed) return
    const at = clock.now() + ms
    const later = waiting.get(key)
    if (later && later.at <= at) return
    later?.cancel()
    const cancel = clock.after(ms, () => {
      waiting.delete(key)
      keys.add(key)
      schedule()
    })
    waiting.set(key, { at, cancel })
  }

  return {
    add,
    addAfter,
    close() {
      closed = true
      keys.clear()
      for (const { cancel } of waiting.values()) cancel()
      waiting.clear()
      if (renewal) clearImmediate(renewal)
    },
  }
}
