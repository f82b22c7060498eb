// Certificates and keys for golden cases, made when they are needed: no key is stored in the repository.
// In a case, `tls.crt` and `tls.key` hold what to make instead of PEM.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

/** The clock of all golden cases. */
export const NOW = Date.parse('2026-11-20T12:00:00Z')

const DAY = 86_400_000

interface CertificateRecipe {
  readonly names?: readonly string[]
  readonly cn?: string
  /** Label of the key pair. */
  readonly key: string
  /** Label of the issuer's key pair; left out: self-signed. */
  readonly issuer?: string
  /** Days relative to NOW. */
  readonly from?: number
  readonly to?: number
}

const keys = new Map<string, string>()

/** PKCS#8 PEM of the RSA key with this label. */
export function keyPem(label: string): string {
  const known = keys.get(label)
  if (known !== undefined) return known
  const bits = label.startsWith('short') ? 1024 : 2048
  const pem = generateKeyPairSync('rsa', { modulusLength: bits, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } }).privateKey
  keys.set(label, pem)
  return pem
}

let serial = 1

export function certificatePem({ names = [], cn, key, issuer = key, from = -1, to = 30 }: CertificateRecipe): string {
  const certificate = forge.pki.createCertificate()
  const own = forge.pki.privateKeyFromPem(keyPem(key))
  certificate.publicKey = forge.pki.setRsaPublicKey(own.n, own.e)
  // A leading zero would make forge emit an invalid DER integer.
  certificate.serialNumber = (0x1000 + serial++).toString(16)
  certificate.validity.notBefore = new Date(NOW + from * DAY)
  certificate.validity.notAfter = new Date(NOW + to * DAY)
  certificate.setSubject([{ name: 'commonName', value: cn ?? (issuer === key ? key : `${key} leaf`) }])
  certificate.setIssuer([{ name: 'commonName', value: issuer === key ? (cn ?? key) : issuer }])
  if (names.length > 0) {
    // 2: dNSName, 7: iPAddress
    certificate.setExtensions([{ name: 'subjectAltName', altNames: names.map((name) => (/^[\d.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name })) }])
  }
  certificate.sign(forge.pki.privateKeyFromPem(keyPem(issuer)), forge.md.sha256.create())
  return forge.pki.certificateToPem(certificate)
}

/** What a case writes for `tls.crt` (a recipe or a list of them) or `tls.key` (`{ key: label, encrypted? }`); text stays as it is. */
export function materialise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(materialise).join('')
  if (typeof value !== 'object' || value === null) return value
  if ('encrypted' in value && 'key' in value) {
    return createPrivateKey(keyPem(String(value.key))).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
  }
  if ('key' in value && Object.keys(value).length === 1) return keyPem(String(value.key))
  if (!isRecipe(value)) throw new Error(`not a certificate recipe: ${JSON.stringify(value)}`)
  return certificatePem(value)
}

function isRecipe(value: object): value is CertificateRecipe {
  return 'key' in value && typeof value.key === 'string'
}
