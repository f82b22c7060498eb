// The zone of our node: read with one GET, tried again until it could be read.
import { afterEach, expect, test } from 'vitest'
import { connectToUrl } from '../../src/kube/connection.ts'
import { startNodeZone, type NodeZone } from '../../src/kube/node-zone.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { json, ScriptedApi, type Reply } from './scripted-api.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const node = (labels: Readonly<Record<string, string>>): Reply => json({ kind: 'Node', metadata: { name: 'n1', labels } })
const forbidden = json({ kind: 'Status', status: 'Failure', code: 403, reason: 'Forbidden', message: 'nodes "n1" is forbidden' }, 403)

async function start(...replies: readonly Reply[]) {
  const api = await ScriptedApi.start(...replies)
  const connection = connectToUrl(api.url)
  const clock = fakeClock()
  const zones: string[] = []
  const logged: string[] = []
  const nodeZone: NodeZone = startNodeZone({ connection, node: 'n1', clock, random: () => 1, onZone: (zone) => zones.push(zone), log: (level, message, fields) => logged.push(`${level} ${message} ${JSON.stringify(fields)}`) })
  closing.push(() => api.close(), () => connection.close(), () => nodeZone.stop())
  return { api, clock, zones, logged, nodeZone }
}

test('is the label of the node, asked for once', async () => {
  const { api, clock, zones, nodeZone } = await start(node({ 'topology.kubernetes.io/zone': 'eu-1a' }))
  await nodeZone.tried
  await clock.advance(1e9)
  expect(zones).toEqual(['eu-1a'])
  expect(api.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /api/v1/nodes/n1'])
})

test('is none for a node without the label', async () => {
  const { clock, zones, logged, nodeZone } = await start(node({}))
  await nodeZone.tried
  expect([zones, logged, clock.pending]).toEqual([[], [], 0])
})

test('that may not be read holds nothing up, names the missing permission once, and is tried again', async () => {
  const { api, clock, zones, logged, nodeZone } = await start(forbidden, forbidden, node({ 'topology.kubernetes.io/zone': 'eu-1b' }))
  await nodeZone.tried
  expect(zones).toEqual([])
  expect(logged).toHaveLength(1)
  expect(logged[0]).toContain('resources: [nodes], verbs: [get]')
  expect(logged[0]).toContain('forbidden')
  await clock.advance(1000)
  await api.calls(2)
  while (clock.pending === 0) await new Promise(setImmediate)
  await clock.advance(2000)
  await api.calls(3)
  while (zones.length === 0) await new Promise(setImmediate)
  expect(zones).toEqual(['eu-1b'])
  expect(logged).toHaveLength(1)
  expect(clock.pending).toBe(0)
})
