import { expect, test } from 'vitest'
import { explain, type Explanation } from '../../src/admin/explain.ts'
import { routingView } from '../../src/admin/routing-view.ts'
import { hostName } from '../../src/http/http1/host.ts'
import { normalisePath } from '../../src/http/http1/path.ts'
import type { Diagnostic } from '../../src/model/diagnostic.ts'
import type { ClientCertificatePolicy } from '../../src/model/policy.ts'
import type { RoutingConfig } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { configOf, prefix } from '../table/routes.ts'
import { CONFIG, DIAGNOSTIC } from './fixture.ts'

function explained(url: string, headers: readonly (readonly [string, string])[] = [], config: RoutingConfig = CONFIG, diagnostics: readonly Diagnostic[] = []): Explanation {
  return explain({ url, method: 'GET', headers }, { config, settings: { ...DEFAULT_SETTINGS, publicHttpsPort: 8443 }, hostName, normalisePath, endpointFor: () => undefined, diagnostics: () => diagnostics })
}

test('the winner with its endpoints, and why the others lost', () => {
  const { outcome, route, backend, candidates, certificate } = explained('http://shop.example/cart')
  expect(outcome).toBe('forwarded: one of 2 endpoints of dev/web:80, by rr')
  expect(route).toMatchObject({ host: 'shop.example', path: '/cart', pathType: 'Exact' })
  expect(backend?.endpoints.map(({ id }) => id)).toEqual(['127.0.0.1:8001', '127.0.0.1:8002'])
  expect(certificate).toBeNull()
  expect(candidates.map(({ host, route, verdict }) => `${host}${route.path} ${verdict}`)).toEqual([
    'shop.example/cart wins',
    'shop.example/resource path-differs',
    'shop.example/missing path-differs',
    'shop.example/empty path-differs',
    'shop.example/ outranked',
    '*.example/ host-outranked',
  ])
})

test('a redirect to https with its Location, as the data plane words it', () => {
  const { outcome, status, location, filters } = explained('http://shop.example/a/?b=/c/')
  expect([outcome, status, location]).toEqual(['plain HTTP is redirected to https with 308', 308, 'https://shop.example:8443/a/?b=/c'])
  expect(filters).toEqual(['plain HTTP is redirected to https with 308, but not for /.well-known/acme-challenge'])
})

test('no redirect on https nor for ACME challenges', () => {
  expect(explained('https://shop.example/a').status).toBeNull()
  expect(explained('http://shop.example/.well-known/acme-challenge/x').status).toBeNull()
})

test.each([
  ['http://shop.example/empty/x', 503, 'forwarded, but dev/empty:80 has no ready endpoints: 503'],
  ['http://shop.example/missing', 503, 'nothing may serve the path (its Service or port is missing, or what was asked for can not be had): 503'],
  ['http://shop.example/resource', 404, 'the rule has a backend that is no Service: 404'],
  ['http://nobody.org/', 404, 'no rule names host nobody.org, and there is no default backend: 404'],
])('%s is %i', (url, status, outcome) => {
  expect(explained(url)).toMatchObject({ status, outcome })
})

test('what no path takes goes to the default backend, not to the wildcard', () => {
  const config = configOf({ 'a.example': [prefix('/api', 'dev/web:80')], '*.example': [prefix('/', 'dev/web:80')] }, { backends: CONFIG.backends, defaultBackend: 'dev/web:80' })
  const { outcome, route, backend } = explained('http://a.example/other', [], config)
  expect([outcome, route, backend?.id]).toEqual([
    'no path of its host takes /other: the default backend answers: one of 2 endpoints of dev/web:80, by rr',
    null,
    'dev/web:80',
  ])
})

test('the certificate is chosen by the name in the URL, the route by the Host field', () => {
  const { certificate, route } = explained('https://shop.example/', [['host', 'B.example:8443']])
  expect(certificate).toMatchObject({ id: 'dev/tls', names: ['shop.example'] })
  expect(route?.host).toBe('*.example')
  expect(explained('https://b.example/').certificate).toMatchObject({ id: null })
})

test('host and path are read as the data plane reads them', () => {
  const { request, route } = explained('http://SHOP.example.:8080/x/../%63art')
  expect(request).toMatchObject({ host: 'shop.example', path: '/cart' })
  expect(route?.pathType).toBe('Exact')
})

test('of very many candidates the winner is always shown', () => {
  const routes = Array.from({ length: 1000 }, (_, i) => prefix(`/${i}`, 'dev/web:80'))
  const { candidates, candidatesLeftOut } = explained('http://a.example/777', [], configOf({ 'a.example': routes }, { backends: CONFIG.backends }))
  expect([candidates.length, candidatesLeftOut, candidates[0]?.route.path, candidates[0]?.verdict]).toEqual([200, 800, '/777', 'wins'])
})

test('of TLS that is passed on no more than the backend is known, and requests for its host elsewhere are misdirected', () => {
  const shop = CONFIG.hosts.get('shop.example')
  if (shop === undefined) throw new Error('no host')
  const passedTo = (backend: string | undefined): RoutingConfig => ({ ...CONFIG, hosts: new Map([...CONFIG.hosts, [shop.name, { ...shop, passthrough: { backend, proxyOut: false } }]]) })
  expect(explained('https://shop.example/cart', [], passedTo('dev/web:80'))).toMatchObject({ status: null, route: null, backend: { id: 'dev/web:80' }, outcome: expect.stringContaining('one of 2 endpoints of dev/web:80') as string, certificate: { id: null } })
  expect(explained('https://shop.example/', [], passedTo(undefined)).outcome).toContain('the connection is closed')
  expect(explained('https://other.example/', [['host', 'shop.example']], passedTo('dev/web:80')).status).toBe(421)
  expect(explained('http://shop.example/cart', [], passedTo('dev/web:80')).outcome).toBe('forwarded: one of 2 endpoints of dev/web:80, by rr')
})

test('what is wrong with the object of the rule is said, and what else may have closed its path', () => {
  const own = (url: string) => explained(url).route?.source
  const source = own('http://shop.example/missing')
  if (source === undefined) throw new Error('no route')
  const of = (kind: string, name: string, severity: Diagnostic['severity']): Diagnostic => ({ ...DIAGNOSTIC, severity, object: { ...DIAGNOSTIC.object, kind, namespace: source.namespace, name } })
  const all = [of('Ingress', source.name, 'warning'), of('Ingress', 'elsewhere', 'error'), of('ConfigMap', 'settings', 'error'), of('ConfigMap', 'settings', 'warning')]
  expect(explained('http://shop.example/missing', [], CONFIG, all).diagnostics).toEqual([all[0], all[2]])
  expect(explained('http://shop.example/cart', [], CONFIG, all).diagnostics).toEqual([all[0]])
  expect(explained('http://nobody.org/', [], CONFIG, all).diagnostics).toEqual([])
  const narrow = configOf({ 'a.example': [prefix('/api', 'dev/web:80')] }, { backends: CONFIG.backends })
  const asked = explained('http://a.example/api', [], narrow).route?.source.name ?? ''
  expect(explained('http://a.example/', [], narrow, [of('Ingress', asked, 'warning'), of('Ingress', 'elsewhere', 'warning')]).diagnostics).toHaveLength(1)
})

test('whom a host that asks for certificates of clients lets in', () => {
  const shop = CONFIG.hosts.get('shop.example')
  if (shop === undefined) throw new Error('no host')
  const asking = (clientCertificates: ClientCertificatePolicy): RoutingConfig => ({ ...CONFIG, hosts: new Map([...CONFIG.hosts, [shop.name, { ...shop, clientCertificates }]]) })
  const on = { verify: 'on', depth: 1, passCertificate: false } as const
  expect(explained('https://shop.example/cart', [], asking('denied'))).toMatchObject({ status: 403, backend: null, outcome: 'certificates of clients are asked for that can not be checked: 403' })
  expect(explained('http://shop.example/cart', [], asking('denied')).status).toBe(403)
  const [listed] = routingView(asking('denied'), 'shop.example').hosts
  expect(new Set(listed?.routes.map(({ backend, status }) => `${backend} ${status}`))).toEqual(new Set(['null 403']))
  expect(explained('https://shop.example/cart', [], asking(on)).filters[0]).toBe('clients without a certificate that is right get 400')
  expect(explained('http://shop.example/cart', [], asking({ ...on, matchSubject: 'CN=a' })).status).toBe(403)
  expect(explained('https://shop.example/cart', [], asking({ ...on, verify: 'optional', errorPage: 'https://x.example/', matchSubject: 'CN=a' })).filters.slice(0, 2)).toEqual([
    'clients with a certificate that is wrong are sent to auth-tls-error-page (optional)',
    'clients whose subject does not match auth-tls-match-cn get 403',
  ])
})
