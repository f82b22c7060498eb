// Events live for an hour and never pile up beyond a bound, whoever wrote them.
import type { KubeObject } from '../api-server/kind.ts'
import { isApiError, keyOfObject, splitKey, type ControllerContext, type Running } from './controller.ts'
import type { Event } from './object-shapes.ts'

export interface EventExpiryOptions {
  readonly lifeMs?: number
  readonly most?: number
}

const SWEEP_EVERY_MS = 60_000

export function runEventExpiry({ registry, clock }: Pick<ControllerContext, 'registry' | 'clock'>, { lifeMs = 3_600_000, most = 2000 }: EventExpiryOptions = {}): Running {
  /** Last time seen, in order of it: a renewed event moves to the end. */
  const seen = new Map<string, number>()

  const remove = (key: string): void => {
    seen.delete(key)
    const { namespace, name } = splitKey(key)
    try {
      registry.delete('events', namespace, name)
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  }
  const note = (object: KubeObject): void => {
    const key = keyOfObject(object)
    seen.delete(key)
    seen.set(key, lastSeen(object as Event))
    if (seen.size > most) {
      const [oldest] = seen.keys()
      if (oldest !== undefined) remove(oldest)
    }
  }
  const sweep = (): void => {
    const limit = clock.now() - lifeMs
    for (const [key, at] of seen) if (at < limit) remove(key)
    cancel = clock.after(SWEEP_EVERY_MS, sweep)
  }

  let cancel = clock.after(SWEEP_EVERY_MS, sweep)
  const stop = registry.watch('events', (event) => {
    if (event.type === 'DELETED') seen.delete(keyOfObject(event.object))
    else note(event.object)
  })
  for (const object of registry.list('events')) note(object)
  return {
    close() {
      stop()
      cancel()
    },
  }
}

function lastSeen(event: Event): number {
  const written = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp
  const at = Date.parse(written)
  return Number.isNaN(at) ? 0 : at
}
