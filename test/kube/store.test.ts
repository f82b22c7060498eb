import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { createStore, stateFromObjects } from '../../src/kube/store.ts'
import { KUBE_KINDS, trim, type KubeKind, type KubeObject } from '../../src/kube/trim.ts'

function made(kind: KubeKind, raw: unknown): KubeObject {
  const object = trim(kind, raw)
  if (object === undefined) throw new Error('not an object')
  return object
}

const ingress = (resourceVersion: string, extra: object = {}, meta: object = {}) =>
  made('Ingress', {
    metadata: { name: 'web', namespace: 'dev', uid: 'u1', resourceVersion, managedFields: [{ manager: resourceVersion }], ...meta },
    spec: { ingressClassName: 'narthex', rules: [{ host: 'a.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }], ...extra },
  })

const slice = (name: string, service: string, address: string) =>
  made('EndpointSlice', { metadata: { name, namespace: 'dev', labels: { 'kubernetes.io/service-name': service } }, addressType: 'IPv4', ports: [{ port: 80 }], endpoints: [{ addresses: [address] }] })

describe('store', () => {
  test('a change of what is not kept is no change', () => {
    const store = createStore()
    expect(store.apply({ type: 'set', object: ingress('1') })).toBe(true)
    const before = store.state()
    expect(store.apply({ type: 'set', object: ingress('2') })).toBe(false)
    expect(store.state().ingresses).toBe(before.ingresses)
  })

  test('a change of one field keeps the others', () => {
    const store = createStore()
    store.apply({ type: 'set', object: ingress('1') })
    const before = store.state().ingresses.get('dev/web')
    expect(store.apply({ type: 'set', object: ingress('2', { tls: [{ hosts: ['a.example'], secretName: 's' }] }) })).toBe(true)
    const after = store.state().ingresses.get('dev/web')
    expect(after).not.toBe(before)
    expect(after?.rules).toBe(before?.rules)
    expect(after?.tls).toEqual([{ hosts: ['a.example'], secretName: 's' }])
    expect(after?.meta.resourceVersion).toBe('2')
  })

  test('an object that was deleted and made again is another one', () => {
    const store = createStore()
    store.apply({ type: 'set', object: ingress('1') })
    expect(store.apply({ type: 'set', object: ingress('2', {}, { uid: 'u2' }) })).toBe(true)
    expect(store.state().ingresses.get('dev/web')?.meta.uid).toBe('u2')
  })

  test('a snapshot does not change and untouched maps stay the same', () => {
    const store = createStore()
    store.apply({ type: 'set', object: ingress('1') })
    const before = store.state()
    store.apply({ type: 'set', object: slice('web-1', 'web', '10.0.0.1') })
    store.apply({ type: 'delete', kind: 'Ingress', key: 'dev/web' })
    expect(before.ingresses.size).toBe(1)
    expect(before.slicesByService.size).toBe(0)
    const after = store.state()
    expect(after.ingresses.size).toBe(0)
    expect(after.services).toBe(before.services)
    expect(after.secrets).toBe(before.secrets)
  })

  test('slices are found by their service, in one order, and move with their label', () => {
    const store = createStore()
    store.apply({ type: 'set', object: slice('b', 'web', '10.0.0.2') })
    store.apply({ type: 'set', object: slice('a', 'web', '10.0.0.1') })
    store.apply({ type: 'set', object: slice('c', 'shop', '10.0.0.3') })
    const before = store.state().slicesByService
    expect(before.get('dev/web')?.map((item) => item.meta.name)).toEqual(['a', 'b'])
    expect(store.apply({ type: 'set', object: slice('b', 'shop', '10.0.0.2') })).toBe(true)
    const after = store.state().slicesByService
    expect(after.get('dev/web')?.map((item) => item.meta.name)).toEqual(['a'])
    expect(after.get('dev/shop')?.map((item) => item.meta.name)).toEqual(['b', 'c'])
    store.apply({ type: 'delete', kind: 'EndpointSlice', key: 'dev/a' })
    expect(store.state().slicesByService.has('dev/web')).toBe(false)
  })

  test('the slices of one service keep their list while another changes', () => {
    const store = createStore()
    store.apply({ type: 'set', object: slice('a', 'web', '10.0.0.1') })
    store.apply({ type: 'set', object: slice('c', 'shop', '10.0.0.3') })
    const before = store.state().slicesByService
    store.apply({ type: 'set', object: slice('c', 'shop', '10.0.0.4') })
    expect(store.state().slicesByService.get('dev/web')).toBe(before.get('dev/web'))
  })

  test('a relist removes what is gone and keeps what stays, in one step', () => {
    const store = createStore()
    store.apply({ type: 'set', object: slice('a', 'web', '10.0.0.1') })
    store.apply({ type: 'set', object: slice('b', 'web', '10.0.0.2') })
    const kept = store.state().slicesByService.get('dev/web')?.[0]
    expect(store.replace('EndpointSlice', [slice('a', 'web', '10.0.0.1')])).toBe(true)
    expect(store.state().slicesByService.get('dev/web')).toEqual([kept])
    expect(store.state().slicesByService.get('dev/web')?.[0]).toBe(kept)
    expect(store.replace('EndpointSlice', [slice('a', 'web', '10.0.0.1')])).toBe(false)
  })
})

test('files without a namespace are of the default one, and lists are opened', () => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } }
  const state = stateFromObjects([{ kind: 'List', items: [service, null] }, 'text', undefined, { kind: 'Deployment', metadata: { name: 'x' } }])
  expect([...state.services.keys()]).toEqual(['default/web'])
})

test('kinds of the same name in other groups are left out', () => {
  const state = stateFromObjects([
    { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name: 'a' } },
    { apiVersion: 'networking.internal.knative.dev/v1alpha1', kind: 'Ingress', metadata: { name: 'a' } },
    { apiVersion: 'v1', kind: 'Ingress', metadata: { name: 'a' } },
  ])
  expect([state.services.size, state.ingresses.size]).toEqual([0, 0])
})

describe('trimming', () => {
  test('a secret keeps only what is read, decoded', () => {
    const data = { 'tls.crt': Buffer.from('PEM').toString('base64'), 'tls.key': '!!!', token: 'c2VjcmV0', release: 7 }
    expect(made('Secret', { metadata: { name: 's', namespace: 'dev' }, type: 'kubernetes.io/tls', data })).toMatchObject({ data: { 'tls.crt': 'PEM', 'tls.key': '' }, type: 'kubernetes.io/tls' })
    expect(JSON.stringify(made('Secret', { metadata: { name: 's' }, data }))).not.toContain('secret')
  })

  test('an ingress keeps its annotations but not the applied configuration', () => {
    const { meta } = ingress('1', {}, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'a/b': 'c', bad: 7 } })
    expect({ ...meta.annotations }).toEqual({ 'a/b': 'c' })
  })

  test('any JSON is trimmed without a throw, or is no object', () => {
    const names = ['metadata', 'spec', 'status', 'name', 'namespace', 'rules', 'http', 'paths', 'backend', 'service', 'port', 'ports', 'endpoints', 'addresses', 'conditions', 'tls', 'hosts', 'data', 'annotations', 'labels', '__proto__', 'loadBalancer', 'ingress']
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 5 }, fc.constant(null), fc.boolean(), fc.integer(), fc.string(), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 5 })),
    })).value
    fc.assert(
      fc.property(json, json, (spec, status) => {
        for (const kind of KUBE_KINDS) {
          const object = trim(kind, { metadata: { name: 'x', annotations: status, labels: spec }, spec, status, ports: spec, endpoints: status, data: spec })
          expect(object?.kind).toBe(kind)
          expect(() => structuredClone(object)).not.toThrow()
          trim(kind, spec)
        }
      }),
      { seed: 3, numRuns: 300 },
    )
  })
})
