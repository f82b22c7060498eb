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

/** `message` is a whole handshake message with its header of 4 bytes. Undefined: malformed. */
export function parseClientHello(message: Buffer): ClientHello | undefined {
  const reader = new ByteReader(message)
  if (reader.uint8() !== CLIENT_HELLO || reader.uint24() !== message.length - 4) return undefined
  const legacyVersion = reader.uint16()
  reader.skip(32)
  const sessionId = reader.vector8()
  const cipherSuites = codePoints(reader.vector16())
  const compression = reader.vector8()
  if (reader.failed || legacyVersion >> 8 !== 3 || sessionId.length > LONGEST_SESSION_ID) return undefined
  if (cipherSuites === undefined || cipherSuites.length === 0 || !compression.includes(0)) return undefined
  const hello: Draft = { serverName: undefined, alpn: [], versions: [legacyVersion], cipherSuites: withoutGrease(cipherSuites), signatureAlgorithms: [], groups: [] }
  // Extensions came with RFC 4366; a hello may end before them.
  if (reader.left === 0) return hello
  const extensions = new ByteReader(reader.vector16())
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

function readExtension(type: number, body: Buffer, hello: Draft): boolean {
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
      const versions = whole(body, (reader) => codePoints(reader.vector8()))
      if (versions === undefined || versions.length === 0) return false
      hello.versions = withoutGrease(versions)
      return true
    }
    case SIGNATURE_ALGORITHMS: {
      const algorithms = whole(body, (reader) => codePoints(reader.vector16()))
      if (algorithms === undefined || algorithms.length === 0) return false
      hello.signatureAlgorithms = withoutGrease(algorithms)
      return true
    }
    case SUPPORTED_GROUPS: {
      const groups = whole(body, (reader) => codePoints(reader.vector16()))
      if (groups === undefined || groups.length === 0) return false
      hello.groups = withoutGrease(groups)
      return true
    }
    default:
      return true
  }
}

/** RFC 6066 section 3: one name a type, and host_name is the only type there is. */
function readServerName(body: Buffer, hello: Draft): boolean {
  const name = whole(body, (list) =>
    whole(list.vector16(), (entry) => (entry.uint8() === HOST_NAME ? entry.vector16().toString('latin1') : undefined)),
  )
  if (name === undefined) return false
  const lower = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
  if (isIP(lower) !== 0) return true
  if (!isHostName(lower)) return false
  hello.serverName = lower
  return true
}

/** Underscores are about in names of machines, and harmless. */
function isHostName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(name)
}

/** RFC 7301 section 3.1. */
function protocolNames(body: Buffer): readonly string[] | undefined {
  return whole(body, (reader) => {
    const list = new ByteReader(reader.vector16())
    const names: string[] = []
    while (list.left > 0) {
      const name = list.vector8()
      if (name.length === 0) return undefined
      // RFC 8701 section 3.1: GREASE is two bytes here too.
      if (name.length !== 2 || !isGrease(name.readUInt16BE())) names.push(name.toString('latin1'))
    }
    return list.failed ? undefined : names
  })
}

/** What `read` makes of `bytes`; undefined also when it leaves some of them or wants more. */
function whole<T>(bytes: Buffer, read: (reader: ByteReader) => T | undefined): T | undefined {
  const reader = new ByteReader(bytes)
  const result = read(reader)
  return reader.failed || reader.left > 0 ? undefined : result
}

function codePoints(bytes: Buffer): readonly number[] | undefined {
  if (bytes.length % 2 !== 0) return undefined
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2))
}

function withoutGrease(values: readonly number[]): readonly number[] {
  return values.filter((value) => !isGrease(value))
}

function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}
