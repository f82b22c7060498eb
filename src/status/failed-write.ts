// Whether a failed write is worth another try, and what the log says of it.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { ApiFailure, GoneFailure } from '../kube/api-failure.ts'
import { messageOf } from '../kube/connection.ts'

const MOST_TRIES = 5
/** The same words are not written again for this long, milliseconds. */
const AGAIN = 60_000

/** `what` is written, for the log; `rule` is the permission that it needs. */
export function judgeFailures(what: string, rule: string, log: Log, clock: Clock): (error: unknown, key: string, tries: number) => 'retry' | 'drop' {
  const told = new Map<string, number>()
  const tell = (topic: string, message: string, key: string): void => {
    const now = clock.now()
    if (now - (told.get(topic) ?? -AGAIN) < AGAIN) return
    told.set(topic, now)
    log('warn', message, { key })
  }
  return (error, key, tries) => {
    if (error instanceof GoneFailure) return 'drop'
    if (!(error instanceof ApiFailure)) {
      tell('network', `can't write ${what}: ${messageOf(error)}; it is tried again`, key)
      return 'retry'
    }
    // The object has gone: so has the reason to write.
    if (error.status === 404) return 'drop'
    if (error.status === 401 || error.status === 403) {
      tell('forbidden', `may not write ${what}: ${error.message}; it is tried again. Grant it with this rule: ${rule}`, key)
      return 'retry'
    }
    // Only time helps against a conflict, a busy server or a failing one, but not for ever.
    const passing = error.status === 409 || error.status === 429 || error.status >= 500
    if (passing && tries < MOST_TRIES) return 'retry'
    tell(`status ${error.status}`, `can't write ${what}: ${error.message}; it is given up`, key)
    return 'drop'
  }
}
