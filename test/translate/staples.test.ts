// Responses beside certificates, and what their owners are told.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stateFromObjects } from '../../src/kube/store.ts'
import type { Staples } from '../../src/model/staple.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import { Authority } from '../tls/authority.ts'

const HOST = 'a.example.com'
let authority: Authority
const objects = new Map<string, unknown>()

beforeAll(async () => {
  authority = await Authority.create()
  const kinds = { plain: {}, named: { responder: 'http://ocsp.example.com/r' }, must: { responder: 'http://ocsp.example.com/r', mustStaple: true }, nowhere: { mustStaple: true }, odd: { responder: 'https://user:pass@ocsp.example.com/' } }
  for (const [name, options] of Object.entries(kinds)) {
    const { certificate, key } = await authority.issue(name, `/CN=${HOST}`, { altName: HOST, ...options })
    const data = { 'tls.crt': Buffer.from(certificate).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') }
    objects.set(name, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'dev', uid: name, resourceVersion: '1' }, type: 'kubernetes.io/tls', data })
  }
})
afterAll(() => authority.remove())

function stateWith(name: string) {
  return stateFromObjects([
    { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'narthex' }, spec: { controller: 'narthex.ingress.kubernetes.io/controller' } },
    { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'web', namespace: 'dev' }, spec: { ingressClassName: 'narthex', tls: [{ hosts: [HOST], secretName: 'a' }], rules: [{ host: HOST }] } },
    objects.get(name),
  ])
}

const translated = (name: string, staples?: Staples, ocspStapling = true) => {
  const made = translate(stateWith(name), { ...DEFAULT_TRANSLATE_OPTIONS, ocspStapling }, createMemo(), Date.now(), undefined, staples)
  return { certificate: made.config.certificates.get('dev/a'), told: made.diagnostics.map(({ reason, message }) => `${reason}: ${message}`) }
}

test('a certificate says whom to ask and whether clients insist', () => {
  expect(translated('plain').certificate).not.toHaveProperty('responder')
  expect(translated('named').certificate).toMatchObject({ responder: 'http://ocsp.example.com/r' })
  expect(translated('must').certificate).toMatchObject({ mustStaple: true })
  expect(translated('odd').certificate).not.toHaveProperty('responder')
})

test('who insists in vain is told why; a revoked certificate is named', () => {
  const fingerprint = translated('must').certificate?.fingerprint ?? ''
  expect(translated('must').told).toEqual([])
  expect(translated('must', new Map([[fingerprint, { staple: undefined, trouble: { kind: 'failed', reason: 'the responder answered 500' } }]])).told.join()).toMatch(/^CertificateUnstapled: .*must-staple.*the responder answered 500/)
  expect(translated('must', undefined, false).told.join()).toMatch(/^CertificateUnstapled: .*--ocsp-stapling is off/)
  expect(translated('nowhere').told.join()).toMatch(/^CertificateUnstapled: .*names no responder/)
  const plain = translated('named').certificate?.fingerprint ?? ''
  expect(translated('named', new Map([[plain, { staple: undefined, trouble: { kind: 'failed', reason: 'x' } }]])).told).toEqual([])
  expect(translated('named', new Map([[plain, { staple: undefined, trouble: { kind: 'revoked', at: 0 } }]])).told.join()).toMatch(/^CertificateRevoked: .*revoked at 1970-01-01T00:00:00Z/)
})

test('with the same response the certificate stays the same object; with another it changes, and nothing else does', () => {
  const memo = createMemo()
  const state = stateWith('must')
  const run = (staples?: Staples) => translate(state, DEFAULT_TRANSLATE_OPTIONS, memo, 0, undefined, staples).config
  const fingerprint = run().certificates.get('dev/a')?.fingerprint ?? ''
  const staple = { response: Buffer.from('x'), until: 5 }
  const first = run(new Map([[fingerprint, { staple, trouble: undefined }]]))
  const again = run(new Map([[fingerprint, { staple, trouble: undefined }]]))
  expect(first.certificates.get('dev/a')?.staple).toBe(staple)
  expect(again.certificates).toBe(first.certificates)
  const next = run(new Map([[fingerprint, { staple: { ...staple, until: 6 }, trouble: undefined }]]))
  expect(next.certificates.get('dev/a')).not.toBe(first.certificates.get('dev/a'))
  expect(next.serverNames).toBe(first.serverNames)
  expect(next.hosts).toBe(first.hosts)
})
