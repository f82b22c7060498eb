// Events on the user's objects: `Sync` when an Ingress was taken over, a Warning for each diagnostic. One that comes again
// raises the count of the one that is there.
import { hostname } from 'node:os'
import type { Clock } from '../base/clock.ts'
import { ApiFailure } from '../kube/api-failure.ts'
import type { Connection } from '../kube/connection.ts'
import { createEvent, repeatEvent, type EventRecord, type EventText } from '../kube/writes.ts'
import type { Diagnostic, DiagnosticReason } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { WriteQueue } from './write-queue.ts'

export interface Events {
  update(accepted: readonly ObjectRef[], diagnostics: readonly Diagnostic[]): void
  stop(): void
}

/** Milliseconds that something has to last before it is told: while objects are being applied, much is missing for a moment. */
const SETTLE: Partial<Record<DiagnosticReason, number>> = { NoReadyEndpoints: 3_000 }
const SETTLE_OTHERS = 300
/** API servers forget events after an hour; what still holds is told again. */
const REFRESH = 30 * 60_000
/** Events that are remembered, to be raised instead of made anew. */
const MOST_REMEMBERED = 4_096
const LONGEST_MESSAGE = 1_024

interface Standing {
  readonly object: ObjectRef
  readonly text: EventText
  /** When it is to be told next. */
  due: number
}

interface Described {
  readonly key: string
  readonly text: EventText
}

export function createEvents(connection: Connection, queue: WriteQueue, clock: Clock): Events {
  const instance = hostname()
  /** By event key, the least recently told first. */
  const told = new Map<string, EventRecord>()
  let standing = new Map<string, Standing>()
  let synced = new Map<string, ObjectRef>()
  // Translation hands out the same lists while nothing in them has changed.
  let latest: readonly ObjectRef[] | undefined
  let reported: readonly Diagnostic[] | undefined
  const described = new WeakMap<Diagnostic, Described>()
  let serial = 0
  let cancel = (): void => undefined

  function tell(key: string, object: ObjectRef, text: EventText): void {
    queue.put(key, async (signal) => {
      const last = clock.now()
      const before = told.get(key)
      if (before !== undefined) {
        const again: EventRecord = { ...before, last, count: before.count + 1 }
        try {
          await repeatEvent(connection, again, signal)
          remember(key, again)
          return
        } catch (error) {
          if (!(error instanceof ApiFailure) || error.status !== 404) throw error
          told.delete(key)
        }
      }
      const made: EventRecord = { ...text, object, name: eventName(object), first: last, last, count: 1 }
      await createEvent(connection, made, instance, signal)
      remember(key, made)
    })
  }

  function remember(key: string, event: EventRecord): void {
    told.delete(key)
    told.set(key, event)
    const [oldest] = told.keys()
    if (told.size > MOST_REMEMBERED && oldest !== undefined) told.delete(oldest)
  }

  /** As client-go names them: the object's name and a number that does not come twice. */
  function eventName(object: ObjectRef): string {
    const unique = (BigInt(clock.now()) * 1_000_000n + BigInt(serial++ % 1_000_000)).toString(16)
    return `${object.name.slice(0, 200).replace(/[^a-z0-9.-]/g, '-')}.${unique}`
  }

  /** Most diagnostics are the very objects of the run before. */
  function describe(diagnostic: Diagnostic): Described {
    const known = described.get(diagnostic)
    if (known !== undefined) return known
    const text: EventText = { type: 'Warning', reason: diagnostic.reason, message: messageOf(diagnostic) }
    const made = { key: keyOf(diagnostic.object, text), text }
    described.set(diagnostic, made)
    return made
  }

  function tellDue(): void {
    cancel()
    const now = clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const [key, entry] of standing) {
      if (entry.due <= now) {
        tell(key, entry.object, entry.text)
        entry.due = now + REFRESH
      }
      next = Math.min(next, entry.due)
    }
    cancel = standing.size === 0 ? () => undefined : clock.after(Math.max(next - now, 50), tellDue)
  }

  function sync(accepted: readonly ObjectRef[]): void {
    if (accepted === latest) return
    latest = accepted
    const current = new Map<string, ObjectRef>()
    for (const object of accepted) {
      const id = `${object.namespace}/${object.name}/${object.uid ?? ''}`
      current.set(id, object)
      // Translation keeps the reference while the Ingress says the same.
      if (synced.get(id) !== object) tell(keyOf(object, SYNC), object, SYNC)
    }
    synced = current
  }

  return {
    update(accepted, diagnostics) {
      sync(accepted)
      if (diagnostics === reported) return
      reported = diagnostics
      const now = clock.now()
      const present = new Map<string, Standing>()
      for (const diagnostic of diagnostics) {
        const { key, text } = describe(diagnostic)
        present.set(key, standing.get(key) ?? { object: diagnostic.object, text, due: now + (SETTLE[diagnostic.reason] ?? SETTLE_OTHERS) })
      }
      standing = present
      tellDue()
    },
    stop() {
      cancel()
      standing = new Map()
    },
  }
}

const SYNC: EventText = Object.freeze({ type: 'Normal', reason: 'Sync', message: 'Scheduled for sync' })

function messageOf({ field, message, fix }: Diagnostic): string {
  return `${field}: ${message} ${fix}`.slice(0, LONGEST_MESSAGE)
}

/** The uid is part of it: an object made anew has events of its own. */
function keyOf(object: ObjectRef, text: EventText): string {
  return JSON.stringify([object.kind, object.namespace, object.name, object.uid, text.reason, text.message])
}
