// A distinguished name as text: from the lines that node:crypto gives to RFC 2253, as `openssl x509 -nameopt RFC2253` and nginx write it.

/** `C=DE\nO=Example\nCN=a` becomes `CN=a,O=Example,C=DE`. ASCII: bytes of other characters are escaped as `\C3\A9`. */
export function rfc2253(lines: string): string {
  // Node has escaped separators, quotes and control characters in the values, so line ends and ` + ` are its own.
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .toReversed()
    // openssl turns the parts of a multi-valued one as well.
    .map((line) => line.split(' + ').toReversed().join('+').replace(/[^\x20-\x7e]/gu, escaped))
    .join(',')
}

function escaped(character: string): string {
  return [...Buffer.from(character, 'utf8')].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
