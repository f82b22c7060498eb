// The endpoint that a client had before, for backends whose Service has sessionAffinity ClientIP. The client is who the trusted
// proxies say it is. A retry goes to another endpoint and changes nothing: the client's own may be back for its next request.
import { stayWith } from '../balance/client-affinity.ts'
import type { Exchange } from './exchange.ts'
import type { LiveBackend } from './routing.ts'

/** An index, or -1 when `choose` finds none. */
export function byClient(exchange: Exchange, { clients, health }: LiveBackend, choose: () => number): number {
  if (clients === undefined || exchange.candidates.tried.length > 0) return choose()
  let isNew = false
  const index = stayWith(clients, exchange.origin.address, exchange.context.now, (held) => !health.isOut(held), () => {
    isNew = true
    return choose()
  })
  // Too many wait for its own already: this once another one.
  return isNew || exchange.candidates.mayWait(index) ? index : choose()
}
