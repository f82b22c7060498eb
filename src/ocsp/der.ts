// The few pieces of a certificate that an OCSP request names by hash, cut out of its DER (X.690) as they stand there: a parser that
// writes them anew may change them. Only for certificates that OpenSSL has read already.

interface Element {
  readonly tag: number
  /** With its header. */
  readonly whole: Buffer
  readonly content: Buffer
}

/** The elements inside of one; throws RangeError where lengths do not fit. */
function elements(content: Buffer): readonly Element[] {
  const found: Element[] = []
  for (let at = 0; at < content.length; ) {
    const tag = content.readUInt8(at)
    const first = content.readUInt8(at + 1)
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f
    if (lengthBytes > 4 || first === 0x80) throw new RangeError('a length that DER has not')
    const length = lengthBytes === 0 ? first : content.readUIntBE(at + 2, lengthBytes)
    const start = at + 2 + lengthBytes
    if (start + length > content.length) throw new RangeError('a length beyond the end')
    found.push({ tag, whole: content.subarray(at, start + length), content: content.subarray(start, start + length) })
    at = start + length
  }
  return found
}

function only(bytes: Buffer): Element {
  const [element] = elements(bytes)
  if (element === undefined) throw new RangeError('nothing there')
  return element
}

const EXPLICIT_VERSION = 0xa0

/** Of a certificate (RFC 5280 section 4.1). `serialNumber`: content of the INTEGER; `issuer`: the Name. */
export function namesOf(certificate: Buffer): { readonly serialNumber: Buffer; readonly issuer: Buffer } {
  const body = elements(only(only(certificate).content).content)
  const [serialNumber, , issuer] = body[0]?.tag === EXPLICIT_VERSION ? body.slice(1) : body
  if (serialNumber === undefined || issuer === undefined) throw new RangeError('no certificate')
  return { serialNumber: serialNumber.content, issuer: issuer.whole }
}

/** The key itself of a SubjectPublicKeyInfo: content of the BIT STRING without its count of unused bits. */
export function keyBits(publicKeyInfo: Buffer): Buffer {
  const [, bits] = elements(only(publicKeyInfo).content)
  if (bits === undefined) throw new RangeError('no key')
  return bits.content.subarray(1)
}
