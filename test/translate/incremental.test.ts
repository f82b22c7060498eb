// Translation with a memory answers what translation without one answers, after any sequence of changes; and whatever the
// objects say, its result is whole.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStore, type Store } from '../../src/kube/store.ts'
import { trim, type KubeKind } from '../../src/kube/trim.ts'
import type { ResolvedName, ResolvedNames } from '../../src/model/resolved-name.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { formatRouting } from '../../src/translate/route-lines.ts'
import { createMemo, translate, type Translation } from '../../src/translate/translate.ts'
import { certificatePem, keyPem, NOW } from './key-material.ts'

const OPTIONS = { ...DEFAULT_TRANSLATE_OPTIONS, tcpServices: 'one/tcp', udpServices: 'one/udp', reservedPorts: [80], place: { node: 'n1', zone: 'a' } }
const NAMES = ['a', 'b', 'c']
const name = fc.constantFrom(...NAMES)
const namespace = fc.constantFrom('one', 'two')
const host = fc.constantFrom('', 'a.example', 'b.example', '*.example', 'x.a.example', '*.*.example')
const path = fc.constantFrom('', '/', '/a', '/a/', '/a/b', 'bad', '/%7e')
const port = fc.constantFrom({ number: 80 }, { number: 81 }, { name: 'http' }, { number: 8080 }, {})
const backend = fc.oneof({ weight: 8, arbitrary: fc.record({ service: fc.record({ name, port }) }) }, { weight: 1, arbitrary: fc.constant({ resource: { kind: 'Bucket', name: 'x' } }) }, { weight: 1, arbitrary: fc.constant({}) })
const rule = fc.record({ host, http: fc.option(fc.record({ paths: fc.array(fc.record({ path, pathType: fc.constantFrom('Exact', 'Prefix', 'ImplementationSpecific'), backend }), { maxLength: 3 }) }), { nil: undefined, freq: 5 }) })
const tls = fc.record({ hosts: fc.array(host, { maxLength: 2 }), secretName: name })
const annotations = fc.dictionary(fc.constantFrom('ssl-redirect', 'force-ssl-redirect', 'canary', 'auth-url', 'auth-tls-secret', 'rewrite-target', 'odd').map((each) => `nginx.ingress.kubernetes.io/${each}`), fc.constantFrom('true', 'false', 'maybe', ''), { maxKeys: 2 })

interface Made {
  readonly kind: KubeKind
  readonly raw: object
}

const meta = (extra: fc.Arbitrary<object> = fc.constant({})): fc.Arbitrary<object> =>
  fc.tuple(name, namespace, fc.integer({ min: 1, max: 3 }), extra).map(([name, namespace, day, more]) => ({ name, namespace, creationTimestamp: `2026-01-0${day}T00:00:00Z`, ...more }))

const ingress = fc.record({
  metadata: meta(fc.record({ annotations, deletionTimestamp: fc.constantFrom('', '', '', '', '2026-02-01T00:00:00Z') })),
  spec: fc.record({ ingressClassName: fc.constantFrom('narthex', 'narthex', 'narthex', 'other', undefined), rules: fc.array(rule, { maxLength: 3 }), tls: fc.array(tls, { maxLength: 2 }), defaultBackend: fc.option(backend, { nil: undefined, freq: 3 }) }),
  status: fc.constantFrom({}, { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }),
})
const service = fc.record({
  metadata: meta(),
  spec: fc.record({ type: fc.constantFrom('ClusterIP', 'ClusterIP', 'ExternalName'), externalName: fc.constantFrom('db.example', 'web.example', 'localhost', '', '192.0.2.9'), ports: fc.constantFrom([{ port: 80 }], [{ name: 'http', port: 80, targetPort: 8080 }], [{ name: 'http', port: 81 }], [{ name: 'x', port: 80, protocol: 'UDP' }], []), internalTrafficPolicy: fc.constantFrom(undefined, undefined, 'Local'), trafficDistribution: fc.constantFrom(undefined, 'PreferSameZone', 'PreferSameNode') }),
})
const slice = fc.record({
  metadata: meta(name.map((each) => ({ labels: { 'kubernetes.io/service-name': each } }))),
  addressType: fc.constantFrom('IPv4', 'IPv6'),
  ports: fc.constantFrom([{ port: 80 }], [{ name: 'http', port: 8080 }], []),
  endpoints: fc.array(fc.record({ addresses: fc.constantFrom(['10.0.0.1'], ['10.0.0.2'], ['fd00::1'], ['127.0.0.1']), conditions: fc.constantFrom({}, { ready: false }, { ready: false, serving: true, terminating: true }), nodeName: fc.constantFrom(undefined, 'n1', 'n2'), zone: fc.constantFrom(undefined, 'a', 'b'), hints: fc.constantFrom(undefined, { forZones: [{ name: 'a' }] }, { forZones: [{ name: 'b' }], forNodes: [{ name: 'n1' }] }) }), { maxLength: 3 }),
})

/** Good ones only: a broken one is answered by what was before it, which is what memory is for. */
const PAIRS = ['a.example', '*.example'].map((each) => ({ 'tls.crt': Buffer.from(certificatePem({ names: [each], key: 'a', to: each === 'a.example' ? 30 : -0.5 })).toString('base64'), 'tls.key': Buffer.from(keyPem('a')).toString('base64') }))
const secret = fc.record({ metadata: meta(), type: fc.constant('kubernetes.io/tls'), data: fc.constantFrom(...PAIRS) })

const entry = fc.constantFrom('one/a:80', 'one/b:http', 'two/a:81::PROXY', 'one/a:x', 'nonsense', 'two/c:80:PROXY')
const configMap = fc.record({ metadata: fc.constantFrom('tcp', 'udp', 'other').map((each) => ({ name: each, namespace: 'one' })), data: fc.dictionary(fc.constantFrom('1', '2', '80', 'x'), entry, { maxKeys: 3 }) })

const made: fc.Arbitrary<Made> = fc.oneof(
  { weight: 2, arbitrary: configMap.map((raw) => ({ kind: 'ConfigMap' as const, raw })) },
  { weight: 4, arbitrary: ingress.map((raw) => ({ kind: 'Ingress' as const, raw })) },
  { weight: 2, arbitrary: service.map((raw) => ({ kind: 'Service' as const, raw })) },
  { weight: 3, arbitrary: slice.map((raw) => ({ kind: 'EndpointSlice' as const, raw })) },
  { weight: 1, arbitrary: secret.map((raw) => ({ kind: 'Secret' as const, raw })) },
  { weight: 1, arbitrary: fc.constantFrom('narthex.ingress.kubernetes.io/controller', 'other').map((controller) => ({ kind: 'IngressClass' as const, raw: { metadata: { name: 'narthex' }, spec: { controller } } })) },
)
/** What DNS says changes as the objects do. */
const said: fc.Arbitrary<ResolvedName> = fc.record({ addresses: fc.constantFrom([], ['192.0.2.1'], ['127.0.0.1'], ['192.0.2.1', '2001:db8::1']), trouble: fc.constantFrom(undefined, { kind: 'absent' as const }, { kind: 'unanswered' as const, detail: 'SERVFAIL' }) })
const names = fc.option(fc.record({ 'db.example': said, 'web.example': said }), { nil: undefined })

const change = fc.record({ object: made, remove: fc.constantFrom(false, false, false, true) })

function perform(store: Store, { object: { kind, raw }, remove }: { readonly object: Made; readonly remove: boolean }): void {
  const object = trim(kind, raw)
  if (object === undefined) return
  if (remove) store.apply({ type: 'delete', kind, key: object.meta.namespace === '' ? object.meta.name : `${object.meta.namespace}/${object.meta.name}` })
  else store.apply({ type: 'set', object })
}

const plain = ({ config, diagnostics, accepted, externalNames, nextDate }: Translation): unknown => ({
  config: { ...config, hosts: new Map([...config.hosts].sort()), backends: new Map([...config.backends].sort()), serverNames: new Map([...config.serverNames].sort()), certificates: new Map([...config.certificates].sort()), streams: new Map([...config.streams].sort()) },
  lines: formatRouting(config), diagnostics, accepted, externalNames, nextDate,
})

function isWhole({ config, diagnostics }: Translation): void {
  for (const host of config.hosts.values()) {
    expect(new Set(host.routes.map((route) => `${route.pathType} ${route.path}`)).size).toBe(host.routes.length)
    for (const route of host.routes) if (route.backend !== undefined) expect(config.backends.has(route.backend)).toBe(true)
  }
  for (const { backend } of config.streams.values()) expect(config.backends.has(backend)).toBe(true)
  for (const { certificates } of config.serverNames.values()) for (const id of certificates) expect(config.certificates.has(id)).toBe(true)
  for (const { field, message, fix } of diagnostics) for (const text of [field, message, fix]) expect(text).not.toBe('')
  expect(() => structuredClone(config)).not.toThrow()
}

test('after any changes memory answers as no memory would', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(change, { minLength: 1, maxLength: 4 }), names), { minLength: 1, maxLength: 12 }), (rounds) => {
      const store = createStore()
      perform(store, { object: { kind: 'IngressClass', raw: { metadata: { name: 'narthex' }, spec: { controller: 'narthex.ingress.kubernetes.io/controller' } } }, remove: false })
      const memo = createMemo()
      let resolved: ResolvedNames = new Map(['db.example', 'web.example'].map((each) => [each, { addresses: [], trouble: { kind: 'absent' as const } }]))
      for (const [changes, answers] of rounds) {
        if (answers !== undefined) resolved = new Map(Object.entries(answers))
        for (const each of changes) perform(store, each)
        const remembered = translate(store.state(), OPTIONS, memo, NOW, resolved)
        isWhole(remembered)
        expect(plain(remembered)).toEqual(plain(translate(store.state(), OPTIONS, createMemo(), NOW, resolved)))
      }
    }),
    { seed: 17, numRuns: 400 },
  )
})
