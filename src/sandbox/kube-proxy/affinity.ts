// sessionAffinity ClientIP: which endpoint a client had last. Bounded; the client that came longest ago is forgotten first.
import type { Clock } from '../../base/clock.ts'

export interface Affinity {
  /** Endpoint id of the client, unless it stayed away for longer than `timeoutMs`. */
  endpointOf(client: string, timeoutMs: number): string | undefined
  remember(client: string, endpointId: string): void
}

const MOST_CLIENTS = 65_536

export function createAffinity(clock: Clock, most = MOST_CLIENTS): Affinity {
  /** In the order of their last connection. */
  const clients = new Map<string, { readonly endpointId: string; readonly at: number }>()
  return {
    endpointOf(client, timeoutMs) {
      const known = clients.get(client)
      if (known === undefined) return undefined
      if (clock.now() - known.at < timeoutMs) return known.endpointId
      clients.delete(client)
      return undefined
    },
    remember(client, endpointId) {
      clients.delete(client)
      clients.set(client, { endpointId, at: clock.now() })
      const [oldest] = clients.keys()
      if (clients.size > most && oldest !== undefined) clients.delete(oldest)
    },
  }
}
