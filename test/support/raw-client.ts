// A client that sends bytes as they are and shows what came back: for everything that no HTTP library would send.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { readResponse, type RawResponse } from './raw-response.ts'

export class RawClient {
  readonly socket: Socket
  received: Buffer = Buffer.alloc(0)
  /** The peer sent its FIN. */
  ended = false
  closed = false
  error: Error | undefined
  #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      this.#wake()
    })
    socket.on('end', () => {
      this.ended = true
      this.#wake()
    })
    socket.on('error', (error) => {
      this.error = error
    })
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** latin1. */
  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  text(): string {
    return this.received.toString('latin1')
  }

  /** Until the condition holds; rejects when the peer is done and it does not. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed || this.ended) throw new Error(`connection ended after ${JSON.stringify(this.text().slice(0, 500))}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Takes the next response off what was received. `toHead`: it answers HEAD. */
  async response(toHead = false): Promise<RawResponse> {
    for (;;) {
      const response = readResponse(this.received, toHead, this.ended || this.closed)
      if (response !== undefined) {
        this.received = this.received.subarray(response.size)
        return response
      }
      if (this.ended || this.closed) throw new Error(`no whole response in ${JSON.stringify(this.text().slice(0, 500))}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Until the peer has closed its side. */
  async finished(): Promise<void> {
    while (!this.ended && !this.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    this.socket.destroy()
  }
}
