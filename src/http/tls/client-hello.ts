// The first message of a TLS client, read from the raw connection before any handshake, since it says which host the handshake is for.
// Strict and bounded (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2): what OpenSSL would have to guess at is refused. Knows no sockets.
import { isIP } from 'node:net'
import { ByteReader } from './byte-reader.ts'

export interface ClientHello {
  /** Lower case, without a trailing dot; undefined: none was named, or an address against RFC 6066. */
  readonly serverName: string | undefined
  readonly alpn: readonly string[]
  /** Code points such as 0x0304 for TLS 1.3; GREASE (RFC 8701) is left out here and below. */
  readonly versions: readonly number[]
  readonly cipherSuites: readonly number[]
  /** Empty: not said; so are `groups`. */
  readonly signatureAlgorithms: readonly number[]
  readonly groups: readonly number[]
}

export type HelloProblem = 'not-tls' | 'sslv2' | 'too-large' | 'malformed'

/** Of the message. Post-quantum key shares make it 2 KB; what is larger by far is no browser's. */
export const LONGEST_HELLO = 16 * 1024

const CLIENT_HELLO = 1
const SERVER_NAME = 0
const SUPPORTED_GROUPS = 10
const SIGNATURE_ALGORITHMS = 13
const ALPN = 16
const PRE_SHARED_KEY = 41
const SUPPORTED_VERSIONS = 43
const HOST_NAME = 0
const LONGEST_SESSION_ID = 32

/** From `start` to `end` is a whole handshake message with its header of 4 bytes. Undefined: malformed. */
export function parseClientHello(bytes: Buffer, start = 0, end = bytes.length): ClientHello | undefined {
  const reader = new ByteReader(bytes, start, end)
  if (reader.uint8() !== CLIENT_HELLO || reader.uint24() !== end - start - 4) return undefined
  const legacyVersion = reader.uint16()
  reader.skip(32)
  const sessionId = reader.vector8()
  const cipherSuites = codePoints(reader.vector16())
  const compression = reader.vector8()
  if (reader.failed || legacyVersion >> 8 !== 3 || sessionId.left > LONGEST_SESSION_ID) return undefined
  if (cipherSuites === undefined || cipherSuites.length === 0 || !hasNull(compression)) return undefined
  const hello: Draft = { serverName: undefined, alpn: [], versions: [legacyVersion], cipherSuites: withoutGrease(cipherSuites), signatureAlgorithms: [], groups: [] }
  // Extensions came with RFC 4366; a hello may end before them.
  if (reader.left === 0) return hello
  const extensions = reader.vector16()
  if (reader.failed || reader.left > 0 || !readExtensions(extensions, hello)) return undefined
  return hello
}

type Draft = { -readonly [Field in keyof ClientHello]: ClientHello[Field] }

function readExtensions(reader: ByteReader, hello: Draft): boolean {
  const seen = new Set<number>()
  while (reader.left > 0) {
    // RFC 8446 section 4.2.11: it is the last one, since its binders cover all before it.
    if (seen.has(PRE_SHARED_KEY)) return false
    const type = reader.uint16()
    const body = reader.vector16()
    if (reader.failed || seen.has(type) || !readExtension(type, body, hello)) return false
    seen.add(type)
  }
  return true
}

function readExtension(type: number, body: ByteReader, hello: Draft): boolean {
  switch (type) {
    case SERVER_NAME:
      return readServerName(body, hello)
    case ALPN: {
      const protocols = protocolNames(body)
      if (protocols === undefined) return false
      hello.alpn = protocols
      return true
    }
    case SUPPORTED_VERSIONS: {
      const versions = one(body, codePoints(body.vector8()))
      if (versions === undefined || versions.length === 0) return false
      hello.versions = withoutGrease(versions)
      return true
    }
    case SIGNATURE_ALGORITHMS: {
      const algorithms = one(body, codePoints(body.vector16()))
      if (algorithms === undefined || algorithms.length === 0) return false
      hello.signatureAlgorithms = withoutGrease(algorithms)
      return true
    }
    case SUPPORTED_GROUPS: {
      const groups = one(body, codePoints(body.vector16()))
      if (groups === undefined || groups.length === 0) return false
      hello.groups = withoutGrease(groups)
      return true
    }
    default:
      return true
  }
}

/** RFC 6066 section 3: one name a type, and host_name is the only type there is. */
function readServerName(body: ByteReader, hello: Draft): boolean {
  const list = body.vector16()
  const type = list.uint8()
  const entry = list.vector16()
  if (type !== HOST_NAME || [body, list, entry].some((reader) => reader.failed) || body.left > 0 || list.left > 0) return false
  const name = entry.text()
  const lower = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
  if (isAddress(lower)) return true
  if (!isHostName(lower)) return false
  hello.serverName = lower
  return true
}

const DIGIT_AT_END = /\d$/

function isAddress(name: string): boolean {
  return (DIGIT_AT_END.test(name) || name.includes(':')) && isIP(name) !== 0
}

const HOST_NAME_TEXT = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/

/** Underscores are about in names of machines, and harmless. */
function isHostName(name: string): boolean {
  return name.length <= 253 && HOST_NAME_TEXT.test(name)
}

/** RFC 7301 section 3.1. */
function protocolNames(body: ByteReader): readonly string[] | undefined {
  const list = body.vector16()
  if (body.failed || body.left > 0) return undefined
  const names: string[] = []
  while (list.left > 0) {
    const entry = list.vector8()
    if (list.failed || entry.left === 0) return undefined
    const name = entry.text()
    // RFC 8701 section 3.1: GREASE is two bytes here too.
    if (name.length !== 2 || !isGrease((name.charCodeAt(0) << 8) | name.charCodeAt(1))) names.push(name)
  }
  return list.failed ? undefined : names
}

/** `result` of what was read from `reader`; undefined also when there is more in it, or was less. */
function one<T>(reader: ByteReader, result: T | undefined): T | undefined {
  return reader.failed || reader.left > 0 ? undefined : result
}

function codePoints(reader: ByteReader): readonly number[] | undefined {
  if (reader.left % 2 !== 0) return undefined
  const values: number[] = []
  while (reader.left > 0) values.push(reader.uint16())
  return values
}

function hasNull(compression: ByteReader): boolean {
  while (compression.left > 0) if (compression.uint8() === 0) return true
  return false
}

function withoutGrease(values: readonly number[]): readonly number[] {
  return values.filter((value) => !isGrease(value))
}

function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}
