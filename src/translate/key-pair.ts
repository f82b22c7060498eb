// Reading a certificate and its key from PEM: what is wrong is said exactly, and the key's text never leaves this file but in the result.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

export interface KeyPair {
  /** PEM, leaf first, each followed by its issuer as far as the file has it. */
  readonly certificate: string
  readonly privateKey: string
  /** Lower-case DNS names and IP literals of the leaf. */
  readonly names: readonly string[]
  /** As node:crypto names it: `rsa`, `ec`. */
  readonly keyType: string
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  /** SHA-256 of the leaf, hex with colons. */
  readonly fingerprint: string
  /** http URL of its OCSP responder. */
  readonly responder: string | undefined
  readonly mustStaple: boolean
  /** The file had the certificates in another order. */
  readonly reordered: boolean
}

export interface Broken {
  /** A clause: `tls.key is encrypted`. */
  readonly wrong: string
  readonly fix: string
}

const LONGEST_CHAIN = 20
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** Never throws. */
export function readKeyPair(certificatePem: string | undefined, keyPem: string | undefined): KeyPair | Broken {
  try {
    return readParts(certificatePem, keyPem)
  } catch {
    // OpenSSL parses some certificates whose parts it then can't give out: unknown curves, broken dates.
    return { wrong: 'its certificate or key is of a kind that can’t be used', fix: 'Check it with: openssl x509 -in tls.crt -noout -text' }
  }
}

function readParts(certificatePem: string | undefined, keyPem: string | undefined): KeyPair | Broken {
  const chain = readChain(certificatePem)
  if ('wrong' in chain) return chain
  const key = readKey(keyPem)
  if ('wrong' in key) return key
  const leaf = chain.find((certificate) => certificate.checkPrivateKey(key.key))
  if (leaf === undefined) {
    const subject = oneLine(chain[0]?.subject)
    return {
      wrong: `tls.key is not the key of the certificate in tls.crt (${subject}, ${describeKey(chain[0]?.publicKey)}; the key is ${describeKey(key.key)})`,
      fix: 'Store the key that the certificate was issued for, or the certificate that was issued for this key.',
    }
  }
  const ordered = orderChain(leaf, chain)
  const [notBefore, notAfter] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) return { wrong: 'the dates of its certificate can’t be read', fix: 'Check it with: openssl x509 -in tls.crt -noout -dates' }
  const pem = ordered.map((certificate) => certificate.toString().trimEnd()).join('\n')
  return {
    certificate: `${pem}\n`,
    privateKey: key.pem,
    names: namesOf(leaf),
    keyType: key.key.asymmetricKeyType ?? '',
    notBefore,
    notAfter,
    fingerprint: leaf.fingerprint256,
    responder: responderOf(leaf),
    mustStaple: leaf.raw.includes(MUST_STAPLE),
    reordered: ordered.some((certificate, index) => certificate !== chain[index]),
  }
}

function readChain(pem: string | undefined): readonly X509Certificate[] | Broken {
  const fix = 'Store PEM text there: kubectl create secret tls NAME --cert=tls.crt --key=tls.key'
  if (pem === undefined || pem.trim() === '') return { wrong: pem === undefined ? 'it has no tls.crt' : 'tls.crt is empty', fix }
  const blocks = pem.match(CERTIFICATE_BLOCK) ?? []
  if (blocks.length === 0) {
    const isKey = pem.includes('PRIVATE KEY-----')
    return { wrong: isKey ? 'tls.crt holds a private key instead of a certificate' : 'tls.crt holds no PEM certificate', fix: isKey ? 'Exchange tls.crt and tls.key.' : fix }
  }
  if (blocks.length > LONGEST_CHAIN) return { wrong: `tls.crt holds ${blocks.length} certificates`, fix: `Store the leaf and its intermediates only, ${LONGEST_CHAIN} at most.` }
  const chain: X509Certificate[] = []
  for (const [index, block] of blocks.entries()) {
    try {
      const certificate = new X509Certificate(block)
      // A repeated certificate has no meaning in a chain.
      if (!chain.some((known) => known.fingerprint256 === certificate.fingerprint256)) chain.push(certificate)
    } catch {
      return { wrong: `certificate ${index + 1} in tls.crt can’t be read`, fix: 'Check it with: openssl x509 -in tls.crt -noout -text' }
    }
  }
  return chain
}

const KEY_TYPES: ReadonlySet<string> = new Set(['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448'])
/** Shorter RSA keys are refused by OpenSSL's default security level, and the handshake would fail. */
const SHORTEST_RSA = 2048

function readKey(pem: string | undefined): { readonly key: KeyObject; readonly pem: string } | Broken {
  const fix = 'Store the unencrypted PEM key there: kubectl create secret tls NAME --cert=tls.crt --key=tls.key'
  if (pem === undefined || pem.trim() === '') return { wrong: pem === undefined ? 'it has no tls.key' : 'tls.key is empty', fix }
  if (!pem.includes('PRIVATE KEY-----')) {
    const isCertificate = pem.includes('BEGIN CERTIFICATE-----')
    return { wrong: isCertificate ? 'tls.key holds a certificate instead of a key' : 'tls.key holds no PEM private key', fix: isCertificate ? 'Exchange tls.crt and tls.key.' : fix }
  }
  if (pem.includes('BEGIN ENCRYPTED PRIVATE KEY-----') || pem.includes('Proc-Type: 4,ENCRYPTED')) {
    return { wrong: 'tls.key is encrypted, and there is no passphrase for it', fix: 'Store it decrypted: openssl pkey -in tls.key -out plain.key' }
  }
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // OpenSSL's text might quote its input, so none of it goes into a message.
    return { wrong: 'tls.key can’t be read', fix: 'Check it with: openssl pkey -in tls.key -noout -check' }
  }
  const type = key.asymmetricKeyType ?? 'unknown'
  if (!KEY_TYPES.has(type)) return { wrong: `tls.key is of type ${type}, which TLS can’t use`, fix: 'Issue a certificate for an RSA, ECDSA or Ed25519 key.' }
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < SHORTEST_RSA) {
    return { wrong: `its RSA key has ${bits} bits, too few for TLS today`, fix: `Issue a certificate for an RSA key of ${SHORTEST_RSA} bits or more, or an ECDSA key.` }
  }
  return { key, pem }
}

/** From the leaf upwards; certificates that do not belong to the chain are left out. */
function orderChain(leaf: X509Certificate, all: readonly X509Certificate[]): readonly X509Certificate[] {
  const ordered = [leaf]
  let last = leaf
  for (;;) {
    const issuer = all.find((candidate) => !ordered.includes(candidate) && last.checkIssued(candidate))
    if (issuer === undefined) return ordered
    ordered.push(issuer)
    last = issuer
  }
}

/** The object identifier of the extension, as it stands in DER. */
const MUST_STAPLE = Buffer.from('06082b06010505070118', 'hex')
const LONGEST_URL = 512

/** Node quotes a location that holds a separator. */
function responderOf({ infoAccess }: X509Certificate): string | undefined {
  const url = /^OCSP - URI:(http:[\x21-\x7e]+)$/im.exec(infoAccess ?? '')?.[1]
  if (url === undefined || url.length > LONGEST_URL || !URL.canParse(url)) return undefined
  const { username, password } = new URL(url)
  return username === '' && password === '' ? url : undefined
}

/** The alternative names; of a certificate without any, the common name, as OpenSSL matches it. */
function namesOf(certificate: X509Certificate): readonly string[] {
  const names = new Set<string>()
  for (const entry of splitAlternativeNames(certificate.subjectAltName ?? '')) {
    if (entry.startsWith('DNS:')) names.add(entry.slice(4).toLowerCase())
    else if (entry.startsWith('IP Address:') && isIP(entry.slice(11)) !== 0) names.add(entry.slice(11).toLowerCase())
  }
  if (names.size === 0) {
    const common = /^CN=(.+)$/m.exec(certificate.subject)?.[1]
    if (common !== undefined) names.add(common.toLowerCase())
  }
  return [...names].filter((name) => name.length <= 253 && !/[\s"]/.test(name))
}

/** Node quotes an entry that holds a separator (`DNS:"a, DNS:b"`), so that one name can't pose as two. */
function splitAlternativeNames(text: string): readonly string[] {
  return text.match(/[^\s,"][^,"]*(?:"(?:[^"\\]|\\.)*")?/g) ?? []
}

function describeKey(key: KeyObject | undefined): string {
  const bits = key?.asymmetricKeyDetails?.modulusLength
  return `${(key?.asymmetricKeyType ?? 'unknown').toUpperCase()}${bits === undefined ? '' : ` ${bits}`}`
}

function oneLine(text: string | undefined): string {
  return (text ?? 'no subject').replace(/\s*\n\s*/g, ', ').slice(0, 120)
}
