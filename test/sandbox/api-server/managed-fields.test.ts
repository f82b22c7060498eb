// Field ownership: sets of paths, updates, server-side apply with its conflicts.
import { array, assert, constantFrom, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { difference, emptySet, equalSets, fromFieldsV1, intersection, isEmptySet, leaves, paths, pathText, toFieldsV1, union } from '../../../src/sandbox/api-server/fields/field-set.ts'
import type { FieldSet } from '../../../src/sandbox/api-server/fields/field-set.ts'
import type { ManagedFieldsEntry } from '../../../src/sandbox/api-server/kind.ts'
import type { ApiServer } from '../../../src/sandbox/api-server/start.ts'
import { send, startPlain } from './support/plain-server.ts'
import type { Answer } from './support/plain-server.ts'

const base = '/apis/test.example.com/v1/namespaces/default/widgets'

async function apply(server: ApiServer, manager: string, spec: Record<string, unknown>, query = '', metadata: Record<string, unknown> = {}): Promise<Answer> {
  return send(server, `${base}/a?fieldManager=${manager}${query}`, {
    method: 'PATCH', headers: { 'content-type': 'application/apply-patch+yaml' }, body: { apiVersion: 'test.example.com/v1', kind: 'Widget', metadata: { name: 'a', ...metadata }, spec },
  })
}

function entries({ body }: Answer): Record<string, unknown> {
  const { managedFields = [] } = body['metadata'] as { managedFields?: ManagedFieldsEntry[] }
  return Object.fromEntries(managedFields.map((entry) => [`${entry.manager} ${entry.operation}${entry.subresource === undefined ? '' : ` ${entry.subresource}`}`, entry.fieldsV1]))
}

describe('server-side apply', () => {
  it('creates, answers 201, and owns what it names', async () => {
    const server = await startPlain()
    const made = await apply(server, 'one', { size: 1, ports: [{ port: 80 }], selector: { a: 'b' } }, '', { labels: { x: 'y' } })
    expect(made.status).toBe(201)
    expect(entries(made)).toEqual({
      'one Apply': { 'f:metadata': { 'f:labels': { 'f:x': {} } }, 'f:spec': { 'f:size': {}, 'f:selector': {}, 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } } },
    })
    expect(made.body['spec']).toEqual({ color: 'grey', size: 1, ports: [{ port: 80 }], selector: { a: 'b' } })
  })

  it('changes nothing when it is repeated', async () => {
    const server = await startPlain()
    const made = await apply(server, 'one', { size: 1 })
    expect((await apply(server, 'one', { size: 1 })).body).toEqual(made.body)
  })

  it('shares a field whose value is the same, and names every conflict where it is not', async () => {
    const server = await startPlain()
    await apply(server, 'one', { size: 1, color: 'red' })
    expect(entries(await apply(server, 'two', { size: 1 }))).toEqual({ 'one Apply': { 'f:spec': { 'f:size': {}, 'f:color': {} } }, 'two Apply': { 'f:spec': { 'f:size': {} } } })
    expect(await apply(server, 'three', { size: 2 })).toMatchObject({
      status: 409,
      body: {
        reason: 'Conflict', message: 'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.size\nconflicts with "two":\n- .spec.size',
        details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.size' }, { reason: 'FieldManagerConflict', message: 'conflict with "two"', field: '.spec.size' }] },
      },
    })
    const forced = await apply(server, 'three', { size: 2 }, '&force=true')
    expect(entries(forced)).toEqual({ 'one Apply': { 'f:spec': { 'f:color': {} } }, 'three Apply': { 'f:spec': { 'f:size': {} } } })
    expect(forced.body['spec']).toMatchObject({ size: 2, color: 'red' })
  })

  it('names list items in conflicts, and says when the other wrote by update', async () => {
    const server = await startPlain()
    await send(server, `${base}?fieldManager=editor`, { method: 'POST', body: { metadata: { name: 'a' }, spec: { ports: [{ port: 80, protocol: 'TCP', name: 'x' }] } } })
    const refused = await apply(server, 'one', { ports: [{ port: 80, protocol: 'TCP', name: 'y' }] })
    expect(refused.body['message']).toBe('Apply failed with 1 conflict: conflict with "editor" using test.example.com/v1: .spec.ports[port=80,protocol="TCP"].name')
  })

  it('removes what it no longer names and nobody else owns', async () => {
    const server = await startPlain()
    await apply(server, 'one', { size: 1, tags: ['a', 'b'], ports: [{ port: 80, name: 'x' }, { port: 81 }] }, '', { labels: { x: 'y', z: 'z' } })
    await apply(server, 'two', { tags: ['b'] })
    const after = await apply(server, 'one', { ports: [{ port: 80 }] }, '', { labels: { z: 'z' } })
    expect(after.body['spec']).toEqual({ color: 'grey', tags: ['b'], ports: [{ port: 80 }] })
    expect((after.body['metadata'] as { labels: object }).labels).toEqual({ z: 'z' })
  })

  it('takes an item away whole, defaults and edits of others in it included, unless another applied it too', async () => {
    const server = await startPlain()
    const both = { ports: [{ port: 80, protocol: 'TCP' }, { port: 81, protocol: 'TCP' }] }
    await apply(server, 'one', both)
    await apply(server, 'two', { ports: [{ port: 81, protocol: 'TCP' }] })
    const named = { spec: { ports: [{ port: 80, protocol: 'TCP', name: 'edited' }, { port: 81, protocol: 'TCP', name: 'edited' }] } }
    await send(server, `${base}/a?fieldManager=editor`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: named })
    expect((await apply(server, 'one', {})).body['spec']).toMatchObject({ ports: [{ port: 81, protocol: 'TCP', name: 'edited' }] })
  })

  it('keeps items of others in keyed lists', async () => {
    const server = await startPlain()
    await apply(server, 'one', { ports: [{ port: 80 }] })
    const after = await apply(server, 'two', { ports: [{ port: 81 }] })
    expect(after.body['spec']).toMatchObject({ ports: [{ port: 80 }, { port: 81 }] })
  })

  it('takes no conflict with what kubectl apply set before, and keeps its annotation current', async () => {
    const server = await startPlain()
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
    const manifest = { apiVersion: 'test.example.com/v1', kind: 'Widget', metadata: { name: 'a', namespace: 'default' }, spec: { size: 1 } }
    await send(server, `${base}?fieldManager=kubectl-client-side-apply`, { method: 'POST', body: { ...manifest, metadata: { ...manifest.metadata, annotations: { [annotation]: JSON.stringify(manifest) } } } })
    const after = await apply(server, 'kubectl', { size: 2 })
    expect(after).toMatchObject({ status: 200, body: { spec: { size: 2 } } })
    const { annotations } = after.body['metadata'] as { annotations: Record<string, string> }
    expect(JSON.parse(annotations[annotation] ?? '')).toMatchObject({ spec: { size: 2 } })
  })

  it('meets an object that nobody managed as the work of a manager before it', async () => {
    const server = await startPlain()
    await send(server, base, { method: 'POST', body: { metadata: { name: 'a' }, spec: { size: 1 } } })
    await send(server, `${base}/a`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { metadata: { managedFields: [{}] } } })
    expect((await apply(server, 'one', { size: 2 })).body['message']).toContain('conflict with "before-first-apply"')
  })

  it('needs a manager, and takes YAML', async () => {
    const server = await startPlain()
    expect(await apply(server, '', { size: 1 })).toMatchObject({ status: 422, body: { message: expect.stringContaining('fieldManager: Required value: is required for apply patch') } })
    const yaml = 'apiVersion: test.example.com/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  size: 7\n'
    const made = await send(server, `${base}/a?fieldManager=one`, { method: 'PATCH', headers: { 'content-type': 'application/apply-patch+yaml' }, body: yaml })
    expect(made).toMatchObject({ status: 201, body: { spec: { size: 7 } } })
  })

  it('stores nothing on a dry run', async () => {
    const server = await startPlain()
    expect((await apply(server, 'one', { size: 1 }, '&dryRun=All')).status).toBe(201)
    expect((await send(server, `${base}/a`)).status).toBe(404)
  })
})

describe('updates', () => {
  const merge = { 'content-type': 'application/merge-patch+json' }

  it('take over the fields that they change, and only those', async () => {
    const server = await startPlain()
    await send(server, `${base}?fieldManager=one`, { method: 'POST', body: { metadata: { name: 'a', labels: { x: 'y' } }, spec: { size: 1, color: 'red' } } })
    const after = await send(server, `${base}/a?fieldManager=two`, { method: 'PATCH', headers: merge, body: { spec: { size: 2, color: 'red' } } })
    expect(entries(after)).toEqual({ 'one Update': { 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } }, 'f:spec': { 'f:color': {} } }, 'two Update': { 'f:spec': { 'f:size': {} } } })
    const without = await send(server, `${base}/a?fieldManager=three`, { method: 'PATCH', headers: merge, body: { spec: { size: null } } })
    expect(entries(without)).toEqual({ 'one Update': { 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } }, 'f:spec': { 'f:color': {} } } })
  })

  it('keep status apart, and name the user agent where no manager is named', async () => {
    const server = await startPlain()
    await send(server, base, { method: 'POST', body: { metadata: { name: 'a' } }, headers: { 'user-agent': 'tool/1.2 (x)' } })
    const after = await send(server, `${base}/a/status`, { method: 'PATCH', body: { status: { phase: 'Up' } }, headers: { ...merge, 'user-agent': 'narthex/1' } })
    expect(entries(after)).toEqual({ 'tool Update': { 'f:spec': { 'f:color': {} } }, 'narthex Update status': { 'f:status': { 'f:phase': {} } } })
  })

  it('fold old managers into one when there are too many', async () => {
    const server = await startPlain()
    await send(server, base, { method: 'POST', body: { metadata: { name: 'a' } } })
    let last: Answer | undefined
    for (let at = 0; at < 15; at += 1) last = await send(server, `${base}/a?fieldManager=m${at}`, { method: 'PATCH', headers: merge, body: { metadata: { labels: { [`l${at}`]: 'x' } } } })
    const names = Object.keys(last === undefined ? {} : entries(last))
    expect(names).toHaveLength(10)
    expect(names).toContain('ancient-changes Update')
  })
})

describe('sets of fields', () => {
  const element = constantFrom('f:a', 'f:b', 'k:{"port":80}', 'v:"x"')
  const set = array(array(element, { minLength: 1, maxLength: 3 }), { maxLength: 8 }).map((list) => list.map(single).reduce(union, emptySet))

  function single(path: readonly string[]): FieldSet {
    return path.reduceRight<FieldSet>((inner, name) => ({ member: false, children: new Map([[name, inner]]) }), { member: true, children: new Map() })
  }

  it('obey the laws of sets and survive the wire', () => {
    assert(property(set, set, set, (a, b, c) => {
      expect(equalSets(union(a, b), union(b, a))).toBe(true)
      expect(equalSets(union(a, union(b, c)), union(union(a, b), c))).toBe(true)
      expect(equalSets(intersection(a, b), intersection(b, a))).toBe(true)
      expect(equalSets(union(difference(a, b), intersection(a, b)), a)).toBe(true)
      expect(isEmptySet(intersection(difference(a, b), b))).toBe(true)
      expect(equalSets(fromFieldsV1(toFieldsV1(a)), a)).toBe(true)
      expect(equalSets(intersection(leaves(a), a), leaves(a))).toBe(true)
      expect([...paths(a)]).toHaveLength(new Set([...paths(a)].map(pathText)).size)
    }), { seed: 20_261_121, numRuns: 300 })
  })

  it('read hostile FieldsV1 as far as it has their form', () => {
    let deep: Record<string, unknown> = {}
    for (let at = 0; at < 10_000; at += 1) deep = { 'f:x': deep }
    expect(isEmptySet(fromFieldsV1({ nonsense: {}, 'k:not json': {}, 'k:[1]': {} }))).toBe(true)
    expect(fromFieldsV1(deep).children.size).toBe(1)
    expect(isEmptySet(fromFieldsV1('text'))).toBe(true)
  })
})
