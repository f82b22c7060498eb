// The reflectors together: who watches what, and when the store is synced.
import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { connectToUrl, type Connection } from '../../src/kube/connection.ts'
import { startStore, type LiveStore, type LiveStoreOptions } from '../../src/kube/start-store.ts'

interface Objects {
  /** By collection path. */
  readonly [path: string]: readonly object[]
}

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function start(objects: Objects, options: Partial<LiveStoreOptions> = {}, held: readonly string[] = []) {
  const asked: string[] = []
  const watches = new Map<string, ServerResponse>()
  const waiting: (() => void)[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://api')
    response.writeHead(200, { 'content-type': 'application/json' })
    if (url.searchParams.has('watch')) {
      watches.set(url.pathname, response)
      response.flushHeaders()
      return
    }
    const selector = url.searchParams.get('fieldSelector') ?? url.searchParams.get('labelSelector')
    asked.push(selector === null ? url.pathname : `${url.pathname}?${selector}`)
    const answer = (): unknown => response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: objects[url.pathname] ?? [] }))
    if (held.includes(url.pathname)) waiting.push(answer)
    else answer()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection: Connection = connectToUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const store: LiveStore = startStore({ connection, namespace: '', log: silentLog, ...options })
  ends.push(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }, () => connection.close(), () => store.stop())
  return { store, asked, watches, release: () => waiting.forEach((answer) => answer()) }
}

const named = (name: string, namespace = 'dev'): object => ({ metadata: { name, namespace, resourceVersion: '1' } })

test('five kinds are watched in all namespaces', async () => {
  const { store, asked } = await start({ '/api/v1/services': [named('web')] })
  await store.synced
  expect(asked.sort()).toEqual(['/api/v1/secrets', '/api/v1/services', '/apis/discovery.k8s.io/v1/endpointslices', '/apis/networking.k8s.io/v1/ingressclasses', '/apis/networking.k8s.io/v1/ingresses'])
  expect([...store.state().services.keys()]).toEqual(['dev/web'])
})

test('the store is synced only when the last kind is', async () => {
  const { store, release, asked } = await start({}, {}, ['/api/v1/secrets'])
  let synced = false
  void store.synced.then(() => (synced = true))
  while (store.facts().filter((each) => each.lists > 0).length < 4) await new Promise((resolve) => setImmediate(resolve))
  await Promise.resolve()
  expect(synced).toBe(false)
  while (!asked.includes('/api/v1/secrets')) await new Promise((resolve) => setImmediate(resolve))
  release()
  await store.synced
})

test('one namespace, and what options name outside it', async () => {
  const { store, asked } = await start(
    { '/api/v1/namespaces/dev/services': [named('web')], '/api/v1/namespaces/infra/services': [named('fallback', 'infra')], '/api/v1/namespaces/infra/secrets': [named('edge', 'infra')] },
    { namespace: 'dev', configMaps: ['infra/options'], also: [{ kind: 'Service', key: 'infra/fallback' }, { kind: 'Secret', key: 'infra/edge' }, { kind: 'Service', key: 'dev/web' }] },
  )
  await store.synced
  expect(asked.sort()).toEqual([
    '/api/v1/namespaces/dev/secrets',
    '/api/v1/namespaces/dev/services',
    '/api/v1/namespaces/infra/configmaps?metadata.name=options',
    '/api/v1/namespaces/infra/secrets?metadata.name=edge',
    '/api/v1/namespaces/infra/services?metadata.name=fallback',
    '/apis/discovery.k8s.io/v1/namespaces/dev/endpointslices',
    '/apis/discovery.k8s.io/v1/namespaces/infra/endpointslices?kubernetes.io/service-name=fallback',
    '/apis/networking.k8s.io/v1/ingressclasses',
    '/apis/networking.k8s.io/v1/namespaces/dev/ingresses',
  ])
  expect([...store.state().services.keys()].sort()).toEqual(['dev/web', 'infra/fallback'])
  expect([...store.state().secrets.keys()]).toEqual(['infra/edge'])
})

test('a change is told, and one that changes nothing is not', async () => {
  const { store, watches } = await start({ '/api/v1/services': [named('web')] })
  await store.synced
  while (!watches.has('/api/v1/services')) await new Promise((resolve) => setImmediate(resolve))
  let told = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  store.onDirty(() => {
    told++
    resolve()
  })
  const before = store.state()
  watches.get('/api/v1/services')?.write(`${JSON.stringify({ type: 'MODIFIED', object: { metadata: { name: 'web', namespace: 'dev', resourceVersion: '2' } } })}\n${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'shop', namespace: 'dev', resourceVersion: '3' } } })}\n`)
  await promise
  expect(told).toBe(1)
  expect(store.state().services.get('dev/web')).toBe(before.services.get('dev/web'))
  expect(store.state().ingresses).toBe(before.ingresses)
})
