// Large parts of what goes out on a socket, held so that several go out in one write: each write wakes whom it is for.
import type { Socket } from 'node:net'
import type { ReadBuffers } from './read-buffers.ts'

export class HeldParts {
  /** Bytes in buffers. */
  size = 0
  readonly #parts: (string | Buffer)[] = []
  readonly #lent: Buffer[] = []
  readonly #buffers: ReadBuffers

  constructor(buffers: ReadBuffers) {
    this.#buffers = buffers
  }

  /** latin1. */
  addText(text: string): void {
    if (text !== '') this.#parts.push(text)
  }

  /** The buffer is lent until the kernel has all of it. */
  addBytes(buffer: Buffer, start: number, end: number): void {
    this.#parts.push(buffer.subarray(start, end))
    this.#lent.push(buffer)
    this.#buffers.lend(buffer)
    this.size += end - start
  }

  /** Once. */
  write(socket: Socket): void {
    let waits = false
    const written = (error?: Error | null): void => {
      if (waits) this.#giveBack(error === null || error === undefined)
    }
    const last = this.#parts.length - 1
    if (last > 0) socket.cork()
    for (let i = 0; i <= last; i++) {
      const part = this.#parts[i] ?? ''
      const callback = i === last ? written : undefined
      if (typeof part === 'string') socket.write(part, 'latin1', callback)
      else socket.write(part, callback)
    }
    if (last > 0) socket.uncork()
    // Mostly the kernel takes everything at once.
    if (socket.writableLength === 0) this.#giveBack(true)
    else waits = true
  }

  #giveBack(well: boolean): void {
    for (const buffer of this.#lent) this.#buffers.giveBack(buffer, well)
  }
}
