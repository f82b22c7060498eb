// A socket as the end of a tunnel.
import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import type { SocketWriter } from './socket-writer.ts'
import type { TunnelEnd } from './tunnel.ts'

/** Who reads from the socket. */
export interface Reading {
  pauseReading(): void
  resumeReading(): void
}

export class SocketEnd implements TunnelEnd {
  readonly #socket: Socket
  readonly #writer: SocketWriter
  readonly #reading: Reading

  constructor(socket: Socket, writer: SocketWriter, reading: Reading) {
    this.#socket = socket
    this.#writer = writer
    this.#reading = reading
  }

  get full(): boolean {
    return this.#writer.full
  }

  get unsent(): number {
    return this.#socket.writableLength
  }

  write(buffer: Buffer, start: number, end: number): void {
    this.#writer.bytes(buffer, start, end)
    this.#writer.flushSoon()
  }

  end(): void {
    this.#writer.flush()
    this.#socket.end()
  }

  close(): void {
    this.#writer.flush()
    this.#socket.destroySoon()
  }

  cut(): void {
    cut(this.#socket)
  }

  pauseReading(): void {
    this.#reading.pauseReading()
  }

  resumeReading(): void {
    this.#reading.resumeReading()
  }
}

/** Closes at once, what is unsent is lost, and the peer can't take it for an end. */
export function cut(socket: Socket): void {
  // TLS has an end of its own, whose lack says the same.
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}
