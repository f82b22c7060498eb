// The smallest server around the codec, for judges to talk to: a socket, a connection, and a handler that answers by path.
import { createServer, type Server, type Socket } from 'node:net'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { TimerWheel } from '../../src/base/timer-wheel.ts'
import { Http2Connection } from '../../src/http/http2/connection.ts'
import { ENHANCE_YOUR_CALM, NO_ERROR, type ErrorCode } from '../../src/http/http2/error-code.ts'
import type { FieldList } from '../../src/http/http2/field-list.ts'
import type { Http2Owner, StreamHandler } from '../../src/http/http2/handlers.ts'
import { encodeField, encodeFieldLines, encodeStatus } from '../../src/http/http2/hpack/encoder.ts'
import type { Http2Stream } from '../../src/http/http2/stream.ts'
import { ReadBuffers } from '../../src/http/read-buffers.ts'
import { SocketWriter } from '../../src/http/socket-writer.ts'
import { WriteTurn } from '../../src/http/write-turn.ts'
import { DEFAULT_HTTP2_SETTINGS, type Http2Settings } from '../../src/model/http2-settings.ts'

export const BODY = 'x'.repeat(119) + '\n'
const HEAD = encodeStatus(200) + encodeFieldLines('Server: codec\r\nContent-Type: text/plain\r\nContent-Length: 120\r\n')

export interface Wires {
  readonly buffers: ReadBuffers
  readonly turn: WriteTurn
  readonly wheel: TimerWheel
}

export function wires(clock: Clock = systemClock): Wires {
  return { buffers: new ReadBuffers(), turn: new WriteTurn(), wheel: new TimerWheel(clock) }
}

/** Joins a socket to a connection in the server role. `pauses`: it does not read from who does not. */
export function serve(socket: Socket, { buffers, turn, wheel }: Wires, settings: Http2Settings = DEFAULT_HTTP2_SETTINGS, pauses = false): Http2Connection {
  const writer = new SocketWriter(socket, buffers, turn)
  const owner: Http2Owner = {
    opened: (stream) => new Answering(stream, connection),
    idle: () => undefined,
    streamsAvailable: () => undefined,
    goingAway: () => undefined,
    ended: (code) => endSocket(socket, code),
  }
  const connection = new Http2Connection('server', { settings, writer, wheel }, owner)
  socket.setNoDelay(true)
  socket.on('data', (bytes) => {
    if (typeof bytes === 'string') return
    connection.received(bytes, 0, bytes.length)
    if (pauses && writer.full) socket.pause()
  })
  socket.on('drain', () => {
    socket.resume()
    connection.drained()
  })
  socket.on('end', () => socket.end())
  socket.on('error', () => undefined)
  socket.on('close', () => connection.closed())
  return connection
}

/** What the codec asks of owners: a GOAWAY has to arrive. */
export function endSocket(socket: Socket, code: ErrorCode): void {
  socket.end()
  if (code !== NO_ERROR) setTimeout(() => socket.destroy(), 1000).unref()
}

/** By path: `/paused` stops reading, `/echo` sends the body back as it comes, `/trailers` both sides' trailers, `/large/N` N bytes, `/hang` nothing, `/early` before the
 * request is read, `/leave` makes the connection go away, `/reset` resets; any other: 120 bytes once the request is read. */
class Answering implements StreamHandler {
  readonly #stream: Http2Stream
  readonly #connection: Http2Connection
  #path = ''
  #left = 0
  #bytes = 0

  constructor(stream: Http2Stream, connection: Http2Connection) {
    this.#stream = stream
    this.#connection = connection
  }

  head(list: FieldList, endStream: boolean): void {
    const stream = this.#stream
    if (list.oversized) return stream.sendHead(encodeStatus(431), true)
    this.#path = list.path
    if (list.path === '/echo') stream.sendHead(encodeStatus(200), endStream)
    else if (list.path === '/paused') stream.pauseReading()
    else if (list.path.startsWith('/large/')) this.#large(Number(list.path.slice(7)))
    else if (list.path === '/early') this.#answer()
    else if (list.path === '/leave') this.#connection.goAway()
    else if (list.path === '/reset') return stream.reset(ENHANCE_YOUR_CALM)
    if (list.path === '/fields') {
      stream.sendHead(encodeStatus(200), false)
      stream.sendText(list.fields.map((field) => field.line).join(''), true)
    } else if (endStream) this.#end()
  }

  interim(): void {
    throw new Error('a request has no interim head')
  }

  data(buffer: Buffer, start: number, end: number): void {
    this.#bytes += end - start
    if (this.#path !== '/echo') return
    this.#stream.sendData(buffer, start, end, false)
    if (this.#stream.full) this.#stream.pauseReading()
  }

  end(trailers: FieldList | undefined): void {
    if (this.#path === '/echo') this.#stream.sendEnd('')
    else if (this.#path === '/trailers') {
      this.#stream.sendHead(encodeStatus(200), false)
      this.#stream.sendText(String(this.#bytes), false)
      this.#stream.sendEnd((trailers?.fields ?? []).map((field) => encodeField(field.name.text, field.value)).join('') + encodeField('x-checksum', 'abc'))
    } else this.#end()
  }

  #end(): void {
    if (this.#path === '/hang' || this.#path === '/early' || this.#path === '/echo' || this.#path.startsWith('/large/')) return
    this.#answer()
  }

  #answer(): void {
    this.#stream.sendHead(HEAD, false)
    this.#stream.sendText(BODY, true)
  }

  #large(size: number): void {
    this.#left = size
    this.#stream.sendHead(encodeStatus(200), size === 0)
    this.#more()
  }

  #more(): void {
    while (this.#left > 0 && !this.#stream.full) {
      const count = Math.min(this.#left, LARGE.length)
      this.#left -= count
      this.#stream.sendData(LARGE, 0, count, this.#left === 0)
    }
  }

  reset(): void {
    this.#left = 0
  }

  drained(): void {
    if (this.#path === '/echo') this.#stream.resumeReading()
    this.#more()
  }

  turnEnd(): void {
    // What it writes goes out by itself.
  }
}

const LARGE = Buffer.alloc(32 * 1024, 'y')

export interface AnsweringServer {
  readonly port: number
  readonly server: Server
  readonly connections: Set<Http2Connection>
  readonly wheel: TimerWheel
  close(): Promise<void>
}

/** Cleartext, by prior knowledge. */
export async function startAnswering(settings: Http2Settings = DEFAULT_HTTP2_SETTINGS, shared = wires(), pauses = false): Promise<AnsweringServer> {
  const sockets = new Set<Socket>()
  const connections = new Set<Http2Connection>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    const connection = serve(socket, shared, settings, pauses)
    connections.add(connection)
    socket.on('close', () => {
      sockets.delete(socket)
      connections.delete(connection)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    server,
    connections,
    wheel: shared.wheel,
    async close() {
      shared.wheel.stop()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
