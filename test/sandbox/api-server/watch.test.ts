// Watches over HTTP: where they start, what they tell, when they end.
import { describe, expect, it } from 'vitest'
import type { ApiServer } from '../../../src/sandbox/api-server/start.ts'
import { send, startPlain, watch } from './support/plain-server.ts'

const base = '/apis/test.example.com/v1/namespaces/default/widgets'

function create(server: ApiServer, name: string, labels: Record<string, string> = {}): string {
  return server.registry.create('widgets', { metadata: { name, namespace: 'default', labels } }).metadata.resourceVersion
}

describe('a watch', () => {
  it('without a version tells what is there, then what changes', async () => {
    const server = await startPlain()
    create(server, 'a')
    const stream = await watch(server, `${base}?watch=true`)
    expect(await stream.next()).toMatchObject({ type: 'ADDED', object: { kind: 'Widget', apiVersion: 'test.example.com/v1', metadata: { name: 'a' } } })
    server.registry.patch('widgets', 'default', 'a', { spec: { size: 1 } })
    expect(await stream.next()).toMatchObject({ type: 'MODIFIED', object: { spec: { size: 1 } } })
    server.registry.delete('widgets', 'default', 'a')
    const gone = await stream.next()
    expect(gone).toMatchObject({ type: 'DELETED', object: { spec: { size: 1 } } })
    expect(gone.object.metadata.resourceVersion).toBe(String(server.registry.storage.version))
  })

  it('from a version tells what came after it', async () => {
    const server = await startPlain()
    const from = create(server, 'a')
    create(server, 'b')
    const stream = await watch(server, `${base}?watch=1&resourceVersion=${from}`)
    expect((await stream.next()).object.metadata.name).toBe('b')
    create(server, 'c')
    expect((await stream.next()).object.metadata.name).toBe('c')
  })

  it('from a version that the history no longer reaches is told so, and ends', async () => {
    const server = await startPlain({ historySize: 2 })
    const from = create(server, 'a')
    for (let at = 0; at < 10; at += 1) create(server, `b${at}`)
    const stream = await watch(server, `${base}?watch=true&resourceVersion=${from}`)
    const error = await stream.next()
    expect(error).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: `too old resource version: ${from} (${server.registry.storage.version})` } })
    await stream.ended
  })

  it('of a selection tells of objects that enter and leave it', async () => {
    const server = await startPlain()
    const from = create(server, 'a', { app: 'x' })
    const stream = await watch(server, `${base}?watch=true&resourceVersion=${from}&labelSelector=app%3Dx`)
    server.registry.patch('widgets', 'default', 'a', { metadata: { labels: { app: 'y' } } })
    const left = await stream.next()
    expect(left).toMatchObject({ type: 'DELETED', object: { metadata: { labels: { app: 'x' } } } })
    expect(Number(left.object.metadata.resourceVersion)).toBeGreaterThan(Number(from))
    server.registry.patch('widgets', 'default', 'a', { spec: { size: 1 } })
    server.registry.patch('widgets', 'default', 'a', { metadata: { labels: { app: 'x' } } })
    expect(await stream.next()).toMatchObject({ type: 'ADDED', object: { metadata: { labels: { app: 'x' } }, spec: { size: 1 } } })
    server.registry.create('widgets', { metadata: { name: 'other', namespace: 'kube-system', labels: { app: 'x' } } })
    server.registry.delete('widgets', 'default', 'a')
    expect(await stream.next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'a' } } })
  })

  it('by name is a field selection', async () => {
    const server = await startPlain()
    const from = create(server, 'a')
    const stream = await watch(server, `${base}?watch=true&resourceVersion=${from}&fieldSelector=metadata.name%3Db`)
    server.registry.delete('widgets', 'default', 'a')
    create(server, 'b')
    expect(await stream.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'b' } } })
  })

  it('of all namespaces tells of all', async () => {
    const server = await startPlain()
    const stream = await watch(server, `/apis/test.example.com/v1/widgets?watch=true&resourceVersion=${create(server, 'a')}`)
    server.registry.create('widgets', { metadata: { name: 'a', namespace: 'kube-system' } })
    expect((await stream.next()).object.metadata.namespace).toBe('kube-system')
  })

  it('with initial events marks their end, and goes on', async () => {
    const server = await startPlain()
    create(server, 'a')
    const stream = await watch(server, `${base}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`)
    expect((await stream.next()).type).toBe('ADDED')
    expect(await stream.next()).toMatchObject({ type: 'BOOKMARK', object: { kind: 'Widget', metadata: { resourceVersion: String(server.registry.storage.version), annotations: { 'k8s.io/initial-events-end': 'true' } } } })
    create(server, 'b')
    expect((await stream.next()).object.metadata.name).toBe('b')
  })

  it('refuses option combinations that have no meaning', async () => {
    const server = await startPlain()
    expect(await send(server, `${base}?watch=true&sendInitialEvents=true`)).toMatchObject({ status: 422, body: { reason: 'Invalid', message: expect.stringContaining('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan') } })
    expect((await send(server, `${base}?watch=true&resourceVersionMatch=Exact`)).status).toBe(422)
    expect((await send(server, `${base}?watch=true&resourceVersion=x`)).status).toBe(400)
    expect((await send(server, `${base}?watch=true&labelSelector=,`)).status).toBe(400)
  })

  it('gets bookmarks while nothing happens, when it asks for them', async () => {
    const server = await startPlain({ bookmarkMilliseconds: 5 })
    const version = create(server, 'a')
    const stream = await watch(server, `${base}?watch=true&allowWatchBookmarks=true&resourceVersion=${version}`)
    expect(await stream.next()).toMatchObject({ type: 'BOOKMARK', object: { metadata: { resourceVersion: version } } })
    server.registry.create('namespaces', { metadata: { name: 'x' } })
    for (;;) if ((await stream.next()).object.metadata.resourceVersion !== version) break
  })

  it('ends when its time is over, and with the server', async () => {
    const server = await startPlain()
    const short = await watch(server, `${base}?watch=true&timeoutSeconds=0.02`)
    await short.ended
    const long = await watch(server, `${base}?watch=true&timeoutSeconds=300`)
    await server.close()
    await long.ended
  })

  it('as tables names the columns once', async () => {
    const server = await startPlain()
    create(server, 'a')
    const stream = await watch(server, `${base}?watch=true`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    expect(await stream.next()).toMatchObject({ type: 'ADDED', object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Size' }], rows: [{ cells: ['a', 0] }] } })
    create(server, 'b')
    expect(await stream.next()).toMatchObject({ type: 'ADDED', object: { kind: 'Table', columnDefinitions: null, rows: [{ cells: ['b', 0] }] } })
  })

  it('as metadata carries no spec', async () => {
    const server = await startPlain()
    create(server, 'a')
    const stream = await watch(server, `${base}?watch=true`, { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' })
    expect(Object.keys((await stream.next()).object)).toEqual(['kind', 'apiVersion', 'metadata'])
  })

  it('leaves nothing behind when its client goes', async () => {
    const server = await startPlain()
    const stream = await watch(server, `${base}?watch=true`)
    stream.close()
    await stream.ended
    for (let at = 0; at < 20; at += 1) create(server, `w${at}`)
    expect((await send(server, base)).status).toBe(200)
  })
})
