// The first message of a TLS client, read from the raw connection before any handshake, since it says which host the handshake is for.
// Strict and bounded (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2): what OpenSSL would have to guess at is refused. Knows no sockets.
import { isIP } from 'node:net'

export type HelloProblem = 'not-tls' | 'sslv2' | 'too-large' | 'malformed'

/** Of the message. Post-quantum key shares make it 2 KB; what is larger by far is no browser's. */
export const LONGEST_HELLO = 16 * 1024

/** Lists are kept as the places where they are, and only made of them when asked for: nearly every handshake does without. */
export class ClientHello {
  /** Lower case, without a trailing dot; undefined: none was named, or an address against RFC 6066. */
  readonly serverName: string | undefined
  readonly #bytes: Buffer
  readonly #places: Places

  /** `bytes` must stay as they are. */
  constructor(bytes: Buffer, places: Places) {
    this.serverName = places.serverName
    this.#bytes = bytes
    this.#places = places
  }

  get alpn(): readonly string[] {
    return protocolNames(this.#bytes, this.#places.alpn, this.#places.alpnEnd)
  }

  /** Code points such as 0x0304 for TLS 1.3; GREASE (RFC 8701) is left out here and below. */
  get versions(): readonly number[] {
    const { legacyVersion, versions, versionsEnd } = this.#places
    return versionsEnd === 0 ? [legacyVersion] : codePoints(this.#bytes, versions, versionsEnd)
  }

  get cipherSuites(): readonly number[] {
    return codePoints(this.#bytes, this.#places.suites, this.#places.suitesEnd)
  }

  /** Empty: not said; so are `groups`. */
  get signatureAlgorithms(): readonly number[] {
    return codePoints(this.#bytes, this.#places.signatures, this.#places.signaturesEnd)
  }

  get groups(): readonly number[] {
    return codePoints(this.#bytes, this.#places.groups, this.#places.groupsEnd)
  }
}

/** Of what a list consists, without its length; both 0: it is not there. */
interface Places {
  legacyVersion: number
  serverName: string | undefined
  suites: number
  suitesEnd: number
  alpn: number
  alpnEnd: number
  versions: number
  versionsEnd: number
  signatures: number
  signaturesEnd: number
  groups: number
  groupsEnd: number
}

const CLIENT_HELLO = 1
const SERVER_NAME = 0
const SUPPORTED_GROUPS = 10
const SIGNATURE_ALGORITHMS = 13
const ALPN = 16
const PRE_SHARED_KEY = 41
const SUPPORTED_VERSIONS = 43
const HOST_NAME = 0
const LONGEST_SESSION_ID = 32
/** Message header, version, random. */
const BEFORE_SESSION_ID = 4 + 2 + 32

/** From `start` to `end` is a whole handshake message with its header of 4 bytes, which stays as it is. Undefined: malformed. */
export function parseClientHello(bytes: Buffer, start = 0, end = bytes.length): ClientHello | undefined {
  const sessionId = start + BEFORE_SESSION_ID
  const sessionIdEnd = vector8(bytes, sessionId, end)
  if (sessionIdEnd < 0 || bytes[start] !== CLIENT_HELLO || bytes.readUIntBE(start + 1, 3) !== end - start - 4) return undefined
  const legacyVersion = bytes.readUInt16BE(start + 4)
  if (legacyVersion >> 8 !== 3 || sessionIdEnd - sessionId - 1 > LONGEST_SESSION_ID) return undefined
  const suitesEnd = vector16(bytes, sessionIdEnd, end)
  if (!isList(sessionIdEnd + 2, suitesEnd)) return undefined
  const compressionEnd = vector8(bytes, suitesEnd, end)
  if (compressionEnd < 0 || !hasNull(bytes, suitesEnd + 1, compressionEnd)) return undefined
  const places: Places = { legacyVersion, serverName: undefined, suites: sessionIdEnd + 2, suitesEnd, alpn: 0, alpnEnd: 0, versions: 0, versionsEnd: 0, signatures: 0, signaturesEnd: 0, groups: 0, groupsEnd: 0 }
  // Extensions came with RFC 4366; a hello may end before them.
  if (compressionEnd < end && (vector16(bytes, compressionEnd, end) !== end || !readExtensions(bytes, compressionEnd + 2, end, places))) return undefined
  return new ClientHello(bytes, places)
}

/** For each type of extension the number of the hello that had it last: a set that need not be made for each. */
const seen = new Uint16Array(0x10000)
let hellos = 0

function readExtensions(bytes: Buffer, start: number, end: number, places: Places): boolean {
  if (++hellos > 0xffff) {
    seen.fill(0)
    hellos = 1
  }
  let position = start
  while (position < end) {
    // RFC 8446 section 4.2.11: it is the last one, since its binders cover all before it.
    if (seen[PRE_SHARED_KEY] === hellos) return false
    const bodyEnd = vector16(bytes, position + 2, end)
    if (bodyEnd < 0) return false
    const type = bytes.readUInt16BE(position)
    if (seen[type] === hellos || !readExtension(type, bytes, position + 4, bodyEnd, places)) return false
    seen[type] = hellos
    position = bodyEnd
  }
  return true
}

function readExtension(type: number, bytes: Buffer, start: number, end: number, places: Places): boolean {
  switch (type) {
    case SERVER_NAME:
      return readServerName(bytes, start, end, places)
    case ALPN:
      places.alpn = start + 2
      places.alpnEnd = end
      return vector16(bytes, start, end) === end && areProtocolNames(bytes, start + 2, end)
    case SUPPORTED_VERSIONS:
      places.versions = start + 1
      places.versionsEnd = end
      return vector8(bytes, start, end) === end && isList(start + 1, end)
    case SIGNATURE_ALGORITHMS:
      places.signatures = start + 2
      places.signaturesEnd = end
      return vector16(bytes, start, end) === end && isList(start + 2, end)
    case SUPPORTED_GROUPS:
      places.groups = start + 2
      places.groupsEnd = end
      return vector16(bytes, start, end) === end && isList(start + 2, end)
    default:
      return true
  }
}

/** RFC 6066 section 3: one name a type, and host_name is the only type there is. */
function readServerName(bytes: Buffer, start: number, end: number, places: Places): boolean {
  if (vector16(bytes, start, end) !== end || vector16(bytes, start + 3, end) !== end || bytes[start + 2] !== HOST_NAME) return false
  const name = bytes.toString('latin1', start + 5, end)
  if (name !== lastName) {
    const lower = withoutDot(name).toLowerCase()
    const isNone = isAddress(lower)
    if (!isNone && !isHostName(lower)) return false
    lastName = name
    lastServerName = isNone ? undefined : lower
  }
  places.serverName = lastServerName
  return true
}

/** Clients of one host come one after the other, and what asks for the host by this string need not hash it anew. */
let lastName: string | undefined
let lastServerName: string | undefined

/** Of a name that may be written as a rooted one. */
export function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
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
function areProtocolNames(bytes: Buffer, start: number, end: number): boolean {
  let position = start
  while (position >= 0 && position < end) position = bytes[position] === 0 ? -1 : vector8(bytes, position, end)
  return position === end
}

function protocolNames(bytes: Buffer, start: number, end: number): readonly string[] {
  const names: string[] = []
  for (let position = start; position < end; position = vector8(bytes, position, end)) {
    const name = bytes.toString('latin1', position + 1, vector8(bytes, position, end))
    // RFC 8701 section 3.1: GREASE is two bytes here too.
    if (name.length !== 2 || !isGrease((name.charCodeAt(0) << 8) | name.charCodeAt(1))) names.push(name)
  }
  return names
}

/** Where the vector (RFC 8446 section 3) ends whose length, of one byte, is at `start`; negative: not before `end`. */
function vector8(bytes: Buffer, start: number, end: number): number {
  if (start + 1 > end) return -1
  const vectorEnd = start + 1 + bytes.readUInt8(start)
  return vectorEnd > end ? -1 : vectorEnd
}

function vector16(bytes: Buffer, start: number, end: number): number {
  if (start + 2 > end) return -1
  const vectorEnd = start + 2 + bytes.readUInt16BE(start)
  return vectorEnd > end ? -1 : vectorEnd
}

/** Of code points, at least one. */
function isList(start: number, end: number): boolean {
  return end > start && (end - start) % 2 === 0
}

function codePoints(bytes: Buffer, start: number, end: number): readonly number[] {
  const values: number[] = []
  for (let position = start; position < end; position += 2) {
    const value = bytes.readUInt16BE(position)
    if (!isGrease(value)) values.push(value)
  }
  return values
}

function hasNull(bytes: Buffer, start: number, end: number): boolean {
  for (let position = start; position < end; position++) if (bytes[position] === 0) return true
  return false
}

function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}
