// The key picks a group of endpoints, chance one of the group: upstream-hash-by-subset of ingress-nginx (chashsubset.lua).
// Groups are cut from the list as it is; the last one is filled up from the beginning, so all are of one size. O(1) a pick.
// Where no endpoint of the group may be used there is none (-1).
import type { Endpoint } from '../model/routing.ts'
import { textKey } from './hash.ts'
import { maglevPlace, maglevTable } from './maglev-table.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler } from './scheduler.ts'
import { mayTake, nextUsable, undrained } from './turns.ts'

export function hashSubset(size: number, tableSize: number, random: () => number): Scheduler {
  const groupsOf = perEndpoints((endpoints) => {
    const groups = cut(endpoints, size)
    return { groups, table: maglevTable(groups.map((_, i) => ({ key: textKey(`set${i + 1}`), weight: 1 })), tableSize) }
  })
  return {
    pick(endpoints, usable, key = 0) {
      const { groups, table } = groupsOf(endpoints)
      const group = groups[table[maglevPlace(key, 0, table.length)] ?? -1]
      if (group === undefined) return -1
      const place = Math.floor(random() * group.length)
      const index = group[place] ?? -1
      return mayTake(endpoints, index, usable) ? index : nextUsable(endpoints, group, place, usable)
    },
  }
}

function cut(endpoints: readonly Endpoint[], size: number): Int32Array[] {
  const indices = undrained(endpoints)
  return Array.from({ length: Math.ceil(indices.length / size) }, (_, group) =>
    Int32Array.from({ length: Math.min(size, indices.length) }, (_, i) => indices[(group * size + i) % indices.length] ?? -1),
  )
}
