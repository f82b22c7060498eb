// The SETTINGS of the peer (RFC 9113 section 6.5.2, RFC 8441), and ours as they are announced.
import type { Http2Settings } from '../../model/http2-settings.ts'
import { FLOW_CONTROL_ERROR, NO_ERROR, PROTOCOL_ERROR, type ErrorCode } from './error-code.ts'
import { INITIAL_WINDOW, LARGEST_WINDOW, SMALLEST_FRAME_LIMIT } from './frame-text.ts'

const HEADER_TABLE_SIZE = 1
const ENABLE_PUSH = 2
const MAX_CONCURRENT_STREAMS = 3
const INITIAL_WINDOW_SIZE = 4
const MAX_FRAME_SIZE = 5
const MAX_HEADER_LIST_SIZE = 6
const ENABLE_CONNECT_PROTOCOL = 8

export type Role = 'server' | 'client'

/** What a client assumes before it knows (RFC 9113 section 6.5.2: no less than 100 is advised). */
const STREAMS_AT_FIRST = 100

export class PeerSettings {
  headerTableBytes = 4096
  concurrentStreams = STREAMS_AT_FIRST
  initialWindow = INITIAL_WINDOW
  frameBytes = SMALLEST_FRAME_LIMIT
  headerListBytes = Infinity
  connectProtocol = false
  /** They have come. */
  known = false
  readonly #role: Role

  /** `role`: ours. */
  constructor(role: Role) {
    this.#role = role
  }

  /** Takes the payload of a frame over. */
  read(buffer: Buffer, start: number, end: number): ErrorCode {
    if (!this.known) this.concurrentStreams = Infinity
    this.known = true
    for (let at = start; at < end; at += 6) {
      const code = this.#set(buffer.readUInt16BE(at), buffer.readUInt32BE(at + 2))
      if (code !== NO_ERROR) return code
    }
    return NO_ERROR
  }

  #set(id: number, value: number): ErrorCode {
    switch (id) {
      case HEADER_TABLE_SIZE:
        this.headerTableBytes = value
        break
      case ENABLE_PUSH:
        // A server can't offer to be pushed to.
        if (value > 1 || (value === 1 && this.#role === 'client')) return PROTOCOL_ERROR
        break
      case MAX_CONCURRENT_STREAMS:
        this.concurrentStreams = value
        break
      case INITIAL_WINDOW_SIZE:
        if (value > LARGEST_WINDOW) return FLOW_CONTROL_ERROR
        this.initialWindow = value
        break
      case MAX_FRAME_SIZE:
        if (value < SMALLEST_FRAME_LIMIT || value > 2 ** 24 - 1) return PROTOCOL_ERROR
        this.frameBytes = value
        break
      case MAX_HEADER_LIST_SIZE:
        this.headerListBytes = value
        break
      case ENABLE_CONNECT_PROTOCOL:
        if (value > 1 || (value === 0 && this.connectProtocol)) return PROTOCOL_ERROR
        this.connectProtocol = value === 1
        break
      default:
        break
    }
    return NO_ERROR
  }
}

/** What is said about ours: only what is not so by itself. */
export function announcement(role: Role, settings: Http2Settings): (readonly [id: number, value: number])[] {
  const values: (readonly [number, number])[] = []
  if (settings.headerTableBytes !== 4096) values.push([HEADER_TABLE_SIZE, settings.headerTableBytes])
  if (role === 'client') values.push([ENABLE_PUSH, 0])
  else values.push([MAX_CONCURRENT_STREAMS, settings.concurrentStreams])
  if (settings.streamWindow !== INITIAL_WINDOW) values.push([INITIAL_WINDOW_SIZE, settings.streamWindow])
  if (settings.frameBytes !== SMALLEST_FRAME_LIMIT) values.push([MAX_FRAME_SIZE, settings.frameBytes])
  values.push([MAX_HEADER_LIST_SIZE, settings.headerListBytes])
  if (role === 'server' && settings.connectProtocol) values.push([ENABLE_CONNECT_PROTOCOL, 1])
  return values
}
