// A backend that answers in frames of HTTP/2 as they are: for everything that no library would send.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { DATA, END_STREAM, frameHead, goAwayText, HEADERS, headersText, LARGEST_WINDOW, PREFACE, resetText, SETTINGS, SETTINGS_ACK, settingsText, windowUpdateText } from '../../src/http/http2/frame-text.ts'
import { encodeFieldLines, encodeStatus } from '../../src/http/http2/hpack/encoder.ts'

const ACK = 1
const HEAD_BYTES = 9
const INITIAL_WINDOW_SIZE = 4

/** One stream of it. */
export class RawAnswer {
  readonly socket: Socket
  readonly #stream: number
  /** Bytes of the request's body that have come. */
  received = 0
  /** The request has come to its end. */
  ended = false

  constructor(socket: Socket, stream: number) {
    this.socket = socket
    this.#stream = stream
  }

  /** `fields`: as lines. */
  head(status: number, fields: string, end = false): void {
    this.#write(headersText(encodeStatus(status) + encodeFieldLines(fields), end ? END_STREAM : 0, this.#stream, 16_384))
  }

  data(text: string, end = false): void {
    this.#write(frameHead(text.length, DATA, end ? END_STREAM : 0, this.#stream) + text)
  }

  reset(code: number): void {
    this.#write(resetText(this.#stream, code))
  }

  /** That it has acted on no request from this one on. */
  goAway(): void {
    this.#write(goAwayText(Math.max(0, this.#stream - 2), 0))
  }

  #write(text: string): void {
    this.socket.write(text, 'latin1')
  }
}

export interface RawHttp2Backend {
  readonly port: number
  close(): void
}

/** `onRequest` is called with each head, `onData` with what follows. Takes as much as there is. */
export async function startRawHttp2Backend(onRequest: (answer: RawAnswer) => void, onData: (answer: RawAnswer) => void = () => undefined): Promise<RawHttp2Backend> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const answers = new Map<number, RawAnswer>()
    let unread = Buffer.alloc(0)
    let begun = false
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.write(settingsText([[INITIAL_WINDOW_SIZE, LARGEST_WINDOW]]) + windowUpdateText(0, LARGEST_WINDOW - 65_535), 'latin1')
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk])
      if (!begun) {
        if (unread.length < PREFACE.length) return
        begun = true
        unread = unread.subarray(PREFACE.length)
      }
      while (unread.length >= HEAD_BYTES && unread.length >= HEAD_BYTES + unread.readUIntBE(0, 3)) {
        const [type, flags, stream] = [unread[3], unread[4] ?? 0, unread.readUInt32BE(5)]
        const size = unread.readUIntBE(0, 3)
        unread = unread.subarray(HEAD_BYTES + size)
        if (type === SETTINGS && (flags & ACK) === 0) socket.write(SETTINGS_ACK, 'latin1')
        const answer = answers.get(stream) ?? new RawAnswer(socket, stream)
        answer.ended ||= (type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0
        if (type === HEADERS && !answers.has(stream)) {
          answers.set(stream, answer)
          onRequest(answer)
        } else if (type === DATA) {
          answer.received += size
          onData(answer)
        }
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
