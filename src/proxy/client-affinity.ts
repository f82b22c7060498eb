// The endpoint that a client had before, for backends whose Service has sessionAffinity ClientIP. The client is who the trusted
// proxies say it is. A retry goes to another endpoint and changes nothing: the client's own may be back for its next request.
import { textKey } from '../balance/hash.ts'
import type { ClientTable } from '../balance/client-table.ts'
import type { Backend } from '../model/routing.ts'
import type { Exchange } from './exchange.ts'
import type { LiveBackend } from './routing.ts'

export interface ClientAffinity {
  readonly table: ClientTable
  readonly servicePort: string
  readonly seconds: number
  /** What the table calls each endpoint, and back. */
  readonly names: readonly number[]
  readonly indices: ReadonlyMap<number, number>
}

export function clientAffinity({ namespace, service, port, affinitySeconds, endpoints }: Backend, table: ClientTable): ClientAffinity | undefined {
  if (affinitySeconds === undefined) return undefined
  const names = endpoints.map(({ id }) => textKey(id) | 0 || 1)
  return { table, servicePort: `${namespace}/${service}:${port}`, seconds: affinitySeconds, names, indices: new Map(names.map((name, index) => [name, index])) }
}

/** An index, or -1 when `choose` finds none. `choose` is asked where the client has no endpoint that is there and in use. */
export function byClient(exchange: Exchange, { clients, health }: LiveBackend, choose: () => number): number {
  if (clients === undefined || exchange.tried.length > 0) return choose()
  const { table, servicePort, seconds, names, indices } = clients
  const now = Math.floor(exchange.context.now / 1000)
  const key = table.key(servicePort, exchange.origin.address)
  const before = table.find(key, now, seconds)
  const held = before === 0 ? -1 : (indices.get(before) ?? -1)
  if (held >= 0 && !health.isOut(held)) return exchange.mayWait(held) ? held : choose()
  const chosen = choose()
  if (chosen < 0) return chosen
  const given = table.claim(key, names[chosen] ?? 1, before, now, seconds)
  // Of a thread that has a newer table, it may be an endpoint that is not known here yet.
  return indices.get(given) ?? chosen
}
