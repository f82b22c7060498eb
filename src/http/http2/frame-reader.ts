// Cuts what comes from a socket into frames, however it is segmented. Bodies pass through as they arrive; other payloads are handed over whole,
// in place where they lie in one piece. Knows sizes and padding, not what frames mean.
import { DATA, HEAD_BYTES, PADDED, PREFACE } from './frame-text.ts'

/** What to do with a frame whose head has come: `whole` hands its payload over, `skip` lets it pass; `stop`: nothing is read any more. */
export type Reading = 'whole' | 'skip' | 'stop'

export interface FrameSink {
  /** Not what a client begins with. */
  prefaceFailed(): void
  frameBegins(type: number, flags: number, id: number, length: number): Reading
  /** The payload of a frame to be had whole; valid during the call. */
  frame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void
  /** DATA that is not skipped: once for its head, for each part of it without padding, and at its end. `length` is that of the whole payload. */
  dataBegins(flags: number, id: number, length: number): void
  dataPart(buffer: Buffer, start: number, end: number): void
  dataEnds(): void
  /** As much padding as payload, or more. */
  paddingFailed(): void
}

type State = 'preface' | 'head' | 'payload' | 'pad' | 'data' | 'skip' | 'stopped'

const NOTHING = Buffer.alloc(0)

export class FrameReader {
  readonly #sink: FrameSink
  #state: State
  /** Bytes of the preface that have come. */
  #prefaced = 0
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headBytes = 0
  #type = 0
  #flags = 0
  #id = 0
  /** Of the payload to come; while it is DATA, without padding. */
  #left = 0
  #padding = 0
  #partial: Buffer = NOTHING
  #partialBytes = 0

  constructor(sink: FrameSink, server: boolean) {
    this.#sink = sink
    this.#state = server ? 'preface' : 'head'
  }

  stop(): void {
    this.#state = 'stopped'
    this.#partial = NOTHING
  }

  received(buffer: Buffer, start: number, end: number): void {
    let position = start
    while (position < end) {
      switch (this.#state) {
        case 'head':
          position = this.#readHead(buffer, position, end)
          break
        case 'payload':
          position = this.#readPayload(buffer, position, end)
          break
        case 'data':
          position = this.#readData(buffer, position, end)
          break
        case 'skip':
          position = this.#skip(position, end)
          break
        case 'pad':
          this.#pad(buffer[position++] ?? 0)
          break
        case 'preface':
          position = this.#readPreface(buffer, position, end)
          break
        case 'stopped':
          return
      }
    }
  }

  #readPreface(buffer: Buffer, start: number, end: number): number {
    let position = start
    while (position < end && this.#prefaced < PREFACE.length) {
      if (buffer[position++] !== PREFACE.charCodeAt(this.#prefaced++)) {
        this.stop()
        this.#sink.prefaceFailed()
        return end
      }
    }
    if (this.#prefaced === PREFACE.length) this.#state = 'head'
    return position
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    if (this.#headBytes === 0 && end - start >= HEAD_BYTES) {
      this.#begin(buffer, start)
      // The usual case: the whole frame lies here.
      if (this.#state === 'payload' && end - start - HEAD_BYTES >= this.#left) return this.#readPayload(buffer, start + HEAD_BYTES, end)
      return start + HEAD_BYTES
    }
    const count = Math.min(HEAD_BYTES - this.#headBytes, end - start)
    buffer.copy(this.#head, this.#headBytes, start, start + count)
    this.#headBytes += count
    if (this.#headBytes === HEAD_BYTES) {
      this.#headBytes = 0
      this.#begin(this.#head, 0)
    }
    return start + count
  }

  #begin(head: Buffer, at: number): void {
    const length = ((head[at] ?? 0) << 16) | ((head[at + 1] ?? 0) << 8) | (head[at + 2] ?? 0)
    const type = (this.#type = head[at + 3] ?? 0)
    const flags = (this.#flags = head[at + 4] ?? 0)
    const id = (this.#id = (((head[at + 5] ?? 0) & 127) << 24) | ((head[at + 6] ?? 0) << 16) | ((head[at + 7] ?? 0) << 8) | (head[at + 8] ?? 0))
    this.#left = length
    const reading = this.#sink.frameBegins(type, flags, id, length)
    if (reading === 'stop') this.stop()
    else if (reading === 'skip') this.#state = length === 0 ? 'head' : 'skip'
    else if (type === DATA) this.#beginData(flags, id, length)
    else if (length === 0) this.#sink.frame(type, flags, id, NOTHING, 0, 0)
    else this.#state = 'payload'
  }

  #readPayload(buffer: Buffer, start: number, end: number): number {
    const left = this.#left
    if (this.#partialBytes === 0 && end - start >= left) {
      this.#state = 'head'
      this.#sink.frame(this.#type, this.#flags, this.#id, buffer, start, start + left)
      return start + left
    }
    if (this.#partialBytes === 0) this.#partial = Buffer.allocUnsafe(left)
    const count = Math.min(left - this.#partialBytes, end - start)
    buffer.copy(this.#partial, this.#partialBytes, start, start + count)
    this.#partialBytes += count
    if (this.#partialBytes === left) {
      const whole = this.#partial
      this.#partial = NOTHING
      this.#partialBytes = 0
      this.#state = 'head'
      this.#sink.frame(this.#type, this.#flags, this.#id, whole, 0, left)
    }
    return start + count
  }

  #beginData(flags: number, id: number, length: number): void {
    this.#padding = 0
    this.#state = (flags & PADDED) === 0 ? 'data' : 'pad'
    this.#sink.dataBegins(flags, id, length)
    if (this.#state === 'pad' && length === 0) this.#failPadding()
    else if (this.#state === 'data' && length === 0) this.#endData()
  }

  #pad(padding: number): void {
    this.#left--
    if (padding > this.#left) return this.#failPadding()
    this.#padding = padding
    this.#left -= padding
    this.#state = 'data'
    if (this.#left === 0) this.#endData()
  }

  #failPadding(): void {
    this.stop()
    this.#sink.paddingFailed()
  }

  #readData(buffer: Buffer, start: number, end: number): number {
    const count = Math.min(this.#left, end - start)
    this.#left -= count
    this.#sink.dataPart(buffer, start, start + count)
    // The sink may have had enough.
    if (this.#left === 0 && this.#state === 'data') this.#endData()
    return start + count
  }

  #endData(): void {
    this.#left = this.#padding
    this.#state = this.#left === 0 ? 'head' : 'skip'
    this.#sink.dataEnds()
  }

  #skip(start: number, end: number): number {
    const count = Math.min(this.#left, end - start)
    this.#left -= count
    if (this.#left === 0) this.#state = 'head'
    return start + count
  }
}
