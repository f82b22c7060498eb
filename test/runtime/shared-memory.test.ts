// Cells of endpoints: assigned by the supervisor, counted in by threads, given back when nothing can be counted in them any more.
import { expect, test } from 'vitest'
import { eject } from '../../src/balance/health-cells.ts'
import { CELL_WIDTH, finished, inFlight, loadsOf, started, type CellSource } from '../../src/balance/loads.ts'
import { diffRouting } from '../../src/model/delta.ts'
import { EMPTY_ROUTING, type Backend, type Endpoint, type RoutingConfig, type Scheduler } from '../../src/model/routing.ts'
import { ENDPOINTS_PER_CHUNK } from '../../src/runtime/endpoint-cells.ts'
import { createSharedCells, type SharedCells } from '../../src/runtime/shared-cells.ts'
import { createSharedMemory } from '../../src/runtime/shared-memory.ts'

const endpoint = (number: number): Endpoint => ({ id: `10.0.0.${number}:80`, address: `10.0.0.${number}`, port: 80, weight: 1 })

function backend(scheduler: Scheduler, numbers: readonly number[], id = 'dev/web:80'): Backend {
  return { id, namespace: 'dev', service: 'web', port: '80', scheduler, endpoints: numbers.map(endpoint) }
}

/** A supervisor and threads that learn what it says. */
function threads(count: number) {
  const memory = createSharedMemory<object>()
  const all = Array.from({ length: count }, () => createSharedCells())
  let config: RoutingConfig = EMPTY_ROUTING
  let version = 0
  return {
    memory,
    all,
    /** Every thread serves these backends. */
    serve(...backends: readonly Backend[]) {
      const next = { ...EMPTY_ROUTING, backends: new Map(backends.map((each) => [each.id, each])) }
      const tell = memory.update(diffRouting(config, next), ++version)
      config = next
      for (const thread of all) {
        const { cells, own } = tell(thread)
        thread.learn(cells, own)
      }
      memory.acknowledged(version)
    },
    counts: () => Object.fromEntries(memory.endpoints.inFlight().map(({ endpoint, count }) => [endpoint, count])),
  }
}

const web = { namespace: 'dev', service: 'web', port: '80' }
const loads = (thread: SharedCells | undefined, endpoints: readonly Endpoint[]) => loadsOf(endpoints, thread?.of(web) ?? ({} as CellSource))

test('threads count in the same cells, and the supervisor reads them', () => {
  const { all, serve, counts } = threads(2)
  serve(backend('lc', [1, 2]))
  const [one, other] = all.map((thread) => loads(thread, [1, 2].map(endpoint)))
  started(one!, 0)
  started(other!, 0)
  started(other!, 1)
  expect([inFlight(one!, 0), inFlight(one!, 1), counts()]).toEqual([2, 1, { '10.0.0.1:80': 2, '10.0.0.2:80': 1 }])
})

test('backends whose schedulers do not count have no requests in flight to show', () => {
  const { serve, counts } = threads(1)
  serve(backend('rr', [1, 2]), backend('mh', [3], 'dev/web:80;scheduler=mh'))
  expect(counts()).toEqual({})
  serve(backend('rr', [1, 2]), backend('lc', [3], 'dev/web:80;scheduler=lc'))
  expect(counts()).toEqual({ '10.0.0.3:80': 0 })
})

test('a thread that dies takes its requests in flight with it', () => {
  const { all, serve, memory, counts } = threads(2)
  serve(backend('lc', [1]))
  const [one, other] = all.map((thread) => loads(thread, [endpoint(1)]))
  for (let i = 0; i < 3; i++) started(one!, 0)
  started(other!, 0)
  memory.lost(all[0]!)
  expect(counts()).toEqual({ '10.0.0.1:80': 1 })
  finished(other!, 0)
  expect(counts()).toEqual({ '10.0.0.1:80': 0 })
})

test('a thread that starts late counts with the others', () => {
  const { all, serve, memory } = threads(1)
  serve(backend('wlc', [1]))
  started(loads(all[0], [endpoint(1)]), 0)
  const late = createSharedCells()
  const { cells, own } = memory.whole(late)
  late.learn(cells, own)
  expect(inFlight(loads(late, [endpoint(1)]), 0)).toBe(1)
})

test('a cell in which something is in flight is not given to another endpoint, and its own gets it back', () => {
  const { all, serve, counts } = threads(1)
  serve(backend('lc', [1]))
  const old = loads(all[0], [endpoint(1)])
  started(old, 0)
  serve(backend('lc', [2]))
  serve(backend('lc', [2, 3]))
  expect(counts()).toEqual({ '10.0.0.2:80': 0, '10.0.0.3:80': 0 })
  serve(backend('lc', [1, 2, 3]))
  expect(counts()).toEqual({ '10.0.0.1:80': 1, '10.0.0.2:80': 0, '10.0.0.3:80': 0 })
  finished(old, 0)
  expect(counts()['10.0.0.1:80']).toBe(0)
})

test('cells of endpoints that are gone are used again, cleared', () => {
  const { all, serve, memory } = threads(1)
  serve(backend('ewma', [1]))
  const placeOf = (endpoint: string) => new Map(memory.whole({}).cells.assigned).get(`dev/web:80 ${endpoint}`)
  const place = placeOf('10.0.0.1:80')
  const first = all[0]!.of(web).of('10.0.0.1:80')
  first.shared.fill(7, first.index + 1, first.index + CELL_WIDTH)
  serve(backend('ewma', []))
  serve(backend('ewma', [2]))
  expect(placeOf('10.0.0.2:80')).toEqual(place)
  expect(Array.from(first.shared.subarray(first.index, first.index + CELL_WIDTH))).toEqual(Array.from({ length: CELL_WIDTH }, () => 0))
})

test('backends of one Service port share the cells, until the last of them lets go', () => {
  const { serve, counts } = threads(1)
  serve(backend('lc', [1, 2]), backend('sed', [1, 2], 'dev/web:80;scheduler=sed'))
  expect(Object.keys(counts())).toHaveLength(2)
  serve(backend('rr', [1, 2]), backend('sed', [1], 'dev/web:80;scheduler=sed'))
  expect(Object.keys(counts())).toEqual(['10.0.0.1:80'])
})

test('ten thousand endpoints have cells of their own in three chunks', () => {
  const { serve, memory } = threads(1)
  const endpoints = Array.from({ length: 2 * ENDPOINTS_PER_CHUNK + 1 }, (_, i) => ({ ...endpoint(i), id: `endpoint ${i}` }))
  serve({ ...backend('lc', []), endpoints })
  const { cells, own } = memory.whole({})
  expect([cells.chunks.length, own.length]).toEqual([3, 3])
  // And one for the Service port as a whole.
  expect(new Set(cells.assigned.map(([, { chunk, index }]) => `${chunk} ${index}`)).size).toBe(endpoints.length + 1)
})

test('requests of an older table still count somewhere', () => {
  const cells = createSharedCells().of(web)
  expect(cells.of('10.0.0.9:80')).toBe(cells.of('10.0.0.9:80'))
})

test('what was known of an endpoint’s health is not held against one that comes to its address, requests in flight are', () => {
  const { all, serve, memory, counts } = threads(1)
  serve(backend('lc', [1, 2]))
  const old = loads(all[0], [endpoint(1)])
  started(old, 0)
  expect(eject(old, 0, 1e12, { firstEjection: 1000, longestEjection: 60_000 }, () => 0.5)).toBe(750)
  expect(memory.endpoints.health(1e12, 0)).toEqual([{ ...web, endpoint: '10.0.0.1:80', state: 'ejected' }])
  serve(backend('lc', [2]))
  expect(memory.endpoints.health(1e12, 0)).toEqual([])
  serve(backend('lc', [1, 2]))
  expect([memory.endpoints.health(1e12, 0), counts()['10.0.0.1:80']]).toEqual([[], 1])
})
