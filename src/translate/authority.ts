// The authorities in a Secret: ca.crt, and in ca.crl what they have revoked.
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Secret } from '../kube/objects.ts'
import type { ClientCa } from '../model/policy.ts'

const MOST_AUTHORITIES = 200
const authorities = new WeakMap<Secret, ClientCa | string>()

/** Once for each version of a Secret; a text says what is wrong. */
export function readAuthority(secret: Secret): ClientCa | string {
  let read = authorities.get(secret)
  if (read === undefined) {
    read = parseAuthority(secret.data['ca.crt'], secret.data['ca.crl'])
    authorities.set(secret, read)
  }
  return read
}

function parseAuthority(text: string | undefined, revoked: string | undefined): ClientCa | string {
  if (text === undefined || text.trim() === '') return 'it has no ca.crt'
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) return 'ca.crt holds no PEM certificate'
  if (blocks.length > MOST_AUTHORITIES) return `ca.crt holds ${blocks.length} certificates`
  const bad = blocks.findIndex((block) => !isCertificate(block))
  if (bad >= 0) return `certificate ${bad + 1} in ca.crt can’t be read`
  const ca = { certificates: `${blocks.join('\n')}\n`, ...(revoked !== undefined && revoked.trim() !== '' && { revoked }) }
  try {
    createSecureContext({ ca: ca.certificates, crl: ca.revoked })
    return ca
  } catch {
    return ca.revoked === undefined ? 'ca.crt can’t be read' : 'ca.crl can’t be read'
  }
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).fingerprint256 !== ''
  } catch {
    return false
  }
}
