// Ingress and IngressClass: what is refused beyond the recordings, the default class, the old versions, the cells.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../../src/sandbox/api-server/kind.ts'
import { NOW, admission, lines, setSpec, specOf } from './admission.ts'

const ingresses = admission('ingresses')
const classes = admission('ingressclasses')

const service = { service: { name: 'web', port: { number: 80 } } }
const rule = (path: object, host = 'a.example.com'): object => ({ spec: { rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: service, ...path }] } }] } })
const backend = (given: object): object => ({ spec: { defaultBackend: given } })
const at = 'spec.rules[0].http.paths[0]'

describe('Ingress validation', () => {
  test.each([
    ['a path that climbs', rule({ path: '/a/../b' }), `${at}.path: Invalid value: "/a/../b": must not contain '/../'`],
    ['a path that ends in a dot segment', rule({ path: '/a/.' }), `${at}.path: Invalid value: "/a/.": cannot end with '/.'`],
    ['an escaped slash', rule({ path: '/a%2Fb', pathType: 'Exact' }), `${at}.path: Invalid value: "/a%2Fb": must not contain '%2F'`],
    ['an implementation-specific path without a slash', rule({ path: 'x', pathType: 'ImplementationSpecific' }), `${at}.path: Invalid value: "x": must be an absolute path`],
    ['no paths', { spec: { rules: [{ http: { paths: [] } }] } }, 'spec.rules[0].http.paths: Required value'],
    ['a backend of nothing', backend({}), 'spec.defaultBackend: Invalid value: "": resource or service backend is required'],
    ['a service without a name', backend({ service: { port: { number: 1 } } }), 'spec.defaultBackend.service.name: Required value'],
    ['a port out of range', backend({ service: { name: 'a', port: { number: 70000 } } }), 'spec.defaultBackend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ['a port name without letters', backend({ service: { name: 'a', port: { name: '80' } } }), 'spec.defaultBackend.service.port.name: Invalid value: "80": must contain at least one letter (a-z)'],
    ['a resource without a kind', backend({ resource: { name: 'x' } }), 'spec.defaultBackend.resource.kind: Required value'],
    ['a class that is no name', { spec: { defaultBackend: service, ingressClassName: 'A' } }, /spec\.ingressClassName: Invalid value: "A": a lowercase RFC 1123 subdomain/],
    ['an IPv6 address as host', rule({}, '::1'), 'spec.rules[0].host: Invalid value: "::1": must be a DNS name, not an IP address'],
    ['a host of a star alone', rule({}, '*'), /spec\.rules\[0\]\.host: Invalid value: "\*": a wildcard DNS-1123 subdomain must start with/],
    ['a TLS host in capitals', { spec: { defaultBackend: service, tls: [{ hosts: ['A.example.com'] }] } }, /spec\.tls\[0\]\.hosts\[0\]: Invalid value: "A\.example\.com"/],
    ['a TLS secret that is no name', { spec: { defaultBackend: service, tls: [{ secretName: 'a/b' }] } }, /spec\.tls\[0\]\.secretName: Invalid value: "a\/b"/],
  ])('refuses %s', (_, body, expected) => {
    const [first] = lines(ingresses.create(body).causes)
    expect(first).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected))
  })

  test('lists all mistakes of one object at once', () => {
    const { causes } = ingresses.create({ metadata: { name: 'Bad_Name' }, spec: { rules: [{ host: '10.0.0.1', http: { paths: [{ path: 'x', pathType: 'Exact', backend: {} }] } }] } })
    expect(causes.map(cause => cause.field)).toEqual(['metadata.name', 'spec.rules[0].host', `${at}.path`, `${at}.backend`])
  })

  test('a wildcard of one label and a host of 253 characters are fine, 254 are not', () => {
    expect(ingresses.create(rule({}, '*.example.com')).causes).toEqual([])
    const long = (length: number): string => `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(length - 192)}`
    expect(ingresses.create(rule({}, long(253))).causes).toEqual([])
    expect(lines(ingresses.create(rule({}, long(254))).causes)).toEqual([expect.stringContaining('must be no more than 253 characters')])
  })

  test('class annotation and class name must say the same, on create only', () => {
    const body = (annotation: string): object => ({ metadata: { annotations: { 'kubernetes.io/ingress.class': annotation } }, spec: { defaultBackend: service, ingressClassName: 'a' } })
    expect(lines(ingresses.create(body('b')).causes)).toEqual(['annotations.kubernetes.io/ingress.class: Invalid value: "b": must match `ingressClassName` when both are specified'])
    const { object } = ingresses.create(body('a'))
    expect(ingresses.update(object, setSpec('ingressClassName', 'other')).causes).toEqual([])
  })

  // With nested quantifiers over the whole name this would not end in the time of a test.
  test('a hostile host of dots and hyphens is refused', () => {
    const { causes } = ingresses.create(rule({}, `${'a-'.repeat(50_000)}.${'-.'.repeat(50_000)}!`))
    expect(causes.map(cause => cause.field)).toEqual(['spec.rules[0].host', 'spec.rules[0].host'])
  })
})

describe('the class of an Ingress', () => {
  const classOf = (name: string, created: string, isDefault = true): KubeObject =>
    classes.create({ metadata: { name, creationTimestamp: created, annotations: isDefault ? { 'ingressclass.kubernetes.io/is-default-class': 'true' } : {} }, spec: { controller: 'a.example/b' } }).object

  test('is the newest default class when none is given', () => {
    const stored = [classOf('old', '2026-01-01T00:00:00Z'), classOf('new', '2026-02-01T00:00:00Z'), classOf('newer', '2026-03-01T00:00:00Z', false)]
    expect(specOf(ingresses.create(backend(service), stored).object)['ingressClassName']).toBe('new')
  })

  test('of two as new, the first by name', () => {
    const stored = [classOf('b', '2026-01-01T00:00:00Z'), classOf('a', '2026-01-01T00:00:00Z')]
    expect(specOf(ingresses.create(backend(service), stored).object)['ingressClassName']).toBe('a')
  })

  test('stays away when there is no default, or the old annotation is used, which gives a warning', () => {
    const stored = [classOf('a', '2026-01-01T00:00:00Z')]
    expect(specOf(ingresses.create(backend(service), [classOf('a', '2026-01-01T00:00:00Z', false)]).object)['ingressClassName']).toBeUndefined()
    const annotated = ingresses.create({ metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } }, ...backend(service) }, stored)
    expect(specOf(annotated.object)['ingressClassName']).toBeUndefined()
    expect(annotated.warnings).toEqual([`annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`])
  })
})

describe('Ingress cells', () => {
  test('more than three hosts are counted, no host is a star, addresses are sorted', () => {
    const { object } = ingresses.create({ spec: { rules: ['a.x', 'b.x', 'c.x', 'd.x', 'e.x'].map(host => ({ host })), tls: [{}] } })
    object['status'] = { loadBalancer: { ingress: [{ hostname: 'z.example.com' }, { ip: '10.0.0.1' }, { ip: '10.0.0.1' }] } }
    expect(ingresses.kind.row(object, NOW)).toEqual(['x', '<none>', 'a.x,b.x,c.x + 2 more...', '10.0.0.1,z.example.com', '80, 443', '60m'])
    expect(ingresses.kind.row(ingresses.create(backend(service)).object, NOW)).toEqual(['x', '<none>', '*', '', '80', '60m'])
  })
})

describe('the old versions', () => {
  const [extensions, beta] = ingresses.kind.legacy ?? []
  const metadata = { name: 'old', namespace: 'dev', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-11-20T11:00:00Z' }
  const old: KubeObject = {
    apiVersion: 'extensions/v1beta1',
    kind: 'Ingress',
    metadata,
    spec: {
      backend: { serviceName: 'fallback', servicePort: 'http' },
      rules: [{ host: 'nginx.example.com', http: { paths: [{ path: '/', backend: { serviceName: 'nginx-service', servicePort: 80 } }] } }],
    },
  }

  test('become the current one as API servers converted them', () => {
    const current = extensions?.toCurrent(old)
    expect(current).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata,
      spec: {
        defaultBackend: { service: { name: 'fallback', port: { name: 'http' } } },
        rules: [
          {
            host: 'nginx.example.com',
            http: { paths: [{ path: '/', pathType: 'ImplementationSpecific', backend: { service: { name: 'nginx-service', port: { number: 80 } } } }] },
          },
        ],
      },
    })
    expect(ingresses.create(current ?? {}).causes).toEqual([])
    expect(beta?.deprecation).toBe('networking.k8s.io/v1beta1 Ingress is deprecated in v1.19+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress')
  })

  test('any current Ingress that is read as an old one and written back is the same', () => {
    const port = fc.oneof(fc.integer({ min: 1, max: 65535 }).map(number => ({ number })), fc.constantFrom({ name: 'http' }, { name: 'web' }))
    const anyBackend = fc.oneof(
      fc.record({ service: fc.record({ name: fc.constantFrom('a', 'b'), port }) }),
      fc.record({ resource: fc.record({ kind: fc.constant('Bucket'), name: fc.constant('x') }) }),
    )
    const anyPath = fc.record({ path: fc.constantFrom('/', '/a'), pathType: fc.constantFrom('Exact', 'Prefix', 'ImplementationSpecific'), backend: anyBackend })
    const anyRule = fc.record({ host: fc.constantFrom('a.x', '*.b.x'), http: fc.record({ paths: fc.array(anyPath) }) }, { requiredKeys: [] })
    const anySpec = fc.record({ ingressClassName: fc.constant('c'), defaultBackend: anyBackend, rules: fc.array(anyRule), tls: fc.constant([{ hosts: ['a.x'], secretName: 's' }]) }, { requiredKeys: [] })
    fc.assert(
      fc.property(anySpec, fc.constantFrom(extensions, beta), (spec, version) => {
        const object = ingresses.create({ spec }).object
        if (version === undefined) throw new Error('no old version')
        expect(version.toCurrent(version.fromCurrent(object))).toEqual(object)
      }),
      { seed: 1, numRuns: 200 },
    )
  })
})

describe('IngressClass', () => {
  test.each([
    [{ spec: {} }, 'spec.controller: Required value'],
    [{ spec: { controller: 'nothing' } }, 'spec.controller: Invalid value: "nothing": must be a domain-prefixed path (such as "acme.io/foo")'],
    [{ spec: { controller: `a.b/${'c'.repeat(300)}` } }, 'spec.controller: Too long: may not be more than 250 bytes'],
    [{ spec: { controller: 'a.b/c', parameters: { kind: 'K', name: 'n', scope: 'Namespace' } } }, "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    [{ spec: { controller: 'a.b/c', parameters: { kind: 'K', name: 'n', scope: 'Galaxy' } } }, 'spec.parameters.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespace"'],
  ])('%j is refused', (body, expected) => expect(lines(classes.create(body).causes)[0]).toBe(expected))

  test('the controller can not be changed, parameters are shown', () => {
    const { object } = classes.create({ spec: { controller: 'a.b/c', parameters: { apiGroup: 'k.example', kind: 'Params', name: 'p' } } })
    expect(classes.kind.row(object, NOW)).toEqual(['x', 'a.b/c', 'Params.k.example/p', '60m'])
    expect(specOf(object)['parameters']).toMatchObject({ scope: 'Cluster' })
    expect(lines(classes.update(object, setSpec('controller', 'a.b/d')).causes)).toEqual(['spec.controller: Invalid value: "a.b/d": field is immutable'])
  })
})
