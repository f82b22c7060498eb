// The certificate for names that no Secret covers: self-signed, made once at start. node-forge creates it and reads nothing:
// the key comes from node:crypto (asynchronous and native; forge's own takes a second and blocks).
import { generateKeyPair, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import forge from 'node-forge'

export interface KeyPair {
  /** PEM. */
  readonly certificate: string
  /** PEM. */
  readonly privateKey: string
}

const DAY = 86_400_000
const COMMON_NAME = 'Narthex Default Certificate'
const ALT_NAME = 'narthex.local'

/** RSA 2048, good for a year from the day before `now` (milliseconds since the epoch). */
export async function createDefaultCertificate(now: number = Date.now()): Promise<KeyPair> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const key = forge.pki.privateKeyFromPem(pem)
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.rsa.setPublicKey(key.n, key.e)
  certificate.serialNumber = serialNumber()
  certificate.validity.notBefore = new Date(now - DAY)
  certificate.validity.notAfter = new Date(now + 365 * DAY)
  const name = [
    { name: 'organizationName', value: 'Narthex' },
    { name: 'commonName', value: COMMON_NAME },
  ]
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: [{ type: 2, value: ALT_NAME }] },
  ])
  certificate.sign(key, forge.md.sha256.create())
  return { certificate: forge.pki.certificateToPem(certificate), privateKey: pem }
}

// forge writes the hex as it is: the first byte must be neither 0 (not minimal DER) nor above 0x7f (negative).
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}
