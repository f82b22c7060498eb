// sessionAffinity ClientIP of one backend: the endpoint that a client had, by what the table of all threads knows.
import type { Backend, Endpoint } from '../model/routing.ts'
import type { ClientTable } from './client-table.ts'
import { textKey } from './hash.ts'
import type { Scheduler } from './scheduler.ts'

export interface ClientAffinity {
  readonly table: ClientTable
  readonly servicePort: string
  readonly seconds: number
  /** What the table calls each endpoint, and back. */
  readonly names: readonly number[]
  readonly indices: ReadonlyMap<number, number>
}

/** undefined: the Service asks for none. */
export function clientAffinity({ namespace, service, port, affinitySeconds, endpoints }: Backend, table: ClientTable): ClientAffinity | undefined {
  if (affinitySeconds === undefined) return undefined
  const names = endpoints.map(({ id }) => textKey(id) | 0 || 1)
  return { table, servicePort: `${namespace}/${service}:${port}`, seconds: affinitySeconds, names, indices: new Map(names.map((name, index) => [name, index])) }
}

/**
 * The index of the client's endpoint; `choose` answers a new one (-1: there is none) where it has none that is there and `inUse`.
 * `now` in milliseconds.
 */
export function stayWith({ table, servicePort, seconds, names, indices }: ClientAffinity, client: string, now: number, inUse: (index: number) => boolean, choose: () => number): number {
  const second = Math.floor(now / 1000)
  const key = table.key(servicePort, client)
  const before = table.find(key, second, seconds)
  const held = before === 0 ? -1 : (indices.get(before) ?? -1)
  if (held >= 0 && inUse(held)) return held
  const chosen = choose()
  if (chosen < 0) return chosen
  const given = table.claim(key, names[chosen] ?? 1, before, second, seconds)
  // Of a thread that has a newer table, it may be an endpoint that is not known here yet.
  return indices.get(given) ?? chosen
}

/**
 * A scheduler that counts has counted the request for what it has chosen (-1: nothing), and it goes to another endpoint. False: it is not
 * counted there, since the scheduler does not count or never chooses that one.
 */
export function moveCount(scheduler: Scheduler, endpoints: readonly Endpoint[], chosen: number, index: number): boolean {
  if (scheduler.finished === undefined) return false
  if (chosen >= 0) scheduler.finished(endpoints, chosen, -1)
  return scheduler.pick(endpoints, (_endpoint, each) => each === index, 0) === index
}
