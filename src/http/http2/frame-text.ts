// Frames as latin1 text, so that those of a whole turn leave in one string (RFC 9113 section 6).
import type { ErrorCode } from './error-code.ts'

export const DATA = 0
export const HEADERS = 1
export const PRIORITY = 2
export const RST_STREAM = 3
export const SETTINGS = 4
export const PUSH_PROMISE = 5
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

/** Flags; the first means two things. */
export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
export const PADDED = 8
export const WITH_PRIORITY = 32

export const HEAD_BYTES = 9
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
export const LARGEST_WINDOW = 2 ** 31 - 1
export const INITIAL_WINDOW = 65_535
export const SMALLEST_FRAME_LIMIT = 16_384

export function frameHead(length: number, type: number, flags: number, id: number): string {
  return String.fromCharCode(length >>> 16, (length >>> 8) & 255, length & 255, type, flags, (id >>> 24) & 127, (id >>> 16) & 255, (id >>> 8) & 255, id & 255)
}

function int32(value: number): string {
  return String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

/** A header block, cut where the peer wants it. `flags` of the first frame, END_HEADERS excepted. */
export function headersText(block: string, flags: number, id: number, mostBytes: number): string {
  if (block.length <= mostBytes) return frameHead(block.length, HEADERS, flags | END_HEADERS, id) + block
  let text = frameHead(mostBytes, HEADERS, flags, id) + block.slice(0, mostBytes)
  for (let start = mostBytes; start < block.length; start += mostBytes) {
    const end = Math.min(start + mostBytes, block.length)
    text += frameHead(end - start, CONTINUATION, end === block.length ? END_HEADERS : 0, id) + block.slice(start, end)
  }
  return text
}

export function resetText(id: number, code: ErrorCode): string {
  return frameHead(4, RST_STREAM, 0, id) + int32(code)
}

export function settingsText(values: readonly (readonly [id: number, value: number])[]): string {
  let text = frameHead(6 * values.length, SETTINGS, 0, 0)
  for (const [id, value] of values) text += String.fromCharCode(id >>> 8, id & 255) + int32(value)
  return text
}

export const SETTINGS_ACK = frameHead(0, SETTINGS, ACK, 0)

/** `payload`: eight bytes. */
export function pingText(payload: string, flags: number): string {
  return frameHead(8, PING, flags, 0) + payload
}

export function goAwayText(lastId: number, code: ErrorCode): string {
  return frameHead(8, GOAWAY, 0, 0) + int32(lastId) + int32(code)
}

export function windowUpdateText(id: number, increment: number): string {
  return frameHead(4, WINDOW_UPDATE, 0, id) + int32(increment)
}
