// Reads a PROXY protocol header from the first bytes of a connection, version 1 (text) or 2 (binary). Strict: what is not exactly
// as the specification has it is refused, since whoever may send a header chooses the client address that all else believes.
import { isIPv4, isIPv6 } from 'node:net'
import type { PeerAddress, ProxyHeader } from './header.ts'

/** Section 2.1: the longest line with its CRLF. */
const LONGEST_V1 = 107
/** Addresses and extensions (TLVs) after the 16 fixed bytes; the length field could say 65535. */
const LONGEST_V2_REST = 4096
/** What a reader has to keep at most before the header is complete or refused. */
export const LONGEST_PROXY_HEADER = 16 + LONGEST_V2_REST

const V1_PREFIX = Buffer.from('PROXY ')
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
const V2_FIXED = 16

const MORE: ProxyHeader = Object.freeze({ kind: 'more' })
const INVALID: ProxyHeader = Object.freeze({ kind: 'invalid' })

/**
 * Looks at `count` bytes from the start of `bytes`, all that has come so far; call it again with all of them when there are more.
 * Never throws, keeps no reference to `bytes`.
 */
export function parseProxyHeader(bytes: Buffer, count: number = bytes.length): ProxyHeader {
  if (beginsWith(bytes, count, V1_PREFIX)) return count < V1_PREFIX.length ? MORE : parseText(bytes, count)
  if (beginsWith(bytes, count, V2_SIGNATURE)) return count < V2_FIXED ? MORE : parseBinary(bytes, count)
  return INVALID
}

/** So far as both go. */
function beginsWith(bytes: Buffer, count: number, prefix: Buffer): boolean {
  const length = Math.min(count, prefix.length)
  return bytes.compare(prefix, 0, length, 0, length) === 0
}

function parseText(bytes: Buffer, count: number): ProxyHeader {
  const text = bytes.toString('latin1', 0, Math.min(count, LONGEST_V1))
  const end = text.indexOf('\r\n')
  if (end < 0) return count >= LONGEST_V1 ? INVALID : MORE
  const length = end + 2
  const [, family, from, to, fromPort, toPort, ...rest] = text.slice(0, end).split(' ')
  // Whatever stands behind UNKNOWN is to be ignored.
  if (family === 'UNKNOWN') return { kind: 'complete', length, proxied: undefined }
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined
  if (isAddress === undefined || rest.length > 0) return INVALID
  const source = peer(from, fromPort, isAddress)
  const destination = peer(to, toPort, isAddress)
  return source === undefined || destination === undefined ? INVALID : { kind: 'complete', length, proxied: { source, destination } }
}

/** No zone: `fe80::1%eth0` means nothing on another machine. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function peer(address: string | undefined, port: string | undefined, isAddress: (text: string) => boolean): PeerAddress | undefined {
  if (address === undefined || port === undefined || !isAddress(address) || !/^(?:0|[1-9]\d{0,4})$/.test(port)) return undefined
  const number = Number(port)
  return number > 65_535 ? undefined : { address, port: number }
}

function parseBinary(bytes: Buffer, count: number): ProxyHeader {
  const version = bytes.readUInt8(12)
  const family = bytes.readUInt8(13)
  const rest = bytes.readUInt16BE(14)
  if (version !== 0x20 && version !== 0x21) return INVALID
  if (rest > LONGEST_V2_REST) return INVALID
  const isLocal = version === 0x20
  const isUnspecified = family === 0x00
  const size = addressSize(family)
  // The family is ignored for LOCAL; a datagram or a UNIX socket behind a TCP connection is a sender's mistake.
  if (!isLocal && !isUnspecified && (size === 0 || rest < 2 * size + 4)) return INVALID
  const length = V2_FIXED + rest
  if (count < length) return MORE
  if (isLocal || isUnspecified) return { kind: 'complete', length, proxied: undefined }
  const addresses = [V2_FIXED, V2_FIXED + size].map((at) => addressText(bytes, at, size))
  const ports = V2_FIXED + 2 * size
  if (!areExtensions(bytes, ports + 4, length)) return INVALID
  return {
    kind: 'complete',
    length,
    proxied: {
      source: { address: addresses[0] ?? '', port: bytes.readUInt16BE(ports) },
      destination: { address: addresses[1] ?? '', port: bytes.readUInt16BE(ports + 2) },
    },
  }
}

/** Of one address over TCP; 0: none that we take. */
function addressSize(family: number): number {
  if (family === 0x11) return 4
  return family === 0x21 ? 16 : 0
}

function addressText(bytes: Buffer, at: number, size: number): string {
  if (size === 4) return `${bytes.readUInt8(at)}.${bytes.readUInt8(at + 1)}.${bytes.readUInt8(at + 2)}.${bytes.readUInt8(at + 3)}`
  return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(at + 2 * i).toString(16)).join(':')
}

/** Section 2.2: whole type-length-value triples up to the end. What they say is not read. */
function areExtensions(bytes: Buffer, start: number, end: number): boolean {
  let at = start
  while (at + 3 <= end) at += 3 + bytes.readUInt16BE(at + 1)
  return at === end
}
