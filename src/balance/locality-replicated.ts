// lblcr (ip_vs_lblcr): as lblc, but a key has a set of endpoints: the least loaded of the set serves, and when that one is overloaded the
// least loaded of all joins. A set that has not changed for the expiration time loses its most loaded member.
// O(size of the set) a pick, O(n) when it grows. Inside the set the first wins a tie, the one that joined last before the
// others, as in the kernel: spreading is what growing is for. Members whose endpoints are gone leave at once.
import type { Endpoint } from '../model/routing.ts'
import { takeLeast, type Fleet } from './least.ts'
import { finished, inFlight, started } from './loads.ts'
import { isOverloaded, localityOf } from './locality-based.ts'
import { DEFAULT_EXPIRATION, localityTable, type LocalityEntry } from './locality-table.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { mayTake, type Usable } from './turns.ts'

interface Entry extends LocalityEntry {
  /** Ids of endpoints, the last to join first. */
  readonly set: string[]
  lastChange: number
}

type IndexOf = ReadonlyMap<string, number>

export function localityReplicated({ cursor, cells, clock, options }: Omit<SchedulerState, 'random'>): Scheduler {
  const localityFor = perEndpoints((endpoints) => localityOf(endpoints, cells))
  const expiration = options?.expiration ?? DEFAULT_EXPIRATION
  const table = localityTable<Entry>(clock, expiration)

  function fromSet(entry: Entry, fleet: Fleet, indexOf: IndexOf, usable: Usable): number {
    dropGone(entry, indexOf)
    const index = leastOf(entry.set, fleet, indexOf, usable)
    if (entry.set.length > 1 && clock.now() > entry.lastChange + expiration) {
      const most = mostOf(entry.set, fleet, indexOf)
      if (most !== undefined) {
        entry.set.splice(entry.set.indexOf(most), 1)
        entry.lastChange = clock.now()
      }
    }
    return index !== -1 && !isOverloaded(fleet, index) ? index : -1
  }

  return {
    pick(endpoints, usable, key = 0) {
      const { fleet, indexOf } = localityFor(endpoints)
      const entry = table.get(key)
      if (entry !== undefined) {
        const index = fromSet(entry, fleet, indexOf, usable)
        if (index !== -1) {
          started(fleet.loads, index)
          return index
        }
      }
      const index = takeLeast(fleet, 0, cursor, usable)
      const id = endpoints[index]?.id
      if (id === undefined) return -1
      if (entry === undefined) table.set(key, { set: [id], lastUse: clock.now(), lastChange: clock.now() })
      else if (!entry.set.includes(id)) {
        entry.set.unshift(id)
        entry.lastChange = clock.now()
      }
      return index
    },
    finished: (endpoints, index) => finished(localityFor(endpoints).fleet.loads, index),
  }
}

function dropGone(entry: Entry, indexOf: IndexOf): void {
  for (let i = entry.set.length - 1; i >= 0; i--) if (!indexOf.has(entry.set[i] ?? '')) entry.set.splice(i, 1)
}

function weightOf(endpoints: readonly Endpoint[], index: number): number {
  return endpoints[index]?.weight ?? 0
}

function leastOf(set: readonly string[], { endpoints, loads }: Fleet, indexOf: IndexOf, usable: Usable): number {
  let least = -1
  for (const id of set) {
    const index = indexOf.get(id) ?? -1
    if (!mayTake(endpoints, index, usable)) continue
    if (least === -1 || inFlight(loads, least) * weightOf(endpoints, index) > inFlight(loads, index) * weightOf(endpoints, least)) least = index
  }
  return least
}

function mostOf(set: readonly string[], { endpoints, loads }: Fleet, indexOf: IndexOf): string | undefined {
  let most = -1
  for (const id of set) {
    const index = indexOf.get(id) ?? -1
    if (weightOf(endpoints, index) === 0) continue
    if (most === -1 || inFlight(loads, most) * weightOf(endpoints, index) < inFlight(loads, index) * weightOf(endpoints, most)) most = index
  }
  return endpoints[most]?.id
}
