// sessionAffinity ClientIP at layer 4: which endpoint the connections of a client get.
import { expect, test } from 'vitest'
import { clientCells, createClientTable } from '../../src/balance/client-table.ts'
import { localCursors } from '../../src/balance/cursor.ts'
import { localBackendCells } from '../../src/balance/loads.ts'
import type { Backend } from '../../src/model/routing.ts'
import { createRoutedBackend, type RoutedBackend } from '../../src/stream/stream-backend.ts'
import { fakeClock } from '../support/fake-clock.ts'

const NONE: ReadonlySet<string> = new Set()
const from = (address: string, port = 40_000) => ({ address, port })

function backendOf(hosts: readonly number[], fields: Partial<Backend> = {}): Backend {
  const endpoints = hosts.map((host) => ({ id: `10.0.0.${host}:80`, address: `10.0.0.${host}`, port: 80, weight: 1 }))
  return { id: 'dev/db:80', namespace: 'dev', service: 'db', port: '80', scheduler: 'rr', affinitySeconds: 60, endpoints, ...fields }
}

function setup(fields: Partial<Backend> = {}) {
  const clock = fakeClock(1_000_000)
  const cells = clientCells(64, 'secret')
  const parts = { cursors: localCursors(), cells: localBackendCells(), random: () => 0, clock }
  /** As two threads have it. */
  const [one, other] = [createClientTable(cells), createClientTable(cells)].map((clients) => createRoutedBackend(backendOf([1, 2, 3], fields), { ...parts, clients })) as [RoutedBackend, RoutedBackend]
  const take = (backend: RoutedBackend, client: string, tried = NONE): string => backend.take(from(client), tried)?.endpoint.address ?? ''
  return { clock, one, other, take }
}

test('each client gets the endpoint it had, from any thread, for as long as the Service says', async () => {
  const { clock, one, other, take } = setup()
  const first = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((client) => take(one, client))
  expect(new Set(first).size).toBe(3)
  expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((client) => take(other, client))).toEqual(first)
  await clock.advance(61_000)
  take(one, '192.0.2.9')
  expect(take(other, '192.0.2.1')).not.toBe(first[0])
})

test('a failed try changes nothing, an endpoint that is gone does', () => {
  const { one, take } = setup()
  const own = take(one, '192.0.2.1')
  expect(take(one, '192.0.2.1', new Set([`${own}:80`]))).not.toBe(own)
  expect(take(one, '192.0.2.1')).toBe(own)
  one.update(backendOf([1, 2, 3].filter((host) => `10.0.0.${host}` !== own)))
  const next = take(one, '192.0.2.1')
  expect(next).not.toBe(own)
  one.update(backendOf([1, 2, 3]))
  expect(take(one, '192.0.2.1')).toBe(next)
})

test('a scheduler that counts hears of each connection once, wherever it went', () => {
  const { one } = setup({ scheduler: 'lc' })
  const [mine] = [one.take(from('192.0.2.1'), NONE)]
  const more = Array.from({ length: 5 }, () => one.take(from('192.0.2.1'), NONE))
  expect(new Set([mine, ...more].map((lease) => lease?.endpoint.id)).size).toBe(1)
  const others = ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'].map((client) => one.take(from(client), NONE)?.endpoint.id)
  expect(others).not.toContain(mine?.endpoint.id)
  for (const lease of [mine, ...more]) lease?.end(true)
  expect(one.take(from('192.0.2.6'), NONE)?.endpoint.id).toBe(mine?.endpoint.id)
})

test('without sessionAffinity nothing is remembered', () => {
  const { one } = setup()
  const { affinitySeconds: _, ...plain } = backendOf([1, 2, 3])
  one.update(plain)
  expect(new Set(Array.from({ length: 3 }, () => one.take(from('192.0.2.1'), NONE)?.endpoint.id)).size).toBe(3)
})

test.each(['sh', 'mh'] as const)('with the flag of %s the port of a client counts: its connections spread, each stays in its place', (scheduler) => {
  const endpointsOf = (fields: Partial<Backend>): readonly (string | undefined)[] => {
    const { affinitySeconds: _, ...plain } = backendOf([1, 2, 3], { scheduler, ...fields })
    const { one } = setup()
    one.update(plain)
    return Array.from({ length: 40 }, (_, i) => one.take(from('192.0.2.1', 40_000 + 7 * i), NONE)?.endpoint.id)
  }
  expect(new Set(endpointsOf({})).size).toBe(1)
  const spread = endpointsOf({ schedulerOptions: { port: true } })
  expect(new Set(spread).size).toBe(3)
  expect(endpointsOf({ schedulerOptions: { port: true } })).toEqual(spread)
})
