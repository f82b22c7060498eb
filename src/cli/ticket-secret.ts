// --session-ticket-secret: follows the Secret that makes session tickets good on all replicas. Without a usable one they are good here alone.
import type { Log } from '../base/log.ts'
import type { Secret } from '../kube/objects.ts'

const KEY = 'ticket.key'
/** Of characters, which need not be random bytes each. */
const SHORTEST = 32

/** The answer is to be called with each state of the Secrets; `use` hears of changes. `name`: `namespace/name`, or empty. */
export function followTicketSecret(name: string, log: Log, use: (secret: Uint8Array | undefined) => void): (secrets: ReadonlyMap<string, Secret>) => void {
  let used: string | undefined
  let lacks = false
  return (secrets) => {
    if (name === '') return
    const text = secrets.get(name)?.data[KEY]
    const usable = text !== undefined && text.length >= SHORTEST ? text : undefined
    if (usable === undefined && !lacks) log('warn', `the Secret of --session-ticket-secret has no ${KEY} of ${SHORTEST} characters or more: TLS sessions resume on this replica only`, { secret: name })
    lacks = usable === undefined
    if (usable === used) return
    used = usable
    use(usable === undefined ? undefined : Buffer.from(usable, 'utf8'))
  }
}
