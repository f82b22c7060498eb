// The error codes of RFC 9113 section 7.

export const NO_ERROR = 0
export const PROTOCOL_ERROR = 1
export const INTERNAL_ERROR = 2
export const FLOW_CONTROL_ERROR = 3
export const SETTINGS_TIMEOUT = 4
export const STREAM_CLOSED = 5
export const FRAME_SIZE_ERROR = 6
export const REFUSED_STREAM = 7
export const CANCEL = 8
export const COMPRESSION_ERROR = 9
export const CONNECT_ERROR = 10
export const ENHANCE_YOUR_CALM = 11
export const INADEQUATE_SECURITY = 12
export const HTTP_1_1_REQUIRED = 13

/** Any number that a peer may send; those above are known. */
export type ErrorCode = number

const NAMES: readonly string[] = [
  'NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED', 'FRAME_SIZE_ERROR',
  'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM', 'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED',
]

/** For logs. */
export function errorName(code: ErrorCode): string {
  return NAMES[code] ?? `0x${code.toString(16)}`
}
