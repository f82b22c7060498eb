// The names of ExternalName Services and their addresses, kept up to date: asked again before they expire, with growing pauses
// while DNS does not answer. Runs in the main thread; the data plane knows addresses only.
import { createBackoff, type Backoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { reuse } from '../base/reuse.ts'
import type { NameTrouble, ResolvedName, ResolvedNames } from '../model/resolved-name.ts'
import { LookupFailure, type Found, type Lookup } from './lookup.ts'

/** Times in milliseconds. */
export interface NameSettings {
  /** Addresses hold at least and at most this long, whatever their TTL says. */
  readonly minTtl: number
  readonly maxTtl: number
  /** How long addresses that have expired are used while DNS does not answer. */
  readonly keep: number
  /** Names beyond this many get no addresses. */
  readonly most: number
}

export interface NamesOptions {
  readonly lookup: Lookup
  readonly settings: NameSettings
  readonly clock: Clock
  /** Like Math.random. */
  readonly random: () => number
  /** Called whenever `resolved()` has changed. */
  readonly onChange: () => void
}

export interface Names {
  /** The names that are needed from now on; others are forgotten. */
  want(names: ReadonlySet<string>): void
  /** The same map while nothing in it has changed. */
  resolved(): ResolvedNames
  /** Resolves when each name wanted now has been answered or given up once. */
  settled(): Promise<void>
  close(): void
}

const MOST_ADDRESSES = 256
const MOST_AT_ONCE = 16
/** For one answer; the lookup's own limits are shorter. */
const LONGEST_LOOKUP = 15_000
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30_000
/** Of the time that addresses hold, what is over when they are asked for again: some of them always at another time than the rest. */
const REFRESH_AFTER = 0.8
const REFRESH_SPREAD = 0.1

interface Entry {
  readonly name: string
  readonly backoff: Backoff
  state: ResolvedName | undefined
  /** When the addresses expire. */
  expires: number
  cancel: (() => void) | undefined
}

export function createNames({ lookup, settings, clock, random, onChange }: NamesOptions): Names {
  const entries = new Map<string, Entry>()
  const waiting: Entry[] = []
  let wanted: ReadonlySet<string> = new Set()
  let snapshot: ResolvedNames | undefined
  let asking = 0
  let isClosed = false
  const onSettled: (() => void)[] = []

  function ask(entry: Entry): void {
    entry.cancel = undefined
    if (asking >= MOST_AT_ONCE) {
      // Names that are in use go before those that never had an answer: many of those must not hold up the others.
      if (entry.state !== undefined && entry.state.addresses.length > 0) waiting.unshift(entry)
      else waiting.push(entry)
      return
    }
    asking++
    void answerOf(entry.name).then((answer) => {
      asking--
      if (entries.get(entry.name) === entry) take(entry, answer)
      askNext()
    })
  }

  function askNext(): void {
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
      if (entries.get(entry.name) !== entry) continue
      ask(entry)
      return
    }
  }

  /** Never rejects, and never lasts longer than LONGEST_LOOKUP. */
  function answerOf(name: string): Promise<Found | NameTrouble> {
    return new Promise((resolve) => {
      const cancel = clock.after(LONGEST_LOOKUP, () => resolve({ kind: 'unanswered', detail: 'TIMEOUT' }))
      const end = (answer: Found | NameTrouble): void => {
        cancel()
        resolve(answer)
      }
      lookup(name).then(end, (error: unknown) => end({ kind: 'unanswered', detail: error instanceof LookupFailure ? error.message : 'failed' }))
    })
  }

  function take(entry: Entry, answer: Found | NameTrouble): void {
    const now = clock.now()
    const trouble: NameTrouble | undefined = 'kind' in answer ? answer : answer.addresses.length === 0 ? { kind: 'absent' } : undefined
    if (trouble === undefined && 'addresses' in answer) {
      const holds = Math.min(Math.max(answer.ttl * 1000, settings.minTtl), settings.maxTtl)
      entry.expires = now + holds
      entry.backoff.reset()
      update(entry, { addresses: [...new Set(answer.addresses)].sort().slice(0, MOST_ADDRESSES), trouble: undefined })
      entry.cancel = clock.after(holds * (REFRESH_AFTER + REFRESH_SPREAD * random()), () => ask(entry))
      return
    }
    if (trouble?.kind !== 'unanswered') update(entry, { addresses: [], trouble })
    // Before they expire, addresses are good whatever happens to DNS.
    else if (now >= entry.expires) update(entry, { addresses: now < entry.expires + settings.keep ? (entry.state?.addresses ?? []) : [], trouble })
    entry.cancel = clock.after(entry.backoff.next(), () => ask(entry))
  }

  function update(entry: Entry, state: ResolvedName): void {
    const before = entry.state
    entry.state = reuse(before, state)
    if (entry.state === before) return
    changed()
  }

  function changed(): void {
    snapshot = undefined
    onChange()
    if (isSettled()) for (const call of onSettled.splice(0)) call()
  }

  function isSettled(): boolean {
    for (const entry of entries.values()) if (entry.state === undefined) return false
    return true
  }

  function forget(entry: Entry): void {
    entry.cancel?.()
    entries.delete(entry.name)
  }

  return {
    want(names) {
      if (isClosed || names === wanted) return
      wanted = names
      snapshot = undefined
      for (const entry of entries.values()) if (!names.has(entry.name)) forget(entry)
      for (const name of names) {
        if (entries.has(name) || entries.size >= settings.most) continue
        const entry: Entry = { name, backoff: createBackoff(FIRST_PAUSE, LONGEST_PAUSE, random), state: undefined, expires: 0, cancel: undefined }
        entries.set(name, entry)
        ask(entry)
      }
      if (isSettled()) for (const call of onSettled.splice(0)) call()
    },
    resolved() {
      snapshot ??= snapshotOf(wanted, entries, settings.most)
      return snapshot
    },
    settled: () => (isSettled() ? Promise.resolve() : new Promise((resolve) => onSettled.push(resolve))),
    close() {
      isClosed = true
      for (const entry of entries.values()) forget(entry)
      for (const call of onSettled.splice(0)) call()
    },
  }
}

function snapshotOf(wanted: ReadonlySet<string>, entries: ReadonlyMap<string, Entry>, most: number): ResolvedNames {
  const tooMany: ResolvedName = { addresses: [], trouble: { kind: 'too-many', most } }
  const resolved = new Map<string, ResolvedName>()
  for (const name of wanted) {
    const entry = entries.get(name)
    if (entry === undefined) resolved.set(name, tooMany)
    else if (entry.state !== undefined) resolved.set(name, entry.state)
  }
  return resolved
}
