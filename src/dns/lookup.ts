// Asks DNS for the addresses of one name, with how long they hold. Names are absolute: no search domains, no /etc/hosts, since
// an ExternalName is what a cluster's DNS answers with a CNAME.
import { Resolver } from 'node:dns/promises'

export interface Found {
  /** IP literals of both families; empty: DNS says that there are none. */
  readonly addresses: readonly string[]
  /** Seconds; the shortest of all. */
  readonly ttl: number
}

/** Rejects with LookupFailure when it can't be known. */
export type Lookup = (name: string) => Promise<Found>

/** `message` is short and the same for the same trouble: `SERVFAIL`, `TIMEOUT`. */
export class LookupFailure extends Error {}

const TIMEOUT_MS = 2000
const TRIES = 2
const ABSENT: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA'])

/** `servers` as `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:53`; empty: those of /etc/resolv.conf. */
export function dnsLookup(servers: readonly string[]): Lookup {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES })
  if (servers.length > 0) resolver.setServers(servers)
  return async (name) => {
    // RFC 6761 section 6.3: never asked, always this machine.
    if (name === 'localhost' || name.endsWith('.localhost')) return { addresses: ['127.0.0.1', '::1'], ttl: Infinity }
    const answers = await Promise.all([records(resolver.resolve4(name, { ttl: true })), records(resolver.resolve6(name, { ttl: true }))])
    const found = answers.flatMap((answer) => ('records' in answer ? answer.records : []))
    const failure = answers.find((answer) => 'failure' in answer)
    if (found.length === 0 && failure !== undefined) throw new LookupFailure(failure.failure)
    // One family alone will do; the other is asked again soon.
    const ttl = failure === undefined ? Math.min(...found.map((record) => record.ttl)) : 0
    return { addresses: found.map((record) => record.address), ttl }
  }
}

type Answer = { readonly records: readonly { readonly address: string; readonly ttl: number }[] } | { readonly failure: string }

async function records(query: Promise<readonly { readonly address: string; readonly ttl: number }[]>): Promise<Answer> {
  try {
    return { records: await query }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
    return ABSENT.has(code) ? { records: [] } : { failure: code.replace(/^E/, '') }
  }
}
