// Many certificates of many names in little time: copies of one that openssl has made, each with another name, signed anew.
import { createPrivateKey, sign } from 'node:crypto'

/** Of `template` (PEM, ECDSA with SHA-256) and its key; every occurrence of `name` becomes one of `names`, which are as long. */
export function* signedCopies(template: string, key: string, name: string, names: Iterable<string>): Generator<string> {
  const der = Buffer.from(template.replace(/-----[^-]+-----/g, ''), 'base64')
  const body = element(der, element(der, 0).content)
  const algorithm = element(der, body.end)
  const privateKey = createPrivateKey(key)
  const text = der.subarray(body.start, body.end).toString('latin1')
  for (const each of names) {
    const signed = Buffer.from(text.replaceAll(name, each), 'latin1')
    const signature = sign('sha256', signed, privateKey)
    const parts = Buffer.concat([signed, der.subarray(algorithm.start, algorithm.end), header(0x03, signature.length + 1), Buffer.from([0]), signature])
    const base64 = Buffer.concat([header(0x30, parts.length), parts]).toString('base64')
    yield `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`
  }
}

function element(der: Buffer, start: number): { readonly start: number; readonly content: number; readonly end: number } {
  const first = der.readUInt8(start + 1)
  const bytes = first < 0x80 ? 0 : first & 0x7f
  const content = start + 2 + bytes
  return { start, content, end: content + (bytes === 0 ? first : der.readUIntBE(start + 2, bytes)) }
}

function header(tag: number, length: number): Buffer {
  return length < 0x80 ? Buffer.from([tag, length]) : length < 0x100 ? Buffer.from([tag, 0x81, length]) : Buffer.from([tag, 0x82, length >> 8, length & 0xff])
}
