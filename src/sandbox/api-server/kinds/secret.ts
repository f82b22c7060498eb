// Secret: stringData becomes data, the well-known types have keys that must be there. What the keys hold is not checked, as in a real cluster.
import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { Cause, Kind, KubeObject } from '../kind.ts'
import { invalid, invalids, required, tooLong } from './cause.ts'
import { AGE, NAME, ageCell, column } from './column.ts'
import { validateImmutable } from './config-map.ts'
import { validateMetadata } from './metadata.ts'
import { configKey, dns1123Subdomain } from './names.ts'
import { describe } from '../schemas/table.ts'

const MOST_BYTES = 1024 * 1024

interface SecretParts {
  type?: string
  data?: Record<string, string>
  stringData?: Record<string, string>
  immutable?: boolean
}

function parts(object: KubeObject): SecretParts {
  return object as SecretParts & KubeObject
}

function text(object: KubeObject, key: string): string {
  return Buffer.from(parts(object).data?.[key] ?? '', 'base64').toString('latin1')
}

const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
}

function validateType(object: KubeObject): Cause[] {
  const { type = '', data = {} } = parts(object)
  const causes = (REQUIRED_KEYS[type] ?? []).filter(key => !Object.hasOwn(data, key)).map(key => required(`data[${key}]`))
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined) {
    causes.push(required('data[username]'), required('data[password]'))
  }
  if (type === 'kubernetes.io/service-account-token' && (object.metadata.annotations?.['kubernetes.io/service-account.name'] ?? '') === '') {
    causes.push(required('metadata.annotations[kubernetes.io/service-account.name]'))
  }
  const json = type === 'kubernetes.io/dockerconfigjson' ? '.dockerconfigjson' : type === 'kubernetes.io/dockercfg' ? '.dockercfg' : undefined
  if (json !== undefined && data[json] !== undefined && !isJson(text(object, json))) causes.push(invalid(`data[${json}]`, '<secret contents redacted>', 'invalid character'))
  return causes
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}

function validate(object: KubeObject, old: KubeObject | undefined): Cause[] {
  const causes = validateMetadata(object, old, true, dns1123Subdomain)
  const secret = parts(object)
  if (old !== undefined) {
    if (secret.type !== parts(old).type) causes.push(invalid('type', secret.type, 'field is immutable'))
    causes.push(...validateImmutable(secret, parts(old), ['data']))
  }
  let bytes = 0
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    causes.push(...invalids(`data[${key}]`, key, configKey(key)))
    bytes += Buffer.byteLength(value, 'base64')
  }
  if (bytes > MOST_BYTES) causes.push(tooLong('data', MOST_BYTES))
  return [...causes, ...validateType(object)]
}

/** What Go's tls.X509KeyPair would say of the pair; the server only warns. */
function pairWarning(certificate: string, key: string): string | undefined {
  if (!certificate.includes('-----BEGIN ')) return 'tls: failed to find any PEM data in certificate input'
  if (!certificate.includes('-----BEGIN CERTIFICATE-----')) return 'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [PRIVATE KEY]'
  if (!key.includes('-----BEGIN ')) return 'tls: failed to find any PEM data in key input'
  try {
    const leaf = new X509Certificate(certificate)
    try {
      return leaf.checkPrivateKey(createPrivateKey(key)) ? undefined : 'tls: private key does not match public key'
    } catch {
      return 'tls: failed to parse private key'
    }
  } catch {
    return 'x509: malformed certificate'
  }
}

export const secretKind: Kind = {
  group: '', version: 'v1', kind: 'Secret', resource: 'secrets', singular: 'secret', shortNames: [], categories: [],
  namespaced: true, subresources: [], schemaName: 'io.k8s.api.core.v1.Secret', generation: false,
  defaults(draft) {
    const secret = parts(draft)
    for (const [key, value] of Object.entries(secret.stringData ?? {})) {
      secret.data = { ...secret.data, [key]: Buffer.from(value).toString('base64') }
    }
    delete secret.stringData
    secret.type ||= 'Opaque'
  },
  validate,
  warnings(object) {
    if (parts(object).type !== 'kubernetes.io/tls') return []
    const warning = pairWarning(text(object, 'tls.crt'), text(object, 'tls.key'))
    return warning === undefined ? [] : [warning]
  },
  columns: [NAME, column('Type', describe('core.v1.Secret', 'type')), column('Data', describe('core.v1.Secret', 'data')), AGE],
  row: (object, now) => [object.metadata.name, parts(object).type ?? '', Object.keys(parts(object).data ?? {}).length, ageCell(object, now)],
  fields: { type: object => parts(object).type ?? '' },
}
