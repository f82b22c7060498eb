// The registry in process: versions, conflicts, deletion, ownership, namespaces, history.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../../src/sandbox/api-server/api-error.ts'
import { createRegistry } from '../../../src/sandbox/api-server/create-registry.ts'
import type { KubeObject } from '../../../src/sandbox/api-server/kind.ts'
import { namespaces, plainSchemas, slowWidgets, widgets } from './support/plain-kinds.ts'

const time = new Date('2026-01-02T03:04:05.678Z')

function start() {
  return createRegistry({ kinds: [namespaces, widgets, slowWidgets], schemas: plainSchemas, now: () => time, historySize: 4 })
}

function widget(name: string, more: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): Record<string, unknown> {
  return { apiVersion: 'test.example.com/v1', kind: 'Widget', metadata: { name, namespace: 'default', ...more }, spec }
}

function refusal(action: () => unknown): ApiError {
  try {
    action()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('the call was allowed')
}

function ownedBy(owner: KubeObject, more: Record<string, unknown> = {}) {
  return { ownerReferences: [{ apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid, ...more }] }
}

describe('writes', () => {
  it('gives identity, time, version and generation on create', () => {
    const made = start().create('widgets', widget('a'))
    expect(made.metadata).toMatchObject({ name: 'a', namespace: 'default', generation: 1, creationTimestamp: '2026-01-02T03:04:05Z' })
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(0)
    expect(made['spec']).toEqual({ color: 'grey' })
    expect(Object.isFrozen(made['spec'])).toBe(true)
  })

  it('makes a name from generateName', () => {
    const made = start().create('widgets', { ...widget(''), metadata: { generateName: 'w-', namespace: 'default' } })
    expect(made.metadata.name).toMatch(/^w-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  })

  it('refuses a second object of the name, with the real text', () => {
    const registry = start()
    registry.create('widgets', widget('a'))
    const error = refusal(() => registry.create('widgets', widget('a')))
    expect(error.status).toMatchObject({ code: 409, reason: 'AlreadyExists', message: 'widgets.test.example.com "a" already exists', details: { name: 'a', group: 'test.example.com', kind: 'widgets' } })
  })

  it('bumps the generation for the spec only, and makes no version when nothing changes', () => {
    const registry = start()
    const made = registry.create('widgets', widget('a', {}, { size: 1 }))
    const labelled = registry.patch('widgets', 'default', 'a', { metadata: { labels: { x: 'y' } } })
    expect(labelled.metadata.generation).toBe(1)
    const grown = registry.patch('widgets', 'default', 'a', { spec: { size: 2 } })
    expect(grown.metadata.generation).toBe(2)
    expect(registry.patch('widgets', 'default', 'a', { spec: { size: 2 } })).toBe(grown)
    expect(Number(grown.metadata.resourceVersion)).toBe(Number(made.metadata.resourceVersion) + 2)
  })

  it('keeps status writes and main writes apart', () => {
    const registry = start()
    registry.create('widgets', widget('a', {}, { size: 1 }))
    registry.patch('widgets', 'default', 'a', { spec: { size: 9 }, status: { phase: 'Up' } }, { subresource: 'status' })
    const after = registry.patch('widgets', 'default', 'a', { status: { phase: 'Down' } })
    expect(after).toMatchObject({ spec: { size: 1 }, status: { phase: 'Up' }, metadata: { generation: 1 } })
  })

  it('answers 409 to a stale version and 422 with all causes to bad values', () => {
    const registry = start()
    const first = registry.create('widgets', widget('a'))
    registry.patch('widgets', 'default', 'a', { spec: { size: 1 } })
    expect(refusal(() => registry.update('widgets', first)).status).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(refusal(() => registry.patch('widgets', 'default', 'a', { spec: { size: -1 } })).status).toMatchObject({
      code: 422, reason: 'Invalid', message: 'Widget.test.example.com "a" is invalid: spec.size: Invalid value: -1: must not be negative',
      details: { kind: 'Widget', causes: [{ reason: 'FieldValueInvalid', field: 'spec.size' }] },
    })
  })

  it('stores nothing on a dry run', () => {
    const registry = start()
    expect(registry.create('widgets', widget('a'), { dryRun: true }).metadata.name).toBe('a')
    expect(registry.get('widgets', 'default', 'a')).toBeUndefined()
  })
})

describe('watching', () => {
  it('tells changes in order within the tick, and stops', async () => {
    const registry = start()
    const seen: string[] = []
    const stop = registry.watch('widgets', ({ type, object }) => seen.push(`${type} ${object.metadata.name}`))
    registry.create('widgets', widget('a'))
    registry.patch('widgets', 'default', 'a', { spec: { size: 1 } })
    registry.delete('widgets', 'default', 'a')
    await Promise.resolve()
    expect(seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
    stop()
    registry.create('widgets', widget('b'))
    await turn()
    expect(seen).toHaveLength(3)
  })

  it('forgets old changes and knows that it did', () => {
    const registry = start()
    const begin = registry.storage.version
    for (let at = 0; at < 20; at += 1) registry.create('widgets', widget(`w${at}`))
    expect(registry.storage.changesSince(widgets, begin)).toBeUndefined()
    expect(registry.storage.changesSince(widgets, registry.storage.version - 3)).toHaveLength(3)
    expect(registry.storage.listAt(widgets, 'default', registry.storage.version - 2)).toHaveLength(18)
    expect(registry.storage.listAt(widgets, 'default', begin)).toBeUndefined()
  })
})

describe('deletion', () => {
  it('waits for finalizers', () => {
    const registry = start()
    registry.create('widgets', widget('a', { finalizers: ['x.example.com/f'] }))
    const going = registry.delete('widgets', 'default', 'a')
    expect(going.metadata.deletionTimestamp).toBe('2026-01-02T03:04:05Z')
    expect(registry.get('widgets', 'default', 'a')).toBeDefined()
    registry.patch('widgets', 'default', 'a', { metadata: { finalizers: null } })
    expect(registry.get('widgets', 'default', 'a')).toBeUndefined()
  })

  it('waits for the grace period until someone asks for none', () => {
    const registry = start()
    registry.create('slowwidgets', widget('a'))
    const going = registry.delete('slowwidgets', 'default', 'a')
    expect(going.metadata).toMatchObject({ deletionTimestamp: '2026-01-02T03:04:35Z', deletionGracePeriodSeconds: 30 })
    registry.delete('slowwidgets', 'default', 'a', { gracePeriodSeconds: 60 })
    expect(registry.get('slowwidgets', 'default', 'a')?.metadata.deletionGracePeriodSeconds).toBe(30)
    registry.delete('slowwidgets', 'default', 'a', { gracePeriodSeconds: 0 })
    expect(registry.get('slowwidgets', 'default', 'a')).toBeUndefined()
  })

  it('checks preconditions', () => {
    const registry = start()
    registry.create('widgets', widget('a'))
    expect(refusal(() => registry.delete('widgets', 'default', 'a', { preconditions: { uid: 'other' } })).code).toBe(409)
    expect(refusal(() => registry.delete('widgets', 'default', 'missing')).status).toMatchObject({ code: 404, message: 'widgets.test.example.com "missing" not found' })
  })

  it('takes dependents along in the background, through several generations', async () => {
    const registry = start()
    const top = registry.create('widgets', widget('top'))
    const middle = registry.create('widgets', widget('middle', ownedBy(top)))
    registry.create('widgets', widget('leaf', ownedBy(middle)))
    registry.create('widgets', widget('bystander'))
    registry.delete('widgets', 'default', 'top', { propagationPolicy: 'Background' })
    expect(registry.get('widgets', 'default', 'middle')).toBeDefined()
    await turn()
    expect(registry.list('widgets').map((object) => object.metadata.name)).toEqual(['bystander'])
  })

  it('leaves orphans when asked to, without the reference', async () => {
    const registry = start()
    const top = registry.create('widgets', widget('top'))
    registry.create('widgets', widget('leaf', ownedBy(top)))
    registry.delete('widgets', 'default', 'top', { propagationPolicy: 'Orphan' })
    await turn()
    expect(registry.get('widgets', 'default', 'top')).toBeUndefined()
    expect(registry.get('widgets', 'default', 'leaf')?.metadata.ownerReferences).toBeUndefined()
  })

  it('keeps the owner in the foreground until blocking dependents are gone', async () => {
    const registry = start()
    const top = registry.create('widgets', widget('top'))
    registry.create('slowwidgets', { ...widget('leaf', ownedBy(top, { blockOwnerDeletion: true })), kind: 'SlowWidget' })
    registry.delete('widgets', 'default', 'top', { propagationPolicy: 'Foreground' })
    await turn()
    expect(registry.get('widgets', 'default', 'top')?.metadata.finalizers).toEqual(['foregroundDeletion'])
    registry.delete('slowwidgets', 'default', 'leaf', { gracePeriodSeconds: 0 })
    await turn()
    expect(registry.get('widgets', 'default', 'top')).toBeUndefined()
  })

  it('collects what is created for an owner that is gone, and keeps what still has another', async () => {
    const registry = start()
    const first = registry.create('widgets', widget('first'))
    const second = registry.create('widgets', widget('second'))
    const both = [...ownedBy(first).ownerReferences, ...ownedBy(second).ownerReferences]
    registry.create('widgets', widget('shared', { ownerReferences: both }))
    registry.delete('widgets', 'default', 'first')
    registry.create('widgets', widget('late', ownedBy(first)))
    await turn()
    expect(registry.get('widgets', 'default', 'late')).toBeUndefined()
    expect(registry.get('widgets', 'default', 'shared')?.metadata.ownerReferences).toEqual(ownedBy(second).ownerReferences)
  })
})

describe('namespaces', () => {
  it('are needed, and refuse creates while they go', () => {
    const registry = start()
    expect(refusal(() => registry.create('widgets', widget('a', { namespace: 'nope' }))).status).toMatchObject({ code: 404, message: 'namespaces "nope" not found', details: { name: 'nope', kind: 'namespaces' } })
    registry.create('namespaces', { metadata: { name: 'dev' } })
    const going = registry.delete('namespaces', '', 'dev')
    expect(going).toMatchObject({ status: { phase: 'Terminating' }, metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' } })
    expect(refusal(() => registry.create('widgets', widget('a', { namespace: 'dev' }))).status).toMatchObject({
      code: 403, reason: 'Forbidden', message: 'widgets.test.example.com "a" is forbidden: unable to create new content in namespace dev because it is being terminated',
      details: { causes: [{ reason: 'NamespaceTerminating', message: 'namespace dev is being terminated', field: 'metadata.namespace' }] },
    })
    registry.update('namespaces', { ...going, spec: { finalizers: [] } }, { subresource: 'finalize' })
    expect(registry.get('namespaces', '', 'dev')).toBeUndefined()
  })

  it('of the system stay', () => {
    expect(refusal(() => start().delete('namespaces', '', 'default')).code).toBe(403)
  })
})
