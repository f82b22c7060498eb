// What did not change keeps its identity, so that only what changed goes down to the data plane.
import { describe, expect, test } from 'vitest'
import { diffRouting } from '../../src/model/delta.ts'
import { createStore, type Store } from '../../src/kube/store.ts'
import { trim, type KubeKind } from '../../src/kube/trim.ts'
import type { ResolvedNames } from '../../src/model/resolved-name.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import { certificatePem, keyPem, NOW } from './key-material.ts'
import * as cluster from './cluster.ts'

function put(store: Store, kind: KubeKind, raw: unknown): boolean {
  const object = trim(kind, raw)
  if (object === undefined) throw new Error('not an object')
  return store.apply({ type: 'set', object })
}

function world(count: number) {
  const store = createStore()
  cluster.fill(store, count)
  const memo = createMemo()
  const run = (now = NOW) => translate(store.state(), DEFAULT_TRANSLATE_OPTIONS, memo, now)
  return { store, run }
}

describe('translation', () => {
  test('without a change answers the very same maps', () => {
    const { run } = world(20)
    const first = run()
    const second = run()
    expect(second.config.hosts).toBe(first.config.hosts)
    expect(second.config.backends).toBe(first.config.backends)
    expect(second.config.certificates).toBe(first.config.certificates)
    expect(second.config.serverNames).toBe(first.config.serverNames)
    expect(first.config.hosts.size).toBe(20)
  })

  test('of new addresses of an external name replaces exactly its backend', () => {
    const { store } = world(5)
    const memo = createMemo()
    for (const index of [1, 2]) {
      put(store, 'Service', { metadata: { name: `web-${index}`, namespace: `ns-${index}` }, spec: { type: 'ExternalName', externalName: `db-${index}.example`, ports: [{ port: 80 }] } })
    }
    const run = (address: string) =>
      translate(store.state(), DEFAULT_TRANSLATE_OPTIONS, memo, NOW, new Map([['db-1.example', { addresses: [address], trouble: undefined }], ['db-2.example', { addresses: ['192.0.2.9'], trouble: undefined }]]))
    const before = run('192.0.2.1')
    expect([...before.externalNames]).toEqual(['db-1.example', 'db-2.example'])
    expect(run('192.0.2.1').config.backends).toBe(before.config.backends)
    const after = run('192.0.2.2')
    expect(diffRouting(before.config, after.config).backends.set.map(([id]) => id)).toEqual(['ns-1/web-1:80'])
    expect(after.config.hosts).toBe(before.config.hosts)
    expect(after.externalNames).toBe(before.externalNames)
  })

  test('of another external name serves the addresses of the old one until the new one is answered', () => {
    const { store } = world(2)
    const memo = createMemo()
    const name = (externalName: string) => put(store, 'Service', { metadata: { name: 'web-1', namespace: 'ns-1' }, spec: { type: 'ExternalName', externalName, ports: [{ port: 80 }] } })
    const run = (said: ResolvedNames) => {
      const { config, diagnostics } = translate(store.state(), DEFAULT_TRANSLATE_OPTIONS, memo, NOW, said)
      return [config.backends.get('ns-1/web-1:80')?.endpoints.map(({ address }) => address).join(), diagnostics.map(({ reason }) => reason).join()]
    }
    const old = { addresses: ['192.0.2.1'], trouble: undefined }
    name('old.example')
    expect(run(new Map([['old.example', old]]))).toEqual(['192.0.2.1', ''])
    name('new.example')
    expect(run(new Map())).toEqual(['192.0.2.1', ''])
    expect(run(new Map([['new.example', { addresses: ['192.0.2.2'], trouble: undefined }]]))).toEqual(['192.0.2.2', ''])
    name('typo.example')
    expect(run(new Map([['typo.example', { addresses: [], trouble: { kind: 'absent' } }]]))).toEqual(['', 'ExternalNameUnresolved'])
  })

  test('of a changed EndpointSlice replaces exactly one backend', () => {
    const { store, run } = world(20)
    const before = run().config
    expect(put(store, 'EndpointSlice', cluster.slice(3, ['10.9.9.9']))).toBe(true)
    const delta = diffRouting(before, run().config)
    expect(delta.backends.set.map(([id]) => id)).toEqual(['ns-3/web-3:80'])
    expect(delta.hosts.set).toEqual([])
    expect(delta.serverNames.set).toEqual([])
    expect(delta.certificates.set).toEqual([])
  })

  test('of a slice whose endpoints come in another order replaces nothing', () => {
    const { store, run } = world(3)
    put(store, 'EndpointSlice', cluster.slice(1, ['10.0.0.1', '10.0.0.2']))
    const before = run().config
    expect(put(store, 'EndpointSlice', cluster.slice(1, ['10.0.0.2', '10.0.0.1']))).toBe(true)
    expect(run().config.backends).toBe(before.backends)
  })

  test('of one changed Ingress replaces exactly its hosts', () => {
    const { store, run } = world(20)
    const before = run().config
    put(store, 'Ingress', cluster.ingress(5, { '/': 'web-5', '/new': 'web-5' }))
    const delta = diffRouting(before, run().config)
    expect(delta.hosts.set.map(([name]) => name)).toEqual(['host-5.example'])
    expect(delta.hosts.deleted).toEqual([])
    expect(delta.backends.set).toEqual([])
  })

  test('of published addresses replaces nothing', () => {
    const { store, run } = world(5)
    const before = run().config
    const published = { ...cluster.ingress(2), status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
    expect(put(store, 'Ingress', published)).toBe(true)
    expect(run().config.hosts).toBe(before.hosts)
  })

  test('of a deleted Ingress removes its host and its backend alone', () => {
    const { store, run } = world(5)
    const before = run().config
    store.apply({ type: 'delete', kind: 'Ingress', key: 'ns-2/ingress-2' })
    const delta = diffRouting(before, run().config)
    expect(delta.hosts).toEqual({ set: [], deleted: ['host-2.example'] })
    expect(delta.backends).toEqual({ set: [], deleted: ['ns-2/web-2:80'] })
  })

  test('of a Service that appears replaces the hosts that name it', () => {
    const { store, run } = world(5)
    put(store, 'Ingress', cluster.ingress(1, { '/': 'late' }))
    const before = run()
    expect(before.diagnostics.map((diagnostic) => diagnostic.reason)).toEqual(['ServiceNotFound'])
    put(store, 'Service', { metadata: { name: 'late', namespace: 'ns-1' }, spec: { ports: [{ port: 80 }] } })
    const delta = diffRouting(before.config, run().config)
    expect(delta.hosts.set.map(([name]) => name)).toEqual(['host-1.example'])
    expect(delta.backends.set.map(([id]) => id)).toEqual(['ns-1/late:80'])
  })

  test('of a rotated Secret replaces exactly its certificate', () => {
    const { store, run } = world(3)
    for (const index of [0, 1]) {
      put(store, 'Ingress', { ...cluster.ingress(index), spec: { ...cluster.ingress(index).spec, tls: [{ hosts: [`host-${index}.example`], secretName: 'tls' }] } })
      put(store, 'Secret', secret(`ns-${index}`, 'a', `host-${index}.example`))
    }
    const before = run().config
    put(store, 'Secret', secret('ns-1', 'b', 'host-1.example'))
    const delta = diffRouting(before, run().config)
    expect(delta.certificates.set.map(([id]) => id)).toEqual(['ns-1/tls'])
    expect([delta.serverNames.set, delta.hosts.set, delta.backends.set]).toEqual([[], [], []])
  })
})

describe('a Secret that breaks', () => {
  test('keeps its last good certificate until it is good again, and never shows its key', () => {
    const { store, run } = world(1)
    put(store, 'Ingress', { ...cluster.ingress(0), spec: { ...cluster.ingress(0).spec, tls: [{ hosts: ['host-0.example'], secretName: 'tls' }] } })
    put(store, 'Secret', secret('ns-0', 'a', 'host-0.example'))
    const good = run().config.certificates.get('ns-0/tls')
    expect(good?.names).toEqual(['host-0.example'])

    put(store, 'Secret', secret('ns-0', 'b', 'host-0.example', 'a'))
    const broken = run()
    expect(broken.config.certificates.get('ns-0/tls')).toBe(good)
    expect(broken.diagnostics.map(({ severity, reason }) => `${severity} ${reason}`)).toEqual(['error CertificateInvalid'])
    expect(broken.diagnostics[0]?.message).toContain('the last good certificate of this Secret stays in use')
    const body = keyPem('b').split('\n')[1] ?? ''
    expect(JSON.stringify(broken.diagnostics)).not.toContain(body)

    put(store, 'Secret', secret('ns-0', 'b', 'host-0.example'))
    const again = run()
    expect(again.diagnostics).toEqual([])
    expect(again.config.certificates.get('ns-0/tls')).not.toBe(good)
  })

  test('that is deleted gives its hosts the default certificate', () => {
    const { store, run } = world(1)
    put(store, 'Ingress', { ...cluster.ingress(0), spec: { ...cluster.ingress(0).spec, tls: [{ hosts: ['host-0.example'], secretName: 'tls' }] } })
    put(store, 'Secret', secret('ns-0', 'a', 'host-0.example'))
    run()
    store.apply({ type: 'delete', kind: 'Secret', key: 'ns-0/tls' })
    const after = run()
    expect(after.config.certificates.size).toBe(0)
    expect(after.config.serverNames.size).toBe(0)
    expect(after.diagnostics.map((diagnostic) => diagnostic.reason)).toEqual(['SecretNotFound'])
  })

  test('expires by the clock alone, at the date that the translation names', () => {
    const { store, run } = world(1)
    put(store, 'Ingress', { ...cluster.ingress(0), spec: { ...cluster.ingress(0).spec, tls: [{ hosts: ['host-0.example'], secretName: 'tls' }] } })
    put(store, 'Secret', secret('ns-0', 'a', 'host-0.example'))
    const fresh = run()
    expect(fresh.diagnostics).toEqual([])
    const date = fresh.nextDate ?? 0
    expect(run(date - 1).diagnostics).toEqual([])
    const expired = run(date)
    expect(expired.diagnostics.map((diagnostic) => diagnostic.reason)).toEqual(['CertificateExpired'])
    expect(expired.config.certificates.get('ns-0/tls')).toBe(fresh.config.certificates.get('ns-0/tls'))
    expect(expired.nextDate).toBeUndefined()
  })
})

function secret(namespace: string, key: string, host: string, certificateKey = key): unknown {
  const data = { 'tls.crt': certificatePem({ names: [host], key: certificateKey }), 'tls.key': keyPem(key) }
  return { metadata: { name: 'tls', namespace }, type: 'kubernetes.io/tls', data: Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')])) }
}
