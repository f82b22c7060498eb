// What the head of a frame alone can break: its size, and which stream it is of (RFC 9113 section 6).
import { FRAME_SIZE_ERROR, NO_ERROR, PROTOCOL_ERROR, type ErrorCode } from './error-code.ts'
import { ACK, CONTINUATION, DATA, GOAWAY, HEADERS, PING, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE } from './frame-text.ts'

/** The connection error that the frame is; NO_ERROR: none. A PRIORITY frame of wrong size is a stream's error only, and left to its reader. */
export function frameHeadError(type: number, flags: number, id: number, length: number): ErrorCode {
  switch (type) {
    case DATA:
    case HEADERS:
    case CONTINUATION:
    case PRIORITY:
      return id === 0 ? PROTOCOL_ERROR : NO_ERROR
    case RST_STREAM:
      if (id === 0) return PROTOCOL_ERROR
      return length === 4 ? NO_ERROR : FRAME_SIZE_ERROR
    case SETTINGS:
      if (id !== 0) return PROTOCOL_ERROR
      return length % 6 === 0 && ((flags & ACK) === 0 || length === 0) ? NO_ERROR : FRAME_SIZE_ERROR
    case PUSH_PROMISE:
      // As a client we have said that we want none; a server never gets one (section 8.4).
      return PROTOCOL_ERROR
    case PING:
      if (id !== 0) return PROTOCOL_ERROR
      return length === 8 ? NO_ERROR : FRAME_SIZE_ERROR
    case GOAWAY:
      if (id !== 0) return PROTOCOL_ERROR
      return length >= 8 ? NO_ERROR : FRAME_SIZE_ERROR
    case WINDOW_UPDATE:
      return length === 4 ? NO_ERROR : FRAME_SIZE_ERROR
    default:
      return NO_ERROR
  }
}
