import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Roster } from '../../src/base/roster.ts'

test('holds what a Set holds after any changes', () => {
  const changes = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 })
  fc.assert(
    fc.property(changes, (all) => {
      const members = Array.from({ length: 10 }, () => ({ place: -1 }))
      const roster = new Roster<{ place: number }>()
      const set = new Set<{ place: number }>()
      for (const [adds, index] of all) {
        const member = members[index]
        if (member === undefined) continue
        if (!adds) {
          roster.delete(member)
          set.delete(member)
        } else if (!set.has(member)) {
          roster.add(member)
          set.add(member)
        }
        expect(roster.size).toBe(set.size)
      }
      expect(new Set(roster)).toEqual(set)
    }),
    { seed: 1 },
  )
})

test('may change while it is walked through', () => {
  const roster = new Roster<{ place: number }>()
  for (let i = 0; i < 5; i++) roster.add({ place: -1 })
  let seen = 0
  for (const member of roster) {
    roster.delete(member)
    seen++
  }
  expect(seen).toBe(5)
  expect(roster.size).toBe(0)
})
