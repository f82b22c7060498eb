// TCP services and endpoints that take no connections: no client sees one, and it is out of use for a while.
import { afterEach, expect, test } from 'vitest'
import type { Ejection } from '../../src/balance/endpoint-health.ts'
import { localCursors } from '../../src/balance/cursor.ts'
import { SCHEDULERS } from '../../src/model/scheduler.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { createRoutedBackend } from '../../src/stream/stream-backend.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { deadPort, dial, tcpBackend } from '../support/stream-peers.ts'
import { startStreams, streamConfig } from './support.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

test('an endpoint that refuses is ejected by its first failure, and all clients are served', async () => {
  const answers = () => tcpBackend((socket) => socket.end('here'))
  const backends = [await answers(), await answers()]
  open.push(...backends)
  const dead = await deadPort()
  const ejections: Ejection[] = []
  const made = await startStreams(streamConfig({ tcp: { endpoints: [dead, ...backends.map(({ port }) => port)] } }), { onEjected: (ejection) => ejections.push(ejection) })
  open.push(made.streams)
  for (let i = 0; i < 12; i++) {
    const client = await dial(made.port('tcp'))
    expect(await client.ended).toBe('here')
    client.socket.destroy()
  }
  expect(ejections).toMatchObject([{ service: 'tcp', endpoint: `127.0.0.1:${dead}`, reason: 'connect-failures' }])
})

test.each(SCHEDULERS)('whatever the scheduler (%s), a connection that is refused is tried on another endpoint', async (scheduler) => {
  const alive = await tcpBackend((socket) => socket.end('alive'))
  open.push(alive)
  const dead = [await deadPort(), await deadPort()]
  for (const endpoints of [[...dead, alive.port], [dead[0] ?? 0, alive.port, dead[1] ?? 0], [alive.port, ...dead]]) {
    const made = await startStreams(streamConfig({ tcp: { scheduler, endpoints } }), { onEjected: () => undefined })
    open.push(made.streams)
    for (let i = 0; i < 4; i++) {
      const client = await dial(made.port('tcp'))
      client.socket.end()
      expect(await Promise.race([client.ended, client.closed])).toBe('alive')
      // What an endpoint has to do is over before the next one comes: ovf takes no more than its weight.
      while (made.figures('tcp').open > 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
})

test('while it is out nobody is sent there; when it is back it has its share again; if all are out, all are used', async () => {
  const clock = fakeClock(1_700_000_000_000)
  const backend = streamConfig({ tcp: { endpoints: [1, 2, 3, 4] } }).backends.get('tcp')
  if (backend === undefined) throw new Error('no backend')
  const ejections: Ejection[] = []
  const routed = createRoutedBackend(backend, { cursors: localCursors(), clock, random: () => 0.5, health: { settings: DEFAULT_SETTINGS.health, onEjected: (ejection) => ejections.push(ejection) } })
  const taken = (count: number): Record<number, number> => {
    const counts: Record<number, number> = {}
    for (let i = 0; i < count; i++) {
      const lease = routed.take({ address: '10.0.0.1', port: 40_000 }, new Set())
      lease?.end(true)
      const port = lease?.endpoint.port ?? 0
      counts[port] = (counts[port] ?? 0) + 1
    }
    return counts
  }
  const first = routed.take({ address: '10.0.0.1', port: 40_000 }, new Set())
  first?.failed?.()
  first?.end(false)
  expect(taken(30)).toEqual({ 2: 10, 3: 10, 4: 10 })
  await clock.advance(11_000)
  expect(taken(40)).toEqual({ 1: 10, 2: 10, 3: 10, 4: 10 })
  for (let i = 0; i < 8; i++) routed.take({ address: '10.0.0.1', port: 40_000 }, new Set())?.failed?.()
  expect(ejections.length).toBe(3)
  expect(Object.keys(taken(20))).toHaveLength(2)
})
