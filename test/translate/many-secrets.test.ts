// Thousands of Secrets at the start: all hosts have their certificates at once, and each translation looks into some of them.
import { expect, test } from 'vitest'
import { stateFromObjects } from '../../src/kube/store.ts'
import { MOST_READ_AT_ONCE } from '../../src/translate/certificates.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import { certificatePem, keyPem, NOW } from './key-material.ts'

const COUNT = 2 * MOST_READ_AT_ONCE + 100

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const [certificate, key] = [certificatePem({ key: 'a', names: ['a.example'] }), keyPem('a')]
const hostOf = (index: number): string => (index === COUNT - 1 ? 'other.example' : `h${index}.example`)

const state = stateFromObjects([
  { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'narthex' }, spec: { controller: DEFAULT_TRANSLATE_OPTIONS.controllerClass } },
  ...Array.from({ length: COUNT }, (_, index) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: `i${String(index).padStart(5, '0')}`, namespace: 'dev', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { ingressClassName: 'narthex', tls: [{ hosts: [hostOf(index)], secretName: `s${index}` }], rules: [{ host: hostOf(index) }] },
  })),
  // The last but one says in its certificate alone whom it is for.
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'z', namespace: 'dev', creationTimestamp: '2026-02-01T00:00:00Z' }, spec: { ingressClassName: 'narthex', tls: [{ secretName: 'own' }], rules: [{ http: { paths: [] } }] } },
  ...Array.from({ length: COUNT }, (_, index) => secret(`s${index}`)),
  secret('own'),
])

function secret(name: string): unknown {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'dev', uid: name, resourceVersion: '1' }, type: 'kubernetes.io/tls', data: { 'tls.crt': base64(certificate), 'tls.key': base64(key) } }
}

test('none waits for the others, and in the end all are known', () => {
  const memo = createMemo()
  const run = (seconds: number) => translate(state, DEFAULT_TRANSLATE_OPTIONS, memo, NOW + seconds * 1000)
  const isRead = ({ notAfter }: { readonly notAfter: number }): boolean => notAfter > 0
  const first = run(0)
  // Beyond the bound only the one whose names have to be known.
  expect([...first.config.certificates.values()].filter(isRead).length).toBe(MOST_READ_AT_ONCE + 1)
  expect(first.config.certificates.size).toBe(COUNT + 1)
  for (const index of [0, 500, COUNT - 1]) expect(first.config.serverNames.get(hostOf(index))?.certificates).toEqual([`dev/s${index}`])
  expect(first.config.certificates.get('dev/s2050')).toMatchObject({ certificate, privateKey: key })
  expect(first.config.serverNames.get('a.example')?.certificates).toEqual(['dev/own'])
  expect(first.nextDate).toBe(NOW)

  const second = run(1)
  expect([...second.config.certificates.values()].filter(isRead).length).toBe(2 * MOST_READ_AT_ONCE + 1)
  expect(second.config.certificates.get('dev/s0')).toBe(first.config.certificates.get('dev/s0'))
  const third = run(2)
  expect([...third.config.certificates.values()].every(isRead)).toBe(true)
  expect(third.nextDate).toBe(NOW + 30 * 86_400_000)
  expect(third.diagnostics.filter(({ reason }) => reason === 'CertificateHostMismatch').length).toBe(COUNT)
  expect(run(3).config.certificates).toBe(third.config.certificates)
})
