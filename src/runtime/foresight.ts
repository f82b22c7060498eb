// Which endpoint a request would go to, as far as that follows from the request alone or from what its client had before. Changes nothing.
import { clientAffinity } from '../balance/client-affinity.ts'
import type { ClientTable } from '../balance/client-table.ts'
import { localCursors } from '../balance/cursor.ts'
import { createScheduler } from '../balance/scheduler.ts'
import { systemClock } from '../base/clock.ts'
import type { Backend } from '../model/routing.ts'
import { requestKey, type KeyedRequest } from '../proxy/request-key.ts'

export interface Foreseen {
  /** Endpoint.id; undefined: it is not known before. */
  readonly endpoint: string | undefined
  /** Why that one, or why none is known: goes on after the endpoint. */
  readonly why: string
}

/** Health is left out: where the endpoint is out of use, another one takes the request. `now` in milliseconds since the epoch. */
export function foresee(backend: Backend, request: KeyedRequest, clients: ClientTable, now: number): Foreseen {
  const { address } = request.origin
  const held = heldBy(backend, address, clients, now)
  if (held !== undefined) return { endpoint: held, why: `${address} had it last (sessionAffinity ClientIP)` }
  const after = backend.affinitySeconds === undefined ? '' : `; ${address} then stays with it (sessionAffinity ClientIP)`
  const { scheduler, schedulerOptions: options, endpoints } = backend
  const key = requestKey(backend)
  if (key === undefined) return { endpoint: undefined, why: `${scheduler} looks at no client${after}` }
  if (scheduler === 'lblc' || scheduler === 'lblcr') return { endpoint: undefined, why: `${scheduler} goes by what was asked for before, and by load${after}` }
  if (options?.subsetSize !== undefined) return { endpoint: undefined, why: `one of the ${options.subsetSize} that ${scheduler} gives its key${after}` }
  const chooser = createScheduler(scheduler, { cursor: localCursors().of(backend.id), random: Math.random, clock: systemClock, ...(options !== undefined && { options }) })
  return { endpoint: endpoints[chooser.pick(endpoints, undefined, key(request))]?.id, why: `by the hash of ${scheduler}${after}` }
}

function heldBy(backend: Backend, address: string, clients: ClientTable, now: number): string | undefined {
  const affinity = clientAffinity(backend, clients)
  if (affinity === undefined) return undefined
  const name = clients.peek(clients.key(affinity.servicePort, address), Math.floor(now / 1000))
  return backend.endpoints[affinity.indices.get(name) ?? -1]?.id
}
