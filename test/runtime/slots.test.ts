import { expect, test } from 'vitest'
import { createSharedCursors } from '../../src/runtime/shared-cursors.ts'
import { CELLS_PER_CHUNK, createSlots } from '../../src/runtime/slots.ts'

const added = (...ids: string[]) => ({ set: ids.map((id) => [id, {}] as const), deleted: [] })
const swapped = (gone: string, id: string) => ({ ...added(id), deleted: [gone] })

test('a backend keeps its cell while it exists; only what is new goes down', () => {
  const slots = createSlots()
  const first = slots.update(added('a', 'b'), 1)
  expect(first.assigned.map(([id]) => id)).toEqual(['a', 'b'])
  expect(first.chunks).toHaveLength(1)
  const second = slots.update(added('b', 'c'), 2)
  expect([second.assigned.map(([id]) => id), second.released, second.chunks]).toEqual([['c'], [], []])
  expect(slots.whole().assigned.slice(0, 2)).toEqual(first.assigned)
})

test('no two backends share a cell, and memory grows by chunks', () => {
  const slots = createSlots()
  const ids = Array.from({ length: CELLS_PER_CHUNK * 2 + 1 }, (_, i) => `backend ${i}`)
  const { assigned, chunks } = slots.update(added(...ids), 1)
  expect(chunks).toHaveLength(3)
  expect(new Set(assigned.map(([, { chunk, index }]) => chunk * CELLS_PER_CHUNK + index)).size).toBe(ids.length)
})

test('a released cell is used again only after all threads serve a version without its backend, and begins at 0', () => {
  const slots = createSlots()
  const cursors = createSharedCursors()
  cursors.learn(slots.update(added('a'), 1))
  cursors.of('a').next()
  const cellOfA = slots.whole().assigned[0]?.[1]
  const second = slots.update(swapped('a', 'b'), 2)
  expect(second.released).toEqual(['a'])
  expect(second.assigned[0]?.[1]).not.toEqual(cellOfA)
  slots.acknowledged(1)
  expect(slots.update(added('c'), 3).assigned[0]?.[1]).not.toEqual(cellOfA)
  slots.acknowledged(2)
  const fourth = slots.update(added('d'), 4)
  expect(fourth.assigned).toEqual([['d', cellOfA]])
  cursors.learn(fourth)
  expect(cursors.of('d').next()).toBe(0)
})

test('threads that learned the same slots share the sequence of a backend', () => {
  const slots = createSlots()
  const delta = slots.update(added('a', 'b'), 1)
  const [one, other] = [createSharedCursors(), createSharedCursors()]
  one.learn(delta)
  other.learn(slots.whole())
  expect([one.of('a').next(), other.of('a').next(), one.of('b').next(), one.of('a').next()]).toEqual([0, 1, 0, 2])
})

test('a request of an older table still finds a cursor for a backend that is gone', () => {
  const cursors = createSharedCursors()
  expect(cursors.of('gone').next()).toBe(0)
})
