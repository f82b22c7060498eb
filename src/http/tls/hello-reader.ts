// Gathers a ClientHello from a connection's first bytes: TLS records (RFC 8446 section 5.1) in whatever pieces they arrive. Each byte is
// looked at once. What was read is kept as it came, for whoever shakes hands afterwards.
import { LONGEST_HELLO, parseClientHello, type ClientHello, type HelloProblem } from './client-hello.ts'

export type HelloResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'invalid'; readonly problem: HelloProblem }
  | { readonly kind: 'hello'; readonly hello: ClientHello; /** All that was received, a buffer of its own. */ readonly bytes: Buffer }

const HANDSHAKE = 22
const RECORD_HEADER = 5
const MESSAGE_HEADER = 4
const LONGEST_FRAGMENT = 16_384
/** Headers included: of a message in many small records. Also what may follow the hello before it is answered. */
const MOST_BYTES = 4 * LONGEST_HELLO

const NOTHING = Buffer.alloc(0)
const FIRST_ROOM = 2048

const MORE: HelloResult = { kind: 'more' }

export class HelloReader {
  #received: Buffer = NOTHING
  #receivedLength = 0
  /** The next byte of `#received` to be looked at. */
  #position = 0
  #message: Buffer = NOTHING
  #messageLength = 0
  /** Of the record at `#position`; 0: its header comes first. */
  #fragmentLeft = 0

  /** Keeps nothing of `chunk`. After anything but `more` there is nothing to be received any more. */
  received(chunk: Buffer): HelloResult {
    if (this.#receivedLength === 0) {
      const result = atOnce(chunk)
      if (result !== undefined) return result
    }
    if (this.#receivedLength + chunk.length > MOST_BYTES) return invalid('too-large')
    this.#received = appended(this.#received, this.#receivedLength, chunk)
    this.#receivedLength += chunk.length
    for (;;) {
      if (this.#fragmentLeft === 0) {
        const problem = this.#problemOfHeader()
        if (problem !== undefined) return invalid(problem)
        if (this.#receivedLength - this.#position < RECORD_HEADER) return MORE
        this.#fragmentLeft = this.#received.readUInt16BE(this.#position + 3)
        this.#position += RECORD_HEADER
      }
      const count = Math.min(this.#fragmentLeft, this.#receivedLength - this.#position)
      if (count === 0) return MORE
      this.#message = appended(this.#message, this.#messageLength, this.#received.subarray(this.#position, this.#position + count))
      this.#messageLength += count
      this.#position += count
      this.#fragmentLeft -= count
      const result = this.#whole()
      if (result !== undefined) return result
    }
  }

  /** As early as its bytes allow, so that garbage is not waited for. */
  #problemOfHeader(): HelloProblem | undefined {
    const count = this.#receivedLength - this.#position
    const first = this.#messageLength === 0
    const [type, major] = [this.#received[this.#position], this.#received[this.#position + 1]]
    if (count > 0 && type !== HANDSHAKE) {
      if (!first) return 'malformed'
      // A header of two bytes whose first bit is set, then CLIENT-HELLO: RFC 5246 appendix E.2.
      return type !== undefined && type >= 0x80 && (count < 3 || this.#received[this.#position + 2] === 1) ? 'sslv2' : 'not-tls'
    }
    if (count > 1 && major !== 3) return first ? 'not-tls' : 'malformed'
    if (count < RECORD_HEADER) return undefined
    const length = this.#received.readUInt16BE(this.#position + 3)
    return length === 0 || length > LONGEST_FRAGMENT ? 'malformed' : undefined
  }

  #whole(): HelloResult | undefined {
    const message = this.#message.subarray(0, this.#messageLength)
    if (message.length > 0 && message[0] !== 1) return invalid('malformed')
    if (message.length < MESSAGE_HEADER) return undefined
    const length = message.readUIntBE(1, 3) + MESSAGE_HEADER
    if (length > LONGEST_HELLO) return invalid('too-large')
    if (message.length < length) return undefined
    // Nothing may follow before it is answered, least of all in its own record.
    const hello = message.length > length || this.#fragmentLeft > 0 ? undefined : parseClientHello(message)
    if (hello === undefined) return invalid('malformed')
    return { kind: 'hello', hello, bytes: this.#received.subarray(0, this.#receivedLength) }
  }
}

/** Nearly all hellos are one record that arrives in one piece. Undefined: this one is something else, or not all of it is there. */
function atOnce(chunk: Buffer): HelloResult | undefined {
  const length = chunk.length - RECORD_HEADER
  if (chunk[0] !== HANDSHAKE || chunk[1] !== 3 || length <= MESSAGE_HEADER || length > LONGEST_HELLO || chunk.readUInt16BE(3) !== length) return undefined
  const bytes = Buffer.from(chunk)
  const hello = parseClientHello(bytes, RECORD_HEADER)
  return hello === undefined ? undefined : { kind: 'hello', hello, bytes }
}

function invalid(problem: HelloProblem): HelloResult {
  return { kind: 'invalid', problem }
}

function appended(buffer: Buffer, length: number, chunk: Buffer): Buffer {
  let room = buffer
  if (length + chunk.length > buffer.length) {
    room = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + chunk.length, FIRST_ROOM))
    buffer.copy(room, 0, 0, length)
  }
  chunk.copy(room, length)
  return room
}
