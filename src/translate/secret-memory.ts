// What is known of a TLS Secret: its present certificate, and the last good one, which stays in use while the present one is broken.
import { keyOf, type ObjectKey, type Secret } from '../kube/objects.ts'
import { readKeyPair, type Broken, type KeyPair } from './key-pair.ts'
import type { Certificate } from '../model/routing.ts'

export interface SecretMemory {
  /** The very object that was read. */
  readonly secret: Secret
  readonly certificate: Certificate | undefined
  readonly pair: KeyPair | undefined
  /** Why the present content can't be used. */
  readonly broken: Broken | undefined
}

/** `before` is what was known of the Secret of this name. */
export function readSecret(secret: Secret, before: SecretMemory | undefined): SecretMemory {
  if (before?.secret === secret) return before
  const certificatePem = secret.data['tls.crt']
  const keyPem = secret.data['tls.key']
  if (before !== undefined && before.secret.data['tls.crt'] === certificatePem && before.secret.data['tls.key'] === keyPem) return { ...before, secret }
  const read = readKeyPair(certificatePem, keyPem)
  if ('wrong' in read) return { secret, certificate: before?.certificate, pair: before?.pair, broken: read }
  return { secret, certificate: certificateOf(keyOf(secret.meta), read), pair: read, broken: undefined }
}

const unread = new WeakMap<Secret, SecretMemory>()

/** Of a Secret that nobody has looked into: what is in it is served if it can be, and nothing is known of it. The same object each time. */
export function unreadSecret(secret: Secret): SecretMemory {
  const known = unread.get(secret)
  if (known !== undefined) return known
  const certificate: Certificate = { id: keyOf(secret.meta), certificate: secret.data['tls.crt'] ?? '', privateKey: secret.data['tls.key'] ?? '', names: [], notAfter: 0, fingerprint: '' }
  const made: SecretMemory = { secret, certificate, pair: undefined, broken: undefined }
  unread.set(secret, made)
  return made
}

function certificateOf(id: ObjectKey, pair: KeyPair): Certificate {
  const { certificate, privateKey, names, notAfter, fingerprint, responder, mustStaple } = pair
  return { id, certificate, privateKey, names, notAfter, fingerprint, ...(responder !== undefined && { responder }), ...(mustStaple && { mustStaple }) }
}
