// Gathers what goes out on a socket during one turn into as few writes as can be: heads and small bodies are one latin1 string.
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { HeldParts } from './held-parts.ts'
import { latin1 } from './latin1.ts'
import type { ReadBuffers } from './read-buffers.ts'
import type { Gathered, WriteTurn } from './write-turn.ts'

/** Up to this many bytes are cheaper to carry along in the string than to write on their own. */
const SMALL = 4096
/** Text gathered before it is written without waiting for `flush`. */
const MOST_TEXT = 16 * 1024
/** Bytes in large parts gathered before they are written without waiting for the end of the turn. */
const MOST_HELD = 256 * 1024

export class SocketWriter implements Gathered {
  /** Bytes handed over since the owner last set it. */
  written = 0
  /** See `beginPiece`. */
  pieceStart = 0
  /** Goes out before the text. */
  #held: HeldParts | undefined
  #text = ''
  readonly #socket: Socket
  #gathered = false
  readonly #buffers: ReadBuffers
  readonly #turn: WriteTurn

  constructor(socket: Socket, buffers: ReadBuffers, turn: WriteTurn) {
    this.#socket = socket
    this.#buffers = buffers
    this.#turn = turn
  }

  /** latin1. */
  text(text: string): void {
    this.written += text.length
    this.#text = this.#text === '' ? text : this.#text + text
    if (this.#text.length > MOST_TEXT) this.flush()
  }

  /** The shared read buffer may be used again at once; any other one is the socket's until it is written. */
  bytes(buffer: Buffer, start: number, end: number, before = '', after = ''): void {
    const size = end - start
    if (size <= SMALL) {
      this.text(before + latin1(buffer, start, end) + after)
      return
    }
    if (before === '' && after === '' && buffer !== this.#buffers.shared) {
      this.written += size
      this.#hold(buffer, start, end)
      return
    }
    this.#text += before
    this.written += before.length
    const whole = this.beginPiece(size + after.length)
    let position = this.pieceStart
    position += buffer.copy(whole, position, start, end)
    if (after !== '') position += whole.write(after, position, 'latin1')
    this.endPiece(whole, position)
  }

  /** For who puts a large copy together: a buffer with room for `size` bytes from `pieceStart` on, behind what was gathered. `endPiece` has to follow at once. */
  beginPiece(size: number): Buffer {
    const head = this.#text
    this.#text = ''
    if (this.#held !== undefined) this.flush()
    const whole = this.#buffers.copies.take(head.length + size)
    this.pieceStart = head === '' ? 0 : whole.write(head, 0, 'latin1')
    return whole
  }

  /** Filled up to `end`. */
  endPiece(whole: Buffer, end: number): void {
    this.written += end - this.pieceStart
    this.#buffers.copies.write(this.#socket, whole, end)
  }

  /** With the others, at the end of this turn of the event loop. */
  flushSoon(): void {
    if (this.#gathered || (this.#text === '' && this.#held === undefined)) return
    this.#gathered = true
    this.#turn.add(this)
  }

  flush(): void {
    this.#gathered = false
    const held = this.#held
    const text = this.#text
    this.#text = ''
    if (held !== undefined) {
      this.#held = undefined
      held.addText(text)
      held.write(this.#socket)
    } else if (text !== '') this.#socket.write(text, 'latin1')
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    const held = (this.#held ??= new HeldParts(this.#buffers))
    held.addText(this.#text)
    this.#text = ''
    held.addBytes(buffer, start, end)
    // TLS would copy several parts into one piece before it encrypts them.
    if (held.size >= MOST_HELD || this.#socket instanceof TLSSocket) this.flush()
    else this.flushSoon()
  }

  /** True while the kernel and the socket's own budget are full; the socket emits `drain` when this ends. A large write that the kernel took at once needs no rest. */
  get full(): boolean {
    return this.#socket.writableLength > 0 && this.#socket.writableNeedDrain
  }
}
