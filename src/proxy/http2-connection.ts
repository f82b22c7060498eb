// The life of one HTTP/2 connection of a client: hands its streams to exchanges, keeps the deadlines that are the connection's, ends it.
import type { Socket } from 'node:net'
import { Timer } from '../base/timer-wheel.ts'
import { Http2Connection } from '../http/http2/connection.ts'
import type { FieldList } from '../http/http2/field-list.ts'
import type { Http2Owner, StreamHandler } from '../http/http2/handlers.ts'
import type { Http2Stream } from '../http/http2/stream.ts'
import { SocketWriter } from '../http/socket-writer.ts'
import { Closing } from './closing.ts'
import type { Client, ProxyContext } from './context.ts'
import { ClientStream, type StreamOwner } from './http2-stream.ts'
import type { ConnectionOrigin } from './origin.ts'

/** `idle`: for another request. `write`: for the client to take what was written. */
type Deadline = 'idle' | 'write' | 'closing'

/** Kept for later requests while none is in flight. */
const MOST_SPARE = 4

export class Http2Client implements Client, Http2Owner, StreamOwner {
  /** Of the roster. */
  place = -1
  readonly #socket: Socket
  readonly #context: ProxyContext
  readonly #origin: ConnectionOrigin
  readonly #tls: boolean
  readonly #timer: Timer
  readonly #writer: SocketWriter
  readonly #wire: Http2Connection
  readonly #spare: ClientStream[] = []
  #deadline: Deadline = 'idle'
  #requests = 0
  #unsent = 0
  #closing: Closing | undefined

  constructor(socket: Socket, context: ProxyContext, tls: boolean, origin: ConnectionOrigin) {
    const { settings, wheel, buffers, turn } = context
    this.#socket = socket
    this.#context = context
    this.#tls = tls
    this.#origin = origin
    this.#timer = new Timer(wheel, this)
    this.#writer = new SocketWriter(socket, buffers, turn)
    this.#wire = new Http2Connection('server', { settings: settings.http2.wire, writer: this.#writer, wheel }, this)
    context.clients.add(this)
    this.#await('idle', settings.timeouts.keepAlive)
    socket.on('end', () => this.#ended())
    socket.on('drain', () => this.#drained())
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
  }

  get busy(): boolean {
    return this.#wire.streams > 0
  }

  get clientPort(): number {
    return this.#socket.remotePort ?? 0
  }

  received(buffer: Buffer, count: number): boolean {
    if (this.#closing !== undefined) this.#closing.received(count)
    else {
      this.#wire.received(buffer, 0, count)
      this.#settleReading()
    }
    return this.busy
  }

  /** Who does not take the answers gets no more questions read. */
  #settleReading(): void {
    if (this.#closing !== undefined || !this.#writer.full) return
    this.#socket.pause()
    // Larger windows alone may have let out what waited.
    this.wrote()
  }

  drain(): void {
    this.#wire.goAway()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  // === streams

  opened(stream: Http2Stream): StreamHandler {
    const { requestsPerConnection } = this.#context.settings.limits
    if (this.#deadline !== 'write') this.#timer.clear()
    const handler = this.#take()
    handler.begin(stream)
    // It may have become smaller than what was served.
    if (++this.#requests >= requestsPerConnection && requestsPerConnection > 0) this.#wire.goAway()
    return handler
  }

  /** A request that is none: the client has been told. */
  malformed(list: FieldList): void {
    this.#take().refuse(list)
  }

  #take(): ClientStream {
    return this.#spare.pop() ?? new ClientStream(this, this.#context, this.#tls, this.#origin)
  }

  finished(stream: ClientStream): void {
    this.#spare.push(stream)
  }

  idle(): void {
    if (this.#spare.length > MOST_SPARE) for (const stream of this.#spare.splice(MOST_SPARE)) stream.drop()
    if (this.#deadline !== 'write' && this.#closing === undefined) this.#awaitRequest()
  }

  /** Servers open none. */
  streamsAvailable(): void {}

  /** Its present requests are still answered, and the end of the last one is that of the connection. */
  goingAway(): void {}

  /** More was written than the client takes. */
  wrote(): void {
    if (this.#deadline !== 'write' && this.#closing === undefined && this.#writer.full) this.#awaitWrite()
  }

  // === the end

  ended(): void {
    if (this.#closing !== undefined) return
    this.#writer.flush()
    // The client may be sending all the same: a WINDOW_UPDATE that meets a closed socket would cost it what it has not read.
    this.#closing = new Closing(this.#socket, true, this.#tls, this.#context.settings.timeouts.send)
    this.#await('closing', this.#closing.patience)
    this.#socket.resume()
  }

  /** The client will send no more. There is no half of a connection in HTTP/2. */
  #ended(): void {
    if (this.busy) this.destroy()
    else this.#socket.destroySoon()
  }

  #closed(): void {
    this.#timer.drop()
    this.#context.clients.delete(this)
    this.#wire.closed()
    for (const stream of this.#spare) stream.drop()
  }

  // === time

  #await(what: Deadline, ms: number): void {
    this.#deadline = what
    this.#timer.set(ms)
  }

  #awaitWrite(): void {
    this.#unsent = this.#socket.writableLength
    this.#await('write', this.#context.settings.timeouts.send)
  }

  #drained(): void {
    if (this.#closing !== undefined) return
    if (this.#deadline === 'write') this.#awaitRequest()
    this.#socket.resume()
    this.#wire.drained()
    this.wrote()
  }

  #awaitRequest(): void {
    this.#await('idle', this.#context.settings.timeouts.keepAlive)
    if (this.busy) this.#timer.clear()
  }

  timedOut(): void {
    if (this.#closing !== undefined) {
      const patience = this.#closing.timedOut()
      if (patience > 0) this.#timer.set(patience)
    } else if (this.#deadline === 'write') {
      // As long as some of it goes out, the client is slow, not gone.
      if (this.#socket.writableLength < this.#unsent) this.#awaitWrite()
      else this.destroy()
    } else if (!this.busy) this.#wire.goAway()
  }
}
