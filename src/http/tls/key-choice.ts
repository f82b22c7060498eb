// Which of the certificates of a name a client will be shown, where that is sure: an OCSP response belongs to one certificate, and Node
// asks for it before OpenSSL has chosen. Where it is not sure OpenSSL chooses, and nothing is stapled.
import { X509Certificate } from 'node:crypto'
import type { Certificate } from '../../model/routing.ts'
import type { TlsVersion } from '../../model/tls.ts'
import type { ClientHello } from './client-hello.ts'

export type KeyOffer = Pick<ClientHello, 'versions' | 'cipherSuites' | 'signatureAlgorithms' | 'groups'>

interface Curve {
  /** SignatureScheme and NamedGroup (RFC 8446 sections 4.2.3 and 4.2.7). */
  readonly signature: number
  readonly group: number
}

const CURVES: Readonly<Record<string, Curve>> = {
  prime256v1: { signature: 0x0403, group: 23 },
  secp384r1: { signature: 0x0503, group: 24 },
  secp521r1: { signature: 0x0603, group: 25 },
}
const ECDSA_SIGNATURES: readonly number[] = Object.values(CURVES).map(({ signature }) => signature)
/** Of TLS 1.2, ours. */
const ECDSA_SUITES: readonly number[] = [0xc02b, 0xc02c, 0xcca9]
const TLS13 = 0x0304

/** `certificates` themselves where it is open or nothing is to be stapled. */
export function chooseByKey(certificates: readonly Certificate[], offer: KeyOffer, maxVersion: TlsVersion): readonly Certificate[] {
  if (certificates.length < 2 || certificates.every(({ staple }) => staple === undefined)) return certificates
  const curves = certificates.map((certificate) => keyOf(certificate))
  const ecdsa = certificates.find((_certificate, index) => canCheck(offer, CURVES[curves[index] ?? ''], maxVersion))
  if (ecdsa !== undefined) return [ecdsa]
  const rsa = certificates.find((_certificate, index) => curves[index] === 'rsa')
  const knowsNoEcdsa = offer.signatureAlgorithms.length > 0 && !ECDSA_SIGNATURES.some((each) => offer.signatureAlgorithms.includes(each))
  return knowsNoEcdsa && rsa !== undefined ? [rsa] : certificates
}

function canCheck({ versions, cipherSuites, signatureAlgorithms, groups }: KeyOffer, curve: Curve | undefined, maxVersion: TlsVersion): boolean {
  if (curve === undefined || !signatureAlgorithms.includes(curve.signature) || !groups.includes(curve.group)) return false
  return (maxVersion === 'TLSv1.3' && versions.includes(TLS13)) || ECDSA_SUITES.some((suite) => cipherSuites.includes(suite))
}

const keys = new WeakMap<Certificate, string>()

/** Name of the curve, or `rsa`. */
function keyOf(certificate: Certificate): string {
  let key = keys.get(certificate)
  if (key === undefined) {
    try {
      const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(certificate.certificate).publicKey
      key = asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType ?? ''
    } catch {
      key = ''
    }
    keys.set(certificate, key)
  }
  return key
}
