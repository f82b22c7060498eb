// The API over HTTP: verbs, forms of answers, errors, paging, hooks.
import { mkdtempDisposable, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ApiRequest } from '../../../src/sandbox/api-server/http/api-handler.ts'
import { writeKubeconfig } from '../../../src/sandbox/api-server/kubeconfig.ts'
import { send, startPlain } from './support/plain-server.ts'

const base = '/apis/test.example.com/v1/namespaces/default/widgets'
const tableAccept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }

function widget(name: string, spec: Record<string, unknown> = {}, labels: Record<string, string> = {}): unknown {
  return { apiVersion: 'test.example.com/v1', kind: 'Widget', metadata: { name, labels }, spec }
}

async function withWidgets(...names: readonly string[]) {
  const server = await startPlain()
  for (const name of names) await send(server, base, { method: 'POST', body: widget(name, { size: name.length }, { app: name }) })
  return server
}

describe('verbs', () => {
  it('create, read, update, patch, delete an object', async () => {
    const server = await startPlain()
    const made = await send(server, `${base}?fieldManager=tester`, { method: 'POST', body: widget('a', { size: 1 }) })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ kind: 'Widget', apiVersion: 'test.example.com/v1', metadata: { name: 'a', namespace: 'default', generation: 1, managedFields: [{ manager: 'tester', operation: 'Update', fieldsV1: { 'f:spec': { 'f:size': {} } } }] } })
    const put = await send(server, `${base}/a`, { method: 'PUT', body: { ...(made.body as object), spec: { size: 2 } } })
    expect(put).toMatchObject({ status: 200, body: { metadata: { generation: 2 } } })
    const patched = await send(server, `${base}/a`, { method: 'PATCH', body: { spec: { size: 3 } }, headers: { 'content-type': 'application/merge-patch+json' } })
    expect(patched).toMatchObject({ status: 200, body: { spec: { size: 3 } } })
    expect((await send(server, `${base}/a`)).body).toEqual(patched.body)
    const gone = await send(server, `${base}/a`, { method: 'DELETE', body: { propagationPolicy: 'Background' } })
    expect(gone).toMatchObject({ status: 200, body: { kind: 'Status', status: 'Success', details: { name: 'a', group: 'test.example.com', kind: 'widgets' } } })
    expect(await send(server, `${base}/a`)).toMatchObject({ status: 404, body: { reason: 'NotFound', message: 'widgets.test.example.com "a" not found', details: { name: 'a', group: 'test.example.com', kind: 'widgets' }, code: 404 } })
  })

  it('delete a collection by selector', async () => {
    const server = await withWidgets('a', 'b', 'c')
    const gone = await send(server, `${base}?labelSelector=app%20in%20(a,b)`, { method: 'DELETE' })
    expect(gone).toMatchObject({ status: 200, body: { kind: 'WidgetList', items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] } })
    expect((await send(server, base)).body).toMatchObject({ items: [{ metadata: { name: 'c' } }] })
  })

  it('read and write the scale', async () => {
    const server = await withWidgets('a')
    const scaled = await send(server, `${base}/a/scale`, { method: 'PATCH', body: { spec: { replicas: 3 } }, headers: { 'content-type': 'application/merge-patch+json' } })
    expect(scaled).toMatchObject({ status: 200, body: { kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: { name: 'a' }, spec: { replicas: 3 } } })
    expect((await send(server, `${base}/a`)).body).toMatchObject({ spec: { replicas: 3 }, metadata: { generation: 2 } })
    expect((await send(server, `${base}/a/scale`, { method: 'PUT', body: { metadata: { resourceVersion: '1' }, spec: { replicas: 4 } } })).status).toBe(409)
    expect((await send(server, `${base}/a/scale`, { method: 'PUT', body: { spec: { replicas: -1 } } })).status).toBe(422)
  })

  it('do nothing on a dry run, and know no other', async () => {
    const server = await startPlain()
    expect((await send(server, `${base}?dryRun=All`, { method: 'POST', body: widget('a') })).status).toBe(201)
    expect((await send(server, `${base}/a`)).status).toBe(404)
    expect((await send(server, `${base}?dryRun=Some`, { method: 'POST', body: widget('a') })).status).toBe(422)
  })
})

describe('answers', () => {
  it('come as tables, metadata, YAML', async () => {
    const server = await withWidgets('a', 'bb')
    const table = await send(server, base, { headers: tableAccept })
    expect(table.body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', columnDefinitions: [{ name: 'Name' }, { name: 'Size' }], rows: [{ cells: ['a', 1], object: { kind: 'PartialObjectMetadata', metadata: { name: 'a' } } }, { cells: ['bb', 2] }] })
    expect((await send(server, `${base}?includeObject=None`, { headers: tableAccept })).body).toMatchObject({ rows: [{ object: null }, { object: null }] })
    expect((await send(server, `${base}/a?includeObject=Object`, { headers: tableAccept })).body).toMatchObject({ rows: [{ object: { kind: 'Widget', spec: { size: 1 } } }] })
    const metadata = await send(server, base, { headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' } })
    expect(metadata.body).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ metadata: { name: 'a' } }, { metadata: { name: 'bb' } }] })
    const yaml = await send(server, `${base}/a`, { headers: { accept: 'application/yaml' } })
    expect(yaml.text).toContain('kind: Widget\n')
  })

  it('refuse forms and types that are not served', async () => {
    const server = await startPlain()
    expect(await send(server, base, { headers: { accept: 'text/html' } })).toMatchObject({ status: 406, body: { reason: 'NotAcceptable' } })
    expect(await send(server, base, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } })).toMatchObject({ status: 415, body: { reason: 'UnsupportedMediaType' } })
    expect((await send(server, `${base}/a`, { method: 'PATCH', body: {} })).body).toMatchObject({ message: expect.stringContaining('application/apply-patch+yaml') })
  })

  it('name unknown fields: an error, a warning or nothing', async () => {
    const server = await startPlain()
    const strict = await send(server, `${base}?fieldValidation=Strict`, { method: 'POST', body: widget('a', { bogus: 1 }) })
    expect(strict).toMatchObject({ status: 400, body: { reason: 'BadRequest', message: 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.bogus"' } })
    const warned = await send(server, `${base}?fieldValidation=Warn`, { method: 'POST', body: widget('a', { bogus: 1 }) })
    expect(warned).toMatchObject({ status: 201, headers: { warning: '299 - "unknown field \\"spec.bogus\\""' } })
    expect((await send(server, `${base}?fieldValidation=Ignore`, { method: 'POST', body: widget('b', { bogus: 1 }) })).headers['warning']).toBeUndefined()
    const twice = '{"apiVersion":"test.example.com/v1","kind":"Widget","metadata":{"name":"c"},"spec":{"size":1,"size":2}}'
    expect((await send(server, `${base}?fieldValidation=Strict`, { method: 'POST', body: twice })).body['message']).toContain('duplicate field "spec.size"')
  })

  it('refuse bodies that are no objects of the URL', async () => {
    const server = await withWidgets('a')
    for (const [body, text] of [
      ['{', 'json parse error'], ['[]', 'cannot unmarshal array'], [{ apiVersion: 'v1', kind: 'Widget', metadata: { name: 'x' } }, 'the API version in the data (v1) does not match'],
      [{ metadata: { name: 'x', namespace: 'other' } }, 'the namespace of the provided object does not match'],
    ] as const) {
      const answer = await send(server, base, { method: 'POST', body })
      expect(answer.status).toBe(400)
      expect(answer.body['message']).toContain(text)
    }
    const moved = { metadata: { name: 'a', namespace: 'other' } }
    expect((await send(server, `${base}/a`, { method: 'PUT', body: moved })).body['message']).toBe('the namespace of the object (other) does not match the namespace on the URL (default)')
    expect((await send(server, `${base}/a`, { method: 'PATCH', body: moved, headers: { 'content-type': 'application/merge-patch+json' } })).status).toBe(400)
    expect((await send(server, `${base}/a`, { method: 'PUT', body: widget('b') })).body['message']).toContain('the name of the object (b) does not match the name on the URL (a)')
    // Announced, not sent: the answer comes before the body, and writing on would race with the closed connection.
    const large = { 'content-type': 'application/json', 'content-length': String(3 * 1024 * 1024 + 1) }
    expect(await send(server, base, { method: 'POST', headers: large })).toMatchObject({ status: 413, body: { kind: 'Status', reason: 'RequestEntityTooLarge' } })
  })

  it('are plain 404 for paths that nothing serves, 405 for methods that make no sense', async () => {
    const server = await startPlain()
    for (const path of ['/nope', '/apis/none/v1/things', `${base}/a/log`, '/apis/test.example.com/v1/widgets/a', '/api/v1/namespaces/default/widgets']) {
      expect(await send(server, path)).toMatchObject({ status: 404, text: '404 page not found\n' })
    }
    expect(await send(server, base, { method: 'PUT', body: {} })).toMatchObject({ status: 405, body: { reason: 'MethodNotAllowed' } })
    expect((await send(server, `${base}/a/status`, { method: 'POST', body: {} })).status).toBe(405)
    expect((await send(server, '/api/v1/namespaces/default/finalize')).status).toBe(405)
    expect((await send(server, '/healthz')).text).toBe('ok')
  })
})

describe('lists', () => {
  it('page through a snapshot, and refuse one that is forgotten', async () => {
    const server = await startPlain({ historySize: 3 })
    for (const name of ['a', 'b', 'c', 'd']) server.registry.create('widgets', { metadata: { name, namespace: 'default' } })
    const first = await send(server, `${base}?limit=2`)
    const { continue: token, remainingItemCount, resourceVersion } = first.body['metadata'] as { continue: string; remainingItemCount: number; resourceVersion: string }
    expect(remainingItemCount).toBe(2)
    expect(JSON.parse(Buffer.from(token, 'base64url').toString())).toEqual({ v: 'meta.k8s.io/v1', rv: Number(resourceVersion), start: 'b\0' })
    server.registry.delete('widgets', 'default', 'c')
    const second = await send(server, `${base}?limit=2&continue=${token}`)
    expect(second.body).toMatchObject({ metadata: { resourceVersion }, items: [{ metadata: { name: 'c' } }, { metadata: { name: 'd' } }] })
    for (let at = 0; at < 10; at += 1) server.registry.create('widgets', { metadata: { name: `x${at}`, namespace: 'default' } })
    const late = await send(server, `${base}?limit=2&continue=${token}`)
    expect(late).toMatchObject({ status: 410, body: { reason: 'Expired' } })
    const again = (late.body['metadata'] as { continue: string }).continue
    expect((await send(server, `${base}?continue=${again}`)).body).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ metadata: expect.objectContaining({ name: 'x9' }) })]) })
    expect((await send(server, `${base}?continue=rubbish`)).status).toBe(400)
  })

  it('select by labels and fields, with the real texts for bad selectors', async () => {
    const server = await withWidgets('a', 'b', 'c')
    const names = async (query: string) => ((await send(server, `${base}?${query}`)).body['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name)
    expect(await names('labelSelector=app!%3Da')).toEqual(['b', 'c'])
    expect(await names('labelSelector=app,app%20notin%20(b)')).toEqual(['a', 'c'])
    expect(await names('labelSelector=!app')).toEqual([])
    expect(await names('fieldSelector=metadata.name%3Db,spec.color%3Dgrey')).toEqual(['b'])
    expect(await names('fieldSelector=metadata.name!%3Db')).toEqual(['a', 'c'])
    expect(await send(server, `${base}?labelSelector=a%3D%3Db,,`)).toMatchObject({ status: 400, body: { reason: 'BadRequest', message: "found ',', expected: identifier after ','" } })
    expect((await send(server, `${base}?fieldSelector=spec.nope%3D1`)).body['message']).toBe('field label not supported: spec.nope')
  })

  it('know versions that are too new', async () => {
    const server = await startPlain()
    expect(await send(server, `${base}?resourceVersion=99999`)).toMatchObject({ status: 504, body: { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } } })
  })
})

describe('discovery and documents', () => {
  it('come aggregated or plain, with entity tags', async () => {
    const server = await startPlain({ connect: [{ resource: 'namespaces', subresource: 'log', kind: 'Log', verbs: ['get'] }] })
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
    const aggregated = await send(server, '/apis?timeout=32s', { headers: { accept } })
    expect(aggregated.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
    expect(aggregated.body['items']).toContainEqual(expect.objectContaining({ metadata: { name: 'test.example.com' } }))
    const tag = String(aggregated.headers['etag'])
    expect((await send(server, '/apis', { headers: { accept, 'if-none-match': tag } })).status).toBe(304)
    const old = await send(server, '/api', { headers: { accept: accept.replace('v=v2', 'v=v2beta1') } })
    expect(JSON.stringify(old.body)).toContain('"subresource":"log"')
    expect((await send(server, '/apis')).body).toMatchObject({ kind: 'APIGroupList' })
    expect((await send(server, '/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
    expect((await send(server, '/apis/test.example.com')).body).toMatchObject({ kind: 'APIGroup', preferredVersion: { version: 'v1' } })
    expect((await send(server, '/apis/test.example.com/v1')).body['resources']).toContainEqual(expect.objectContaining({ name: 'widgets/scale', group: 'autoscaling', kind: 'Scale' }))
    expect((await send(server, '/openapi/v3/api/v1?hash=x')).body).toEqual({ openapi: '3.0.0' })
    expect((await send(server, '/openapi/v2')).status).toBe(404)
    expect((await send(server, '/version')).body).toMatchObject({ major: '1', minor: '36' })
  })

  it('answer access reviews', async () => {
    const server = await startPlain()
    const review = await send(server, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { method: 'POST', body: { spec: { resourceAttributes: { verb: 'list', resource: 'widgets' } } } })
    expect(review).toMatchObject({ status: 201, body: { kind: 'SelfSubjectAccessReview', status: { allowed: true } } })
  })
})

it('tells who asked for what', async () => {
  const server = await startPlain()
  const seen: ApiRequest[] = []
  const stop = server.onRequest((request) => seen.push(request))
  await send(server, `${base}/a/status`, { headers: { 'user-agent': 'tester/1' } })
  stop()
  await send(server, base)
  expect(seen).toEqual([{ verb: 'get', group: 'test.example.com', resource: 'widgets', subresource: 'status', namespace: 'default', name: 'a', userAgent: 'tester/1', user: '' }])
})

it('writes a kubeconfig for its owner only', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'narthex-kubeconfig-'))
  const path = join(directory.path, 'deep', 'kubeconfig')
  await writeKubeconfig(path, 'http://127.0.0.1:1')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ 'current-context': 'narthex-sandbox', clusters: [{ cluster: { server: 'http://127.0.0.1:1' } }] })
})
