// What lblc and lblcr remember of each key, with the kernel's rules of forgetting: looked through once a minute at most, entries
// unused for the expiration time (a day) go every 30th time, and while there are more than 16,384 those unused for six
// minutes go as well. The kernel's table has no limit in between; this one never holds more than twice that: the oldest goes.
// One table a thread: threads may send a key to different endpoints until each has learnt its own.
import type { Clock } from '../base/clock.ts'

const CHECK_INTERVAL = 60_000
const CHECKS_UNTIL_FULL = 30
const UNUSED_WHEN_CROWDED = 6 * 60_000
export const CROWDED = 1024 * 16
export const DEFAULT_EXPIRATION = 24 * 60 * 60_000

export interface LocalityEntry {
  lastUse: number
}

export interface LocalityTable<T extends LocalityEntry> {
  readonly size: number
  /** Marks the entry as used. */
  get(key: number): T | undefined
  /** A new entry; it replaces one of the same key. */
  set(key: number, entry: T): void
}

export function localityTable<T extends LocalityEntry>(clock: Clock, expiration: number): LocalityTable<T> {
  const entries = new Map<number, T>()
  let checkedAt = clock.now()
  let checks = 1

  function check(now: number): void {
    checkedAt = now
    if (checks % CHECKS_UNTIL_FULL === 0) {
      for (const [key, entry] of entries) if (entry.lastUse + expiration <= now) entries.delete(key)
      checks = 1
    } else if (entries.size <= CROWDED) checks++
    else {
      let goal = Math.min(((entries.size - CROWDED) * 4) / 3, CROWDED / 2)
      for (const [key, entry] of entries) {
        if (goal <= 0) break
        if (entry.lastUse + UNUSED_WHEN_CROWDED > now) continue
        entries.delete(key)
        goal--
      }
    }
  }

  return {
    get size() {
      return entries.size
    },
    get(key) {
      const now = clock.now()
      if (now - checkedAt >= CHECK_INTERVAL) check(now)
      const entry = entries.get(key)
      if (entry !== undefined) entry.lastUse = now
      return entry
    },
    set(key, entry) {
      entries.delete(key)
      if (entries.size >= 2 * CROWDED) {
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      entries.set(key, entry)
    },
  }
}
