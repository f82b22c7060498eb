// One connection of HTTP/2, in either role: its life, and the streams' ways to the peer. What comes in is read by Inbound.
// Knows no exchange, and of the socket only its writer.
import type { TimerWheel } from '../../base/timer-wheel.ts'
import type { Http2Settings } from '../../model/http2-settings.ts'
import type { SocketWriter } from '../socket-writer.ts'
import { AbuseGuard } from './abuse-guard.ts'
import type { Ending } from './closed-streams.ts'
import type { Controlled } from './control-frames.ts'
import { CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, REFUSED_STREAM, type ErrorCode } from './error-code.ts'
import {
  END_STREAM, goAwayText, headersText, INITIAL_WINDOW, LARGEST_WINDOW, PREFACE, pingText, resetText, settingsText, windowUpdateText,
} from './frame-text.ts'
import { UNHEARD, type Http2Owner, type StreamHandler } from './handlers.ts'
import { Inbound } from './inbound.ts'
import { Outflow } from './outflow.ts'
import { GOING_AWAY, Patience } from './patience.ts'
import { announcement, PeerSettings, type Role } from './peer-settings.ts'
import type { StreamHome } from './stream-home.ts'
import { Http2Stream } from './stream.ts'
import { Streams } from './streams.ts'

export type { Role } from './peer-settings.ts'

export interface Http2Environment {
  readonly settings: Http2Settings
  readonly writer: SocketWriter
  readonly wheel: TimerWheel
}

/** RFC 7541 section 6.3: we use no table of the peer's. */
const NO_TABLE = '\x20'

export class Http2Connection implements StreamHome, Controlled {
  readonly role: Role
  readonly settings: Http2Settings
  readonly owner: Http2Owner
  readonly outflow: Outflow
  readonly peer: PeerSettings
  readonly streamTable: Streams
  readonly guard: AbuseGuard
  readonly patience: Patience
  /** Nothing is read or written any more. */
  over = false
  /** `announced`: streams that were on their way are still taken; `final`: no more. */
  going: 'no' | 'announced' | 'final' = 'no'
  #peerGoes = false
  readonly #writer: SocketWriter
  readonly #wheel: TimerWheel
  readonly #inbound: Inbound
  /** The next header block has to tell the peer that we use no table. */
  #dropsTable = false

  constructor(role: Role, { settings, writer, wheel }: Http2Environment, owner: Http2Owner) {
    this.role = role
    this.settings = settings
    this.owner = owner
    this.#writer = writer
    this.#wheel = wheel
    this.peer = new PeerSettings(role)
    this.streamTable = new Streams(role)
    this.guard = new AbuseGuard(settings.abuse)
    this.patience = new Patience(wheel, this)
    this.outflow = new Outflow(writer, () => this.patience.waitBegins())
    this.#inbound = new Inbound(this)
    let text = role === 'client' ? PREFACE : ''
    text += settingsText(announcement(role, settings))
    if (settings.connectionWindow > INITIAL_WINDOW) text += windowUpdateText(0, settings.connectionWindow - INITIAL_WINDOW)
    this.writeText(text)
    this.patience.settingsBegin()
  }

  /** Open now. */
  get streams(): number {
    return this.streamTable.open.size
  }

  /** Neither side has said that it goes away. */
  get usable(): boolean {
    return !this.over && this.going === 'no' && !this.#peerGoes && !this.streamTable.exhausted
  }

  /** Client: the peer allows extended CONNECT. */
  get connectProtocol(): boolean {
    return this.peer.connectProtocol
  }

  get now(): number {
    return this.#wheel.now
  }

  get streamWindow(): number {
    return this.#inbound.streamWindow
  }

  /** Bytes from the socket; nothing of `buffer` is kept. */
  received(buffer: Buffer, start: number, end: number): void {
    if (this.over) return
    this.patience.heard()
    this.#inbound.received(buffer, start, end)
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (this.over) return
    this.guard.repliesRead()
    this.patience.drained()
    this.outflow.pump()
  }

  /** Client: a stream can be opened now. */
  get available(): boolean {
    return this.usable && this.streams < this.peer.concurrentStreams
  }

  /** Client: sends a request; undefined: no stream is available. `block`: its header block; `toHead`: its method is HEAD. */
  openStream(handler: StreamHandler, block: string, endStream: boolean, toHead = false): Http2Stream | undefined {
    if (!this.available) return undefined
    const stream = new Http2Stream(this, this.streamTable.takeNumber(), handler, toHead)
    this.streamTable.add(stream)
    this.patience.streamBegins()
    stream.sendHead(block, endStream)
    return stream
  }

  /** No further streams; `ended` comes with the last of the present ones. Server: in two steps, so that no request on its way is lost. */
  goAway(): void {
    if (this.over || this.going !== 'no') return
    this.going = 'announced'
    if (this.role === 'client') return this.leave()
    this.writeText(goAwayText(LARGEST_WINDOW, NO_ERROR) + pingText(GOING_AWAY, 0))
    this.patience.leaveBegins()
  }

  /** The second GOAWAY. */
  leave(): void {
    if (this.over || this.going === 'final') return
    this.going = 'final'
    this.writeText(goAwayText(this.streamTable.lastOfPeer, NO_ERROR))
    this.#finishIfDone()
  }

  /** At once: GOAWAY with `code`, all streams reset, then `ended`. */
  fail(code: ErrorCode): void {
    if (this.over) return
    this.#writer.text(goAwayText(this.streamTable.lastOfPeer, code))
    this.#end(code)
    this.#writer.flush()
    this.owner.ended(code)
  }

  /** The socket is gone: all streams are reset, and `ended` is not called. */
  closed(): void {
    if (!this.over) this.#end(CANCEL)
  }

  #end(code: ErrorCode): void {
    this.over = true
    this.#inbound.stop()
    this.patience.end()
    const { open } = this.streamTable
    const left = [...open.values()]
    open.clear()
    for (const stream of left) {
      stream.closed = true
      stream.fail(code, false)
    }
  }

  #finishIfDone(): void {
    if (this.over || this.streams > 0 || !(this.going === 'final' || (this.#peerGoes && this.going === 'no'))) return
    this.over = true
    this.#inbound.stop()
    this.patience.end()
    this.#writer.flush()
    this.owner.ended(NO_ERROR)
  }

  // === for streams

  writeHead(stream: Http2Stream, block: string, endStream: boolean): void {
    const text = this.#dropsTable ? NO_TABLE + block : block
    this.#dropsTable = false
    this.writeText(headersText(text, endStream ? END_STREAM : 0, stream.id, this.outflow.frameBytes))
  }

  writeText(text: string): void {
    if (this.over) return
    this.#writer.text(text)
    this.#writer.flushSoon()
  }

  consumed(bytes: number): void {
    this.#inbound.consumed(bytes)
  }

  completed(stream: Http2Stream): void {
    // What came and was not read is still for whom it is for, until the handler resets the stream.
    this.#remove(stream, 'complete')
    this.#settle()
  }

  giveUp(stream: Http2Stream, code: ErrorCode): void {
    this.writeText(resetText(stream.id, code))
    this.#remove(stream, 'given-up')
    this.#settle()
  }

  refuse(stream: Http2Stream, code: ErrorCode): void {
    if (stream.closed) return
    this.writeText(resetText(stream.id, code))
    this.#remove(stream, 'given-up')
    stream.fail(code, false)
    this.#settle()
    this.blame()
  }

  /** The peer has reset a stream, or made us reset it. A server can't do so more often than we ask. */
  blame(): void {
    if (this.role === 'server' && !this.guard.reset(this.now, this.streamTable.completed)) this.fail(ENHANCE_YOUR_CALM)
  }

  /** A frame that asks for work and carries none; false: that is enough. */
  bears(): boolean {
    return this.guard.control(this.now, this.outflow.frames + this.#inbound.dataFrames)
  }

  #remove(stream: Http2Stream, ending: Ending): void {
    if (stream.closed) return
    stream.closed = true
    this.outflow.forget(stream)
    this.streamTable.open.delete(stream.id)
    this.streamTable.closed.add(stream.id, ending)
    if (ending === 'complete') this.streamTable.completed++
  }

  /** After a stream was removed, and has heard of it. */
  #settle(): void {
    if (this.over) return
    if (this.role === 'client') this.owner.streamsAvailable()
    if (this.streams === 0) this.owner.idle()
    this.#finishIfDone()
  }

  // === for Inbound

  /** A stream that the peer opens. */
  accept(id: number): Http2Stream {
    const stream = new Http2Stream(this, id, UNHEARD, false)
    this.streamTable.add(stream)
    this.patience.streamBegins()
    stream.handler = this.owner.opened(stream)
    return stream
  }

  reply(text: string): void {
    this.writeText(text)
    if (this.#writer.full && !this.guard.unreadReply()) this.fail(ENHANCE_YOUR_CALM)
  }

  settingsChanged(): void {
    if (this.peer.headerTableBytes < 4096) this.#dropsTable = true
    if (this.role === 'client') this.owner.streamsAvailable()
  }

  settingsAcknowledged(): void {
    this.patience.settingsEnd()
    this.#inbound.settingsAcknowledged()
  }

  pingAcknowledged(payload: string): void {
    if (payload === GOING_AWAY && this.going === 'announced') this.leave()
  }

  streamReset(stream: Http2Stream, code: ErrorCode): void {
    this.#remove(stream, 'reset')
    stream.fail(code, code === REFUSED_STREAM)
    this.#settle()
    // Who has its answer in full has no more of us than for a request that it had sent to its end.
    if (!stream.sent) this.blame()
  }

  peerGoesAway(lastId: number, code: ErrorCode): void {
    this.#peerGoes = true
    if (this.role === 'client') {
      for (const stream of this.streamTable.open.values()) {
        if (stream.id <= lastId) continue
        this.#remove(stream, 'given-up')
        stream.fail(REFUSED_STREAM, true)
      }
    }
    if (this.over) return
    this.owner.goingAway(code)
    this.#settle()
  }
}
