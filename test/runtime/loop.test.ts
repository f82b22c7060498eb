// The loop with the real translation and real threads: a change of objects becomes what requests see, and costs none of them.
import { once } from 'node:events'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { createDefaultCertificate, type KeyPair } from '../../src/http/tls/default-certificate.ts'
import { stateFromObjects } from '../../src/kube/store.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { createController } from '../../src/runtime/controller.ts'
import { startDataPlane } from '../../src/runtime/data-plane.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import { eventually, fetchHost } from '../support/fetch-host.ts'

let defaultCertificate: KeyPair
const closers: (() => Promise<void> | void)[] = []
const OPTIONS = { ...DEFAULT_TRANSLATE_OPTIONS, allowLoopback: true }

beforeAll(async () => {
  defaultCertificate = await createDefaultCertificate()
})

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

/** The controller over objects that the test changes as it likes. */
async function start(first: readonly unknown[]) {
  let state = stateFromObjects(first)
  const memo = createMemo()
  const plane = await startDataPlane({
    settings: () => DEFAULT_SETTINGS,
    listeners: [{ port: 0, address: '127.0.0.1', tls: false }],
    threads: 2,
    defaultCertificate,
    log: () => undefined,
  })
  const controller = createController({
    translate: (now) => translate(state, OPTIONS, memo, now),
    apply: (config) => plane.apply(config),
    publish: () => undefined,
    log: (level, message, facts) => {
      if (level === 'error') throw new Error(`${message} ${JSON.stringify(facts)}`)
    },
  })
  closers.push(
    () => plane.close(),
    () => controller.close(),
  )
  await controller.start()
  return {
    plane,
    controller,
    ask: (host: string, agent?: Agent) => fetchHost({ port: plane.ports[0] ?? 0, host, ...(agent === undefined ? {} : { agent }) }),
    change(objects: readonly unknown[]) {
      state = stateFromObjects(objects)
      controller.markDirty()
    },
  }
}

/** Pods of one Service on addresses of their own, all on one port. */
async function pods(count: number): Promise<{ readonly port: number; readonly addresses: readonly string[] }> {
  let port = 0
  const addresses = Array.from({ length: count }, (_, i) => `127.77.0.${i + 1}`)
  for (const address of addresses) {
    const server = createServer((_request, response) => response.end(address)).listen(port, address)
    await once(server, 'listening')
    ;({ port } = server.address() as AddressInfo)
    closers.push(() => {
      server.closeAllConnections()
      server.close()
    })
  }
  return { port, addresses }
}

const metadata = (name: string) => ({ namespace: 'dev', name, uid: name, creationTimestamp: '2030-01-01T00:00:00Z', resourceVersion: '1' })

function objectsFor(host: string, port: number, addresses: readonly string[]): unknown[] {
  const backend = { service: { name: 'web', port: { number: 80 } } }
  return [
    { kind: 'IngressClass', apiVersion: 'networking.k8s.io/v1', metadata: { ...metadata('narthex'), namespace: '' }, spec: { controller: OPTIONS.controllerClass } },
    {
      kind: 'Ingress',
      apiVersion: 'networking.k8s.io/v1',
      metadata: metadata('web'),
      spec: { ingressClassName: 'narthex', rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
    },
    { kind: 'Service', apiVersion: 'v1', metadata: metadata('web'), spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: port, protocol: 'TCP' }] } },
    {
      kind: 'EndpointSlice',
      apiVersion: 'discovery.k8s.io/v1',
      metadata: { ...metadata('web-1'), labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: '', port, protocol: 'TCP' }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    },
  ]
}

test('a host that is added is served, one that is deleted is 404, without a restart', async () => {
  const { port, addresses } = await pods(1)
  const { ask, change, plane } = await start([])
  expect((await ask('a.example')).status).toBe(404)
  change(objectsFor('a.example', port, addresses))
  const answer = await eventually(() => ask('a.example'), ({ status }) => status === 200)
  expect(answer.body).toBe(addresses[0])
  change([])
  await eventually(() => ask('a.example'), ({ status }) => status === 404)
  expect((await plane.stats()).restarts).toBe(0)
})

test('1,000 requests while a Service goes from 5 endpoints to 1 and back, again and again: none fails', async () => {
  const { port, addresses } = await pods(5)
  const { ask, change, controller } = await start(objectsFor('a.example', port, addresses))
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  closers.push(() => agent.destroy())
  const seen = new Map<string, number>()
  let sent = 0
  const client = async (): Promise<void> => {
    while (sent < 1000) {
      if (++sent % 25 === 0) change(objectsFor('a.example', port, addresses.slice(0, sent % 50 === 0 ? 1 : 5)))
      const { status, body } = await ask('a.example', sent % 3 === 0 ? undefined : agent)
      const key = status === 200 ? body : `status ${status}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 8 }, client))
  expect([...seen.keys()].filter((key) => !addresses.includes(key))).toEqual([])
  expect(seen.size).toBe(5)
  expect(controller.figures().failures).toBe(0)
  expect(controller.figures().runs).toBeGreaterThan(2)
})
