// OCSP requests and responses (RFC 6960): what is asked, and whether an answer may be believed. Pure; loaded when first needed, since
// the ASN.1 library takes a tenth of a second.
import { createHash, verify, X509Certificate, type KeyObject } from 'node:crypto'
import { BasicOCSPResponse, CertID, id_pkix_ocsp_basic, OCSPRequest, OCSPResponse, OCSPResponseStatus, Request, TBSRequest, type SingleResponse } from '@peculiar/asn1-ocsp'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import { AlgorithmIdentifier } from '@peculiar/asn1-x509'
import { keyBits, namesOf } from './der.ts'

export interface Question {
  readonly issuer: X509Certificate
  readonly id: CertificateId
  /** DER. */
  readonly request: Buffer
}

interface CertificateId {
  readonly nameHash: Buffer
  readonly keyHash: Buffer
  readonly serialNumber: Buffer
}

export type Verdict =
  /** Times in milliseconds since the epoch. */
  | { readonly kind: 'good'; readonly until: number }
  | { readonly kind: 'revoked'; readonly at: number }
  /** Not to be believed, or not said; a clause. */
  | { readonly kind: 'wrong'; readonly reason: string }

const SHA1 = '1.3.14.3.2.26'
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'
/** Names the hash; undefined: Ed25519 has its own. What is not here, SHA-1 above all, is not believed. */
const SIGNATURES: ReadonlyMap<string, string | undefined> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.3.101.112', undefined],
])
const MOST_SIGNERS = 5
/** Clocks differ. */
const SKEW_MS = 300_000
/** Of a response that does not say when there will be a newer one. */
const WITHOUT_END_MS = 3_600_000

const sha1 = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest()
const bytesOf = (buffer: ArrayBuffer): Buffer => Buffer.from(buffer)

/** `chain`: PEM, leaf first. Undefined: its issuer is not in it, so there is nothing to ask and nobody to believe. */
export function questionOf(chain: string): Question | undefined {
  const [leaf, issuer] = (chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).slice(0, 2).map((block) => new X509Certificate(block))
  if (leaf === undefined || issuer === undefined || !leaf.checkIssued(issuer) || !leaf.verify(issuer.publicKey)) return undefined
  const { serialNumber, issuer: name } = namesOf(leaf.raw)
  const id = { nameHash: sha1(name), keyHash: sha1(keyBits(spki(issuer.publicKey))), serialNumber }
  // SHA-1 as in every request there is (RFC 5019 section 2.1.1): it only names the issuer.
  const reqCert = new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA1, parameters: null }),
    issuerNameHash: new OctetString(id.nameHash),
    issuerKeyHash: new OctetString(id.keyHash),
    serialNumber: new Uint8Array(id.serialNumber).buffer,
  })
  const request = new OCSPRequest({ tbsRequest: new TBSRequest({ requestList: [new Request({ reqCert })] }) })
  return { issuer, id, request: bytesOf(AsnConvert.serialize(request)) }
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

/** Never throws. `now` in milliseconds since the epoch. */
export function judge(response: Buffer, { issuer, id }: Question, now: number): Verdict {
  try {
    return read(response, issuer, id, now)
  } catch {
    return wrong('it is no OCSP response')
  }
}

function wrong(reason: string): Verdict {
  return { kind: 'wrong', reason }
}

function read(der: Buffer, issuer: X509Certificate, id: CertificateId, now: number): Verdict {
  const { responseStatus, responseBytes } = AsnConvert.parse(der, OCSPResponse)
  if (responseStatus !== OCSPResponseStatus.successful) return wrong(`the responder says ${OCSPResponseStatus[responseStatus] ?? 'something unknown'}`)
  if (responseBytes?.responseType !== id_pkix_ocsp_basic) return wrong('it is of an unknown type')
  const basic = AsnConvert.parse(responseBytes.response.buffer, BasicOCSPResponse)
  if (!isSigned(basic, issuer, now)) return wrong('it is not signed by the issuer of the certificate or somebody in its place')
  const single = basic.tbsResponseData.responses.find((each) => isFor(each, id))
  if (single === undefined) return wrong('it is not about the certificate')
  const { certStatus, thisUpdate, nextUpdate } = single
  if (thisUpdate.getTime() > now + SKEW_MS) return wrong('it is of the future')
  const until = nextUpdate === undefined ? thisUpdate.getTime() + WITHOUT_END_MS : nextUpdate.getTime()
  if (until <= now) return wrong('it has expired')
  if (certStatus.revoked !== undefined) return { kind: 'revoked', at: certStatus.revoked.revocationTime.getTime() }
  return certStatus.good === undefined ? wrong('the responder does not know the certificate') : { kind: 'good', until }
}

/** A hash of another kind than was asked by is no answer. */
function isFor({ certID }: SingleResponse, { nameHash, keyHash, serialNumber }: CertificateId): boolean {
  return (
    certID.hashAlgorithm.algorithm === SHA1 &&
    nameHash.equals(bytesOf(certID.issuerNameHash.buffer)) &&
    keyHash.equals(bytesOf(certID.issuerKeyHash.buffer)) &&
    serialNumber.equals(bytesOf(certID.serialNumber))
  )
}

function isSigned({ tbsResponseDataRaw, signatureAlgorithm, signature, certs = [] }: BasicOCSPResponse, issuer: X509Certificate, now: number): boolean {
  if (tbsResponseDataRaw === undefined || !SIGNATURES.has(signatureAlgorithm.algorithm)) return false
  const hash = SIGNATURES.get(signatureAlgorithm.algorithm)
  const isBy = (signer: X509Certificate): boolean => {
    try {
      return verify(hash, bytesOf(tbsResponseDataRaw), signer.publicKey, bytesOf(signature))
    } catch {
      return false
    }
  }
  if (isBy(issuer)) return true
  return certs.slice(0, MOST_SIGNERS).some((each) => {
    const signer = new X509Certificate(bytesOf(AsnConvert.serialize(each)))
    return mayStandIn(signer, issuer, now) && isBy(signer)
  })
}

/** RFC 6960 section 4.2.2.2: issued by the very issuer, for this purpose. */
function mayStandIn(signer: X509Certificate, issuer: X509Certificate, now: number): boolean {
  const isValid = Date.parse(signer.validFrom) <= now + SKEW_MS && Date.parse(signer.validTo) > now
  // Undefined, whatever Node's types say, without the extension.
  const purposes: readonly string[] | undefined = signer.keyUsage
  return isValid && purposes?.includes(OCSP_SIGNING) === true && signer.checkIssued(issuer) && signer.verify(issuer.publicKey)
}
