// What is remembered of clients: for how long, of how many, and that all threads agree.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientCells, createClientTable, type ClientTable } from '../../src/balance/client-table.ts'
import type { ClaimingTask } from './claiming-thread.ts'

const tableFor = (clients: number): ClientTable => createClientTable(clientCells(clients, 'secret'))

describe('a client', () => {
  test('keeps its endpoint while it comes back in time, and not a second longer', () => {
    const table = tableFor(64)
    const key = table.key('dev/web:80', '192.0.2.1')
    expect(table.find(key, 1000, 60)).toBe(0)
    expect(table.claim(key, 7, 0, 1000, 60)).toBe(7)
    expect([1059, 1100, 1159].map((now) => table.find(key, now, 60))).toEqual([7, 7, 7])
    expect(table.find(key, 1219, 60)).toBe(0)
  })

  test('has an endpoint of its own at each Service port', () => {
    const table = tableFor(64)
    for (const [i, port] of ['dev/web:80', 'dev/web:81', 'dev/other:80', 'prod/web:80'].entries()) table.claim(table.key(port, '192.0.2.1'), i + 1, 0, 0, 60)
    expect(['dev/web:80', 'dev/web:81', 'dev/other:80', 'prod/web:80'].map((port) => table.find(table.key(port, '192.0.2.1'), 1, 60))).toEqual([1, 2, 3, 4])
  })

  test('whose endpoint is gone gets the first new one that a thread claims for it', () => {
    const table = tableFor(64)
    const key = table.key('dev/web:80', '192.0.2.1')
    table.claim(key, 1, 0, 0, 60)
    expect(table.claim(key, 2, 1, 0, 60)).toBe(2)
    expect(table.claim(key, 3, 1, 0, 60)).toBe(2)
    expect(table.find(key, 0, 60)).toBe(2)
  })
})

test('a full table forgets the client of a set that would be forgotten first, and no other', () => {
  const table = tableFor(1)
  const key = (i: number) => table.key('dev/web:80', `client ${i}`)
  for (let i = 0; i < 8; i++) table.claim(key(i), i + 1, 0, 100 + i, 60)
  table.find(key(0), 150, 60)
  table.claim(key(8), 9, 0, 150, 60)
  expect(Array.from({ length: 9 }, (_, i) => table.find(key(i), 150, 60))).toEqual([1, 0, 3, 4, 5, 6, 7, 8, 9])
})

test('as many clients as it was made for find their place, but for a few', () => {
  const clients = 4096
  const table = tableFor(clients)
  for (let i = 0; i < clients; i++) table.claim(table.key('dev/web:80', `2001:db8::${i.toString(16)}`), 1, 0, 0, 60)
  const kept = Array.from({ length: clients }, (_, i) => table.find(table.key('dev/web:80', `2001:db8::${i.toString(16)}`), 1, 60)).filter((endpoint) => endpoint === 1)
  expect(kept.length).toBeGreaterThan(clients * 0.97)
})

test('answers as a map without bounds would, for any sequence that fits', () => {
  const step = fc.record({ client: fc.nat(5), endpoint: fc.integer({ min: 1, max: 4 }), pass: fc.nat(40), gone: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = tableFor(64)
      const model = new Map<number, { endpoint: number; expires: number }>()
      let now = 1000
      for (const { client, endpoint, pass, gone } of steps) {
        now += pass
        const key = table.key('dev/web:80', `192.0.2.${client}`)
        const known = model.get(client)
        const expected = known !== undefined && known.expires > now ? known.endpoint : 0
        expect(table.find(key, now, 60)).toBe(expected)
        const next = expected === 0 || gone ? endpoint : expected
        if (expected === 0 || gone) expect(table.claim(key, endpoint, expected, now, 60)).toBe(endpoint)
        model.set(client, { endpoint: next, expires: now + 60 })
      }
    }),
    { seed: 23, numRuns: 300 },
  )
})

test('four threads that see the same new clients at once agree on every one', async () => {
  const cells = clientCells(8192, 'secret')
  const gate = new SharedArrayBuffer(4)
  const threads = 4
  const answers = await Promise.all(
    Array.from({ length: threads }, async (_, i) => {
      const workerData: ClaimingTask = { cells, gate, threads, clients: 3000, endpoint: i + 1 }
      return (await once(new Worker(new URL('claiming-thread.ts', import.meta.url), { workerData }), 'message'))[0] as number[]
    }),
  )
  const [first = []] = answers
  expect(first).toHaveLength(3000)
  for (const each of answers) expect(each).toEqual(first)
  expect(first.every((endpoint) => endpoint >= 1 && endpoint <= threads)).toBe(true)
})

test('a lock that a dead thread has left is taken from it', () => {
  const cells = clientCells(8, 'secret')
  const locks = new Int32Array(cells.buffer)
  for (let set = 0; set < cells.sets; set++) locks[set] = 1
  const table = createClientTable(cells)
  const key = table.key('dev/web:80', '192.0.2.1')
  expect(table.claim(key, 5, 0, 0, 60)).toBe(5)
  expect(table.find(key, 1, 60)).toBe(5)
})
