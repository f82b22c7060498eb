// Four real threads with the real proxy, over real sockets: their schedulers count together.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'
import type { Backend, RoutingConfig } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { startDataPlane, type DataPlane } from '../../src/runtime/data-plane.ts'
import { eventually, fetchHost } from '../support/fetch-host.ts'
import { configOf } from './configs.ts'

const THREADS = 4
const closers: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

interface Pod {
  readonly port: number
  readonly waiting: ServerResponse[]
}

async function pod(holds: boolean): Promise<Pod> {
  const waiting: ServerResponse[] = []
  const server = createServer((_request, response) => void (holds ? waiting.push(response) : response.end(String(port))))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port, waiting }
}

async function start(pods: readonly Pod[], fields: Partial<Backend>, weights: readonly number[] = []): Promise<DataPlane> {
  const plane = await startDataPlane({
    settings: () => DEFAULT_SETTINGS,
    listeners: [{ port: 0, address: '127.0.0.1', tls: false }],
    threads: THREADS,
    defaultCertificate: await createDefaultCertificate(),
    log: () => undefined,
  })
  closers.push(() => plane.close())
  await plane.apply(balanced(pods, fields, weights))
  return plane
}

function balanced(pods: readonly Pod[], fields: Partial<Backend>, weights: readonly number[]): RoutingConfig {
  const config = configOf({ 'a.example': pods.map(({ port }) => port) })
  const backends = [...config.backends.values()].map((backend): [string, Backend] => [
    backend.id,
    { ...backend, ...fields, endpoints: backend.endpoints.map((endpoint, i) => ({ ...endpoint, weight: weights[i] ?? 1 })) },
  ])
  return { ...config, backends: new Map(backends) }
}

const ask = async (plane: DataPlane): Promise<string> => (await fetchHost({ port: plane.ports[0] ?? 0, host: 'a.example' })).body

test('lc: 64 requests at once over 4 threads are 8 at each of 8 endpoints, by the endpoints and by the metrics', async () => {
  const pods = await Promise.all(Array.from({ length: 8 }, () => pod(true)))
  const plane = await start(pods, { scheduler: 'lc' })
  const answers = Array.from({ length: 64 }, () => ask(plane))
  await eventually(async () => pods.reduce((sum, { waiting }) => sum + waiting.length, 0), (count) => count === 64)
  expect(pods.map(({ waiting }) => waiting.length)).toEqual(pods.map(() => 8))
  const { inFlight, busyMs } = await plane.stats()
  expect(inFlight.map(({ namespace, service, port, count }) => [namespace, service, port, count])).toEqual(pods.map(() => ['dev', 'a.example', '80', 8]))
  expect(busyMs.length).toBe(THREADS)
  // Two endpoints become free: the next 16 go there and nowhere else.
  for (const { waiting } of pods.slice(0, 2)) for (const response of waiting.splice(0)) response.end('early')
  await eventually(async () => (await plane.stats()).inFlight.slice(0, 2).map(({ count }) => count), (counts) => counts.every((count) => count === 0))
  const more = Array.from({ length: 16 }, () => ask(plane))
  await eventually(async () => pods.slice(0, 2).map(({ waiting }) => waiting.length), ([a, b]) => a === 8 && b === 8)
  for (const { waiting } of pods) for (const response of waiting.splice(0)) response.end('late')
  await Promise.all([...answers, ...more])
  await eventually(async () => (await plane.stats()).inFlight, (all) => all.every(({ count }) => count === 0))
})

test('wrr: one sequence over 4 threads, exact over whole periods; weights change under way', async () => {
  const pods = await Promise.all([pod(false), pod(false), pod(false)])
  const plane = await start(pods, { scheduler: 'wrr' }, [5, 3, 2])
  const shares = async (count: number): Promise<readonly number[]> => {
    const bodies = await Promise.all(Array.from({ length: count }, () => ask(plane)))
    return pods.map(({ port }) => bodies.filter((body) => body === String(port)).length)
  }
  expect(await shares(100)).toEqual([50, 30, 20])
  await plane.apply(balanced(pods, { scheduler: 'wrr' }, [1, 3, 0]))
  expect(await shares(100)).toEqual([25, 75, 0])
})
