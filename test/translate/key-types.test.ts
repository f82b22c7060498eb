// Certificates of different key types for one name, from one Ingress or several.
import { beforeAll, expect, test } from 'vitest'
import { createStore } from '../../src/kube/store.ts'
import { trim, type KubeKind } from '../../src/kube/trim.ts'
import type { Certificate } from '../../src/model/routing.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import { certificateFor, rsaCertificateFor } from '../tls/certificates.ts'

let ec: Certificate
let rsa: Certificate

beforeAll(async () => {
  ;[ec, rsa] = await Promise.all([certificateFor('ec', 'a.example'), rsaCertificateFor('rsa', 'a.example')])
})

/** Ingresses from the oldest on: namespace and the Secrets of its TLS entries. */
function namesOf(...ingresses: readonly (readonly [namespace: string, ...secrets: readonly string[]])[]): readonly string[] {
  const store = createStore()
  const set = (kind: KubeKind, raw: unknown): void => {
    const object = trim(kind, raw)
    if (object !== undefined) store.apply({ type: 'set', object })
  }
  set('IngressClass', { metadata: { name: 'narthex' }, spec: { controller: 'narthex.ingress.kubernetes.io/controller' } })
  ingresses.forEach(([namespace, ...secrets], index) => {
    for (const name of secrets) {
      const { certificate, privateKey } = name.startsWith('rsa') ? rsa : ec
      set('Secret', { metadata: { name, namespace }, stringData: { 'tls.crt': certificate, 'tls.key': privateKey } })
    }
    set('Ingress', {
      metadata: { name: `web-${index}`, namespace, uid: String(index), creationTimestamp: new Date(1.7e12 + index * 1000).toISOString() },
      spec: {
        ingressClassName: 'narthex',
        tls: secrets.map((secretName) => ({ hosts: ['a.example'], secretName })),
        rules: [{ host: 'a.example', http: { paths: [{ path: `/${index}`, pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }],
      },
    })
  })
  const { config } = translate(store.state(), DEFAULT_TRANSLATE_OPTIONS, createMemo())
  return config.serverNames.get('a.example')?.certificates ?? []
}

test.each([
  ['two Secrets of one Ingress', [['dev', 'ec', 'rsa']], ['dev/ec', 'dev/rsa']],
  ['two Ingresses of one namespace', [['dev', 'rsa'], ['dev', 'ec']], ['dev/rsa', 'dev/ec']],
  ['the same type twice: the older Ingress has it', [['dev', 'ec'], ['dev', 'ec-2']], ['dev/ec']],
  ['another namespace adds nothing to a name that is taken', [['dev', 'rsa'], ['prod', 'ec']], ['dev/rsa']],
  ['nor does a third one of a type that is there', [['dev', 'rsa'], ['dev', 'ec'], ['dev', 'ec-2']], ['dev/rsa', 'dev/ec']],
] as const)('%s', (_, ingresses, expected) => {
  expect(namesOf(...ingresses)).toEqual(expected)
})
