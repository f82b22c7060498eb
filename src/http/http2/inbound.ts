// What comes in on a connection: checks each frame's place, puts header blocks together, hands bodies to their streams, keeps our windows.
import type { Http2Connection } from './connection.ts'
import { controlFrame } from './control-frames.ts'
import {
  COMPRESSION_ERROR, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED, type ErrorCode,
} from './error-code.ts'
import { FieldList } from './field-list.ts'
import { FrameReader, type FrameSink, type Reading } from './frame-reader.ts'
import { frameHeadError } from './frame-rules.ts'
import { ACK, CONTINUATION, END_STREAM, HEADERS, INITIAL_WINDOW, resetText, SETTINGS, windowUpdateText } from './frame-text.ts'
import { HeaderBlock } from './header-block.ts'
import { Decoder, staticTable } from './hpack/decoder.ts'
import type { Http2Stream } from './stream.ts'

const STATIC = { server: staticTable(), client: staticTable() }

export class Inbound implements FrameSink {
  readonly #on: Http2Connection
  readonly #reader: FrameReader
  readonly #block: HeaderBlock
  readonly #decoder: Decoder
  readonly #list = new FieldList()
  /** DATA frames so far that carried something. */
  dataFrames = 0
  #settingsSeen = false
  #acknowledged = false
  /** Bytes that the peer may send. */
  #window: number
  #consumed = 0
  /** Got something in this turn. */
  readonly #touched: Http2Stream[] = []
  // The DATA frame that is being read.
  #stream: Http2Stream | undefined
  #flags = 0
  #length = 0
  #body = 0

  constructor(on: Http2Connection) {
    this.#on = on
    const { settings } = on
    this.#reader = new FrameReader(this, on.role === 'server')
    this.#block = new HeaderBlock(2 * settings.headerListBytes + settings.frameBytes)
    this.#decoder = new Decoder(STATIC[on.role], settings.headerListBytes)
    this.#window = Math.max(settings.connectionWindow, INITIAL_WINDOW)
  }

  stop(): void {
    this.#reader.stop()
    this.#block.clear()
  }

  received(buffer: Buffer, start: number, end: number): void {
    this.#reader.received(buffer, start, end)
    const touched = this.#touched
    for (let i = 0; i < touched.length; i++) {
      const stream = touched[i]
      if (stream === undefined) continue
      stream.touched = false
      stream.handler.turnEnd()
    }
    touched.length = 0
  }

  #touch(stream: Http2Stream): void {
    if (stream.touched) return
    stream.touched = true
    this.#touched.push(stream)
  }

  #fail(code: ErrorCode): void {
    this.#on.fail(code)
  }

  // === frames

  prefaceFailed(): void {
    this.#fail(PROTOCOL_ERROR)
  }

  paddingFailed(): void {
    this.#fail(PROTOCOL_ERROR)
  }

  frameBegins(type: number, flags: number, id: number, length: number): Reading {
    const code = this.#headError(type, flags, id, length)
    if (code !== NO_ERROR) {
      this.#fail(code)
      return 'stop'
    }
    return type > CONTINUATION ? 'skip' : 'whole'
  }

  #headError(type: number, flags: number, id: number, length: number): ErrorCode {
    const block = this.#block
    if (block.id !== 0 ? type !== CONTINUATION || id !== block.id : type === CONTINUATION) return PROTOCOL_ERROR
    if (!this.#settingsSeen) {
      if (type !== SETTINGS || (flags & ACK) !== 0) return PROTOCOL_ERROR
      this.#settingsSeen = true
    }
    if (length > this.#on.settings.frameBytes) return FRAME_SIZE_ERROR
    // Of types that we do not know (RFC 9113 section 5.5).
    if (type > CONTINUATION) return this.#on.bears() ? NO_ERROR : ENHANCE_YOUR_CALM
    return frameHeadError(type, flags, id, length)
  }

  frame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    let code: ErrorCode
    if (type === HEADERS) code = this.#headersFrame(flags, id, buffer, start, end)
    else if (type === CONTINUATION) code = this.#continuationFrame(flags, buffer, start, end)
    else code = controlFrame(this.#on, type, flags, id, buffer, start, end)
    if (code !== NO_ERROR) this.#fail(code)
  }

  settingsAcknowledged(): void {
    if (this.#acknowledged) return
    this.#acknowledged = true
    const { settings, streamTable } = this.#on
    this.#decoder.setLimit(settings.headerTableBytes)
    const excess = INITIAL_WINDOW - settings.streamWindow
    if (excess > 0) for (const stream of streamTable.open.values()) stream.narrow(excess)
  }

  // === windows

  /** Of a stream that opens now: until the peer knows ours it may keep to the RFC's. */
  get streamWindow(): number {
    const { streamWindow } = this.#on.settings
    return this.#acknowledged ? streamWindow : Math.max(streamWindow, INITIAL_WINDOW)
  }

  /** Body bytes have left us, of whatever stream. */
  consumed(bytes: number): void {
    this.#consumed += bytes
    if (this.#consumed < this.#on.settings.connectionWindow / 2) return
    this.#on.writeText(windowUpdateText(0, this.#consumed))
    this.#window += this.#consumed
    this.#consumed = 0
  }

  // === DATA

  dataBegins(flags: number, id: number, length: number): void {
    const on = this.#on
    this.#stream = undefined
    this.#flags = flags
    this.#length = length
    this.#body = 0
    this.#window -= length
    if (this.#window < 0) return this.#fail(FLOW_CONTROL_ERROR)
    const stream = on.streamTable.open.get(id)
    if (stream === undefined) return this.#strayData(id, length)
    if (stream.received) on.refuse(stream, STREAM_CLOSED)
    else if (!stream.headReceived) on.refuse(stream, PROTOCOL_ERROR)
    else if (!stream.takeWindow(length)) on.refuse(stream, FLOW_CONTROL_ERROR)
    else {
      this.#stream = stream
      return
    }
    this.consumed(length)
  }

  /** Of a stream that is not open. */
  #strayData(id: number, length: number): void {
    const { streamTable } = this.#on
    if (streamTable.isIdle(id)) return this.#fail(PROTOCOL_ERROR)
    this.consumed(length)
    const ending = streamTable.closed.find(id)
    if (ending === 'given-up') return
    if (ending === 'complete') this.#fail(STREAM_CLOSED)
    else this.#refuseNumber(id, STREAM_CLOSED)
  }

  /** RST_STREAM for what is no stream here. */
  #refuseNumber(id: number, code: ErrorCode): void {
    this.#on.writeText(resetText(id, code))
    this.#on.streamTable.closed.add(id, 'given-up')
    this.#on.blame()
  }

  dataPart(buffer: Buffer, start: number, end: number): void {
    this.#body += end - start
    const stream = this.#stream
    if (stream === undefined) return
    // A frame may come in several turns.
    this.#touch(stream)
    if (stream.closed) this.consumed(end - start)
    else stream.receiveData(buffer, start, end)
  }

  dataEnds(): void {
    const stream = this.#stream
    if (stream === undefined) return
    this.#touch(stream)
    this.#stream = undefined
    const padding = this.#length - this.#body
    if (padding > 0) stream.consume(padding)
    if ((this.#flags & END_STREAM) !== 0) {
      if (!stream.closed) stream.receiveEnd(undefined)
    } else if (this.#body > 0) this.dataFrames++
    else if (!this.#on.bears()) this.#fail(ENHANCE_YOUR_CALM)
  }

  // === field sections

  #headersFrame(flags: number, id: number, buffer: Buffer, start: number, end: number): ErrorCode {
    const block = this.#block
    const code = block.begin(flags, id, buffer, start, end)
    if (code !== NO_ERROR) return code
    if (block.id === 0) return this.#section(id)
    this.#on.patience.headBegins()
    return NO_ERROR
  }

  #continuationFrame(flags: number, buffer: Buffer, start: number, end: number): ErrorCode {
    const block = this.#block
    const { id } = block
    const code = block.goOn(flags, buffer, start, end)
    if (code !== NO_ERROR) return code
    if (block.id !== 0) return this.#on.guard.continuation(block.continuations) ? NO_ERROR : ENHANCE_YOUR_CALM
    this.#on.patience.headEnds()
    return this.#section(id)
  }

  /** A block is whole: decoded whatever becomes of it, since the table has to be kept in step (RFC 9113 section 4.3). */
  #section(id: number): ErrorCode {
    const { streamTable, role, going } = this.#on
    const block = this.#block
    const list = this.#list
    const stream = streamTable.open.get(id)
    const opens = stream === undefined && role === 'server' && id % 2 === 1 && streamTable.isIdle(id)
    list.clear()
    // What nobody wants is not made.
    if (stream === undefined && (!opens || going === 'final')) list.oversized = true
    const decoded = this.#decoder.decode(block.buffer, block.start, block.end, list)
    block.clear()
    if (!decoded) return COMPRESSION_ERROR
    const ends = (block.flags & END_STREAM) !== 0
    if (stream !== undefined) this.#nextSection(stream, ends)
    else if (opens) this.#firstSection(id, ends)
    else return this.#straySection(id)
    return NO_ERROR
  }

  /** A request. */
  #firstSection(id: number, ends: boolean): void {
    const on = this.#on
    on.streamTable.seen = id
    if (on.going === 'final') return on.streamTable.closed.add(id, 'given-up')
    on.streamTable.lastOfPeer = id
    const list = this.#list
    if (on.streams >= on.settings.concurrentStreams) return this.#refuseNumber(id, REFUSED_STREAM)
    if (this.#block.selfDependent || !(list.oversized || list.isWellFormed('request', on.settings.connectProtocol))) {
      this.#refuseNumber(id, PROTOCOL_ERROR)
      return on.owner.malformed?.(list)
    }
    const stream = on.accept(id)
    this.#touch(stream)
    stream.receiveHead(list, ends)
  }

  /** A response, or trailers. */
  #nextSection(stream: Http2Stream, ends: boolean): void {
    const on = this.#on
    const list = this.#list
    this.#touch(stream)
    if (stream.received) return on.refuse(stream, STREAM_CLOSED)
    if (this.#block.selfDependent) return on.refuse(stream, PROTOCOL_ERROR)
    if (stream.headReceived) {
      if (!ends || !list.isWellFormed('trailers', false)) on.refuse(stream, PROTOCOL_ERROR)
      else if (list.oversized) on.refuse(stream, ENHANCE_YOUR_CALM)
      else stream.receiveEnd(list)
    } else if (!list.isWellFormed('response', false) || (ends && list.status < 200)) on.refuse(stream, PROTOCOL_ERROR)
    else if (list.status >= 200) stream.receiveHead(list, ends)
    else if (on.bears()) stream.handler.interim(list)
    else this.#fail(ENHANCE_YOUR_CALM)
  }

  /** Of a stream that can't have one any more, or not yet. */
  #straySection(id: number): ErrorCode {
    const { streamTable } = this.#on
    if (streamTable.isIdle(id)) return PROTOCOL_ERROR
    const ending = streamTable.closed.find(id)
    if (ending === 'complete') return STREAM_CLOSED
    if (ending === 'unknown') return PROTOCOL_ERROR
    if (ending === 'reset') this.#refuseNumber(id, STREAM_CLOSED)
    return this.#on.bears() ? NO_ERROR : ENHANCE_YOUR_CALM
  }
}
