// How the text of an option becomes a value. Each parser throws ValueError with what it wants, in words that fit after the option's name.
import { isIP } from 'node:net'
import { isPrefix } from '../base/address-list.ts'
import { isCipherList, readTlsVersions, type TlsVersions } from '../model/tls.ts'

export class ValueError extends Error {}

export function port(text: string): number {
  const value = wholeNumber(text)
  if (value === undefined || value > 65_535) throw new ValueError(`wants a port from 0 to 65535 (0: any free port), got "${text}"`)
  return value
}

export function count(text: string): number {
  const value = wholeNumber(text)
  if (value === undefined) throw new ValueError(`wants a whole number, got "${text}"`)
  return value
}

export function positive(text: string): number {
  const value = wholeNumber(text)
  if (value === undefined || value === 0) throw new ValueError(`wants a whole number of at least 1, got "${text}"`)
  return value
}

/** From 0 to 100. */
export function percentage(text: string): number {
  const value = wholeNumber(text)
  if (value === undefined || value > 100) throw new ValueError(`wants a whole number from 0 to 100, got "${text}"`)
  return value
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `500ms`, `60s`, `5m`, `1h`; a bare number is seconds, as in ingress-nginx. Answers milliseconds. */
export function duration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)?$/.exec(text)
  if (!match?.[1]) throw new ValueError(`wants a duration such as 500ms, 60s or 5m, got "${text}"`)
  return Number(match[1]) * (MS_PER_UNIT[match[2] ?? 's'] ?? 1000)
}

/** Milliseconds, as `duration`. */
export function wholeSeconds(text: string): number {
  const ms = duration(text)
  if (ms === 0 || ms % 1000 !== 0) throw new ValueError(`wants whole seconds, 1s or more, got "${text}"`)
  return ms
}

const BYTES_PER_UNIT: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** `8k`, `1m`, `2g`, `512`. Answers bytes. */
export function size(text: string): number {
  const match = /^(\d{1,9})([kmg]?)b?$/i.exec(text)
  if (!match?.[1]) throw new ValueError(`wants a size such as 512, 8k or 1m, got "${text}"`)
  return Number(match[1]) * (BYTES_PER_UNIT[(match[2] ?? '').toLowerCase()] ?? 1)
}

/** A flow-control window of HTTP/2: RFC 9113 section 6.9.1. */
export function window(text: string): number {
  const bytes = size(text)
  if (bytes < 1 || bytes > 2 ** 31 - 1) throw new ValueError(`wants a size from 1 to 2147483647, got "${text}"`)
  return bytes
}

/** Go's ParseBool spellings, as ingress-nginx reads flags. */
export function boolean(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
  throw new ValueError(`wants true or false, got "${text}"`)
}

export function ipAddress(text: string): string {
  if (isIP(text) === 0) throw new ValueError(`wants an IP address to listen on, such as 127.0.0.1 or ::, got "${text}"`)
  return text
}

/** `192.0.2.53` or `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`. */
export function addressWithPort(text: string): string {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? []
  const [address, number] = digits === undefined ? [text, 1] : [bracketed ?? plain ?? '', Number(digits)]
  const family = isIP(address)
  if (family === 0 || number < 1 || number > 65_535 || (bracketed !== undefined) !== (digits !== undefined && family === 6)) {
    throw new ValueError(`wants an IP address, optionally with a port, such as 192.0.2.53:53 or [2001:db8::53]:53, got "${text}"`)
  }
  return text
}

/** A comma-separated list of IP addresses or host names. */
export function addressList(text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '')
  const bad = parts.find((part) => isIP(part) === 0 && !HOST_NAME.test(part))
  if (bad !== undefined || parts.length === 0) throw new ValueError(`wants IP addresses or host names separated by commas, got "${text}"`)
  return parts
}

/** Addresses and prefixes separated by commas. */
export function prefixList(text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '')
  const bad = parts.find((part) => !isPrefix(part))
  if (bad !== undefined || parts.length === 0) throw new ValueError(`wants addresses or prefixes such as 10.0.0.0/8,2001:db8::1 separated by commas, got "${bad ?? text}"`)
  return parts
}

/** Beginnings of paths separated by commas. */
export function pathList(text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '')
  const bad = parts.find((part) => !part.startsWith('/'))
  if (bad !== undefined || parts.length === 0) throw new ValueError(`wants paths that begin with / separated by commas, got "${bad ?? text}"`)
  return parts
}

/** Fields that the proxy reads or writes for another purpose, or that have another syntax. */
const NO_CHAIN = /^(?:forwarded|host|connection|content-length|transfer-encoding|upgrade|te|x-scheme|x-forwarded-(?!for$).*|x-original-.*)$/

/** Name of the field with the addresses of clients, lower case. */
export function chainField(text: string): string {
  const name = text.toLowerCase()
  if (!/^[a-z0-9!#$%&'*+.^`|~-]+$/.test(name) || NO_CHAIN.test(name)) throw new ValueError(`wants the name of a field with client addresses such as X-Forwarded-For, got "${text}"`)
  return name
}

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const HOST_NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`)
const NAMESPACED_NAME = new RegExp(`^${LABEL}/${LABEL}(\\.${LABEL})*$`)

/** `namespace/name`. */
export function namespacedName(text: string): string {
  if (!NAMESPACED_NAME.test(text)) throw new ValueError(`wants namespace/name, got "${text}"`)
  return text
}

/** Of a namespaced object. */
export function objectName(text: string): string {
  if (text.length > 253 || !HOST_NAME.test(text)) throw new ValueError(`wants a name such as narthex-leader, got "${text}"`)
  return text
}

/** A namespace, or several separated by commas; empty: all. */
export function namespace(text: string): string {
  if (text !== '' && !new RegExp(`^${LABEL}$`).test(text)) throw new ValueError(`wants the name of one namespace, got "${text}"`)
  return text
}

export function text(value: string): string {
  return value
}

export function nonEmpty(value: string): string {
  if (value.trim() === '') throw new ValueError('wants a value that is not empty')
  return value
}

/** An annotation prefix or controller name: a DNS name, optionally with a path. */
export function qualifiedName(value: string): string {
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(\/[-A-Za-z0-9._/]*[A-Za-z0-9])?$/.test(value)) {
    throw new ValueError(`wants a domain name, optionally followed by /name, got "${value}"`)
  }
  return value
}

/** `TLSv1.2 TLSv1.3`. */
export function tlsVersions(text: string): TlsVersions {
  const { wrong, ...versions } = readTlsVersions(text)
  if (wrong !== undefined) throw new ValueError(`wants versions without a gap, such as "TLSv1.2 TLSv1.3"; "${text}" ${wrong}`)
  return versions
}

/** As OpenSSL writes lists of ciphers. */
export function ciphers(text: string): string {
  if (!isCipherList(text)) throw new ValueError(`wants a list of ciphers that OpenSSL knows, got "${text}"`)
  return text
}

/** A field value for HTTP: visible ASCII, or empty. */
export function headerValue(value: string): string {
  if (!/^[\x21-\x7e]?([\x20-\x7e]*[\x21-\x7e])?$/.test(value)) throw new ValueError('wants visible ASCII characters only')
  return value
}

const REDIRECTS = [301, 302, 307, 308] as const

export function redirectStatus(text: string): (typeof REDIRECTS)[number] {
  const found = REDIRECTS.find((status) => String(status) === text)
  if (found === undefined) throw new ValueError(`wants one of ${REDIRECTS.join(', ')}, got "${text}"`)
  return found
}

export function choice<const T extends string>(...choices: readonly T[]): (text: string) => T {
  return (value) => {
    const found = choices.find((each) => each === value)
    if (found === undefined) throw new ValueError(`wants one of ${choices.join(', ')}, got "${value}"`)
    return found
  }
}

function wholeNumber(value: string): number | undefined {
  return /^\d{1,10}$/.test(value) ? Number(value) : undefined
}
