// Whatever happens to the objects: versions only rise, and whoever lists once and follows the changes ends with the same list.
import { array, assert, constantFrom, oneof, property, record } from 'fast-check'
import { expect, it } from 'vitest'
import { ApiError } from '../../../src/sandbox/api-server/api-error.ts'
import { createRegistry } from '../../../src/sandbox/api-server/create-registry.ts'
import { equalJson } from '../../../src/sandbox/api-server/json-value.ts'
import type { KubeObject } from '../../../src/sandbox/api-server/kind.ts'
import type { Registry } from '../../../src/sandbox/api-server/registry.ts'
import { namespaces, plainSchemas, slowWidgets, widgets } from './support/plain-kinds.ts'

const name = constantFrom('a', 'b', 'c', 'd-e', 'd')
const namespace = constantFrom('default', 'kube-system')
const resource = constantFrom('widgets', 'slowwidgets')
const target = record({ name, namespace, resource })

const operation = oneof(
  record({ kind: constantFrom('create' as const), target, finalizers: constantFrom<readonly string[]>([], ['example.com/x']), owner: constantFrom<string | undefined>(undefined, 'a', 'b') }),
  record({ kind: constantFrom('patch' as const), target, size: constantFrom(1, 2, -1), label: constantFrom<string | null>('x', 'y', null) }),
  record({ kind: constantFrom('finalize' as const), target }),
  record({ kind: constantFrom('delete' as const), target, grace: constantFrom<number | undefined>(undefined, 0, 5), policy: constantFrom('Background' as const, 'Foreground' as const, 'Orphan' as const) }),
)

type Operation = typeof operation extends { filter: (predicate: (value: infer T) => boolean) => unknown } ? T : never

function perform(registry: Registry, step: Operation): void {
  const { resource, namespace, name } = step.target
  switch (step.kind) {
    case 'create': {
      const owner = step.owner === undefined ? undefined : registry.get('widgets', namespace, step.owner)
      registry.create(resource, {
        metadata: {
          name, namespace, ...(step.finalizers.length > 0 && { finalizers: step.finalizers }),
          ...(owner !== undefined && { ownerReferences: [{ apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid, blockOwnerDeletion: true }] }),
        },
      })
      return
    }
    case 'patch':
      registry.patch(resource, namespace, name, { metadata: { labels: { l: step.label } }, spec: { size: step.size } })
      return
    case 'finalize':
      registry.patch(resource, namespace, name, { metadata: { finalizers: null } })
      return
    case 'delete':
      registry.delete(resource, namespace, name, { propagationPolicy: step.policy, ...(step.grace !== undefined && { gracePeriodSeconds: step.grace }) })
  }
}

it('a follower of the changes knows what the registry knows', async () => {
  const errors: unknown[] = []
  for (const historySize of [1000, 3]) {
    assert(property(array(operation, { maxLength: 60 }), (steps) => {
      const registry = createRegistry({ kinds: [namespaces, widgets, slowWidgets], schemas: plainSchemas, historySize, onError: (error) => errors.push(error) })
      const followers = [widgets, slowWidgets].map((kind) => ({ kind, known: new Map<string, KubeObject>(), version: registry.storage.version, lists: new Map<number, readonly KubeObject[]>() }))
      for (const step of steps) {
        const before = registry.storage.version
        try {
          perform(registry, step)
        } catch (error) {
          // Refusals are part of life; they change nothing.
          if (!(error instanceof ApiError)) throw error
          expect(registry.storage.version).toBe(before)
        }
        for (const follower of followers) {
          const changes = registry.storage.changesSince(follower.kind, follower.version)
          if (changes === undefined) throw new Error('the history must reach back to the step before')
          for (const { type, object, version, previous } of changes) {
            expect(version).toBeGreaterThan(follower.version)
            follower.version = version
            const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`
            expect(previous).toBe(follower.known.get(key))
            if (type === 'DELETED') follower.known.delete(key)
            else follower.known.set(key, object)
          }
          const list = registry.storage.list(follower.kind)
          expect(list.map((object) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`)).toEqual([...follower.known.keys()].toSorted())
          expect(list.every((object) => follower.known.get(`${object.metadata.namespace ?? ''}/${object.metadata.name}`) === object)).toBe(true)
          follower.lists.set(registry.storage.version, list)
        }
      }
      // Every list of the past that the history still reaches is as it was.
      for (const { kind, lists } of followers) {
        for (const [version, list] of lists) {
          const past = registry.storage.listAt(kind, undefined, version)
          if (historySize === 1000 || past !== undefined) expect(equalJson(past, list)).toBe(true)
        }
      }
    }), { seed: 20_261_121, numRuns: 60 })
  }
  // Garbage collection runs in microtasks, after the properties.
  await Promise.resolve()
  expect(errors).toEqual([])
})
