// Who waits for a version of the table to be served, and for how long at most.
import type { Clock } from '../base/clock.ts'

export interface VersionWaiters {
  /** Resolves once that version is `served`; `onLate` is called when that takes too long, and the wait goes on. */
  wait(version: number, onLate: () => void): Promise<void>
  /** Every thread serves this version. */
  served(version: number): void
  rejectAll(error: Error): void
}

interface Waiter {
  readonly version: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly cancel: () => void
}

export function createVersionWaiters(clock: Clock, patienceMs: number): VersionWaiters {
  let waiters: Waiter[] = []
  return {
    wait: (version, onLate) =>
      new Promise((resolve, reject) => {
        waiters.push({ version, resolve, reject, cancel: clock.after(patienceMs, onLate) })
      }),
    served(version) {
      const done = waiters.filter((waiter) => waiter.version <= version)
      waiters = waiters.filter((waiter) => waiter.version > version)
      for (const { resolve, cancel } of done) {
        cancel()
        resolve()
      }
    },
    rejectAll(error) {
      for (const { reject, cancel } of waiters.splice(0)) {
        cancel()
        reject(error)
      }
    },
  }
}
