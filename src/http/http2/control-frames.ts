// Frames that carry no message: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM, PRIORITY (RFC 9113 section 6).
import { ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, NO_ERROR, PROTOCOL_ERROR, type ErrorCode } from './error-code.ts'
import type { AbuseGuard } from './abuse-guard.ts'
import { ACK, GOAWAY, PING, pingText, PRIORITY, RST_STREAM, SETTINGS, SETTINGS_ACK, WINDOW_UPDATE } from './frame-text.ts'
import type { Outflow } from './outflow.ts'
import type { PeerSettings } from './peer-settings.ts'
import type { Streams } from './streams.ts'
import type { Http2Stream } from './stream.ts'
import { latin1 } from '../latin1.ts'

/** What control frames set going in the connection. */
export interface Controlled {
  readonly outflow: Outflow
  readonly peer: PeerSettings
  readonly streamTable: Streams
  readonly guard: AbuseGuard
  /** A frame that asks for work and carries none; false: that is enough. */
  bears(): boolean
  /** An answer that the peer asked for. */
  reply(text: string): void
  refuse(stream: Http2Stream, code: ErrorCode): void
  /** The peer's SETTINGS came; before they are acknowledged. */
  settingsChanged(): void
  settingsAcknowledged(): void
  pingAcknowledged(payload: string): void
  /** The peer has reset it. */
  streamReset(stream: Http2Stream, code: ErrorCode): void
  peerGoesAway(lastId: number, code: ErrorCode): void
}

/** Answers the connection error that the frame is, or NO_ERROR. Its head has been looked at. */
export function controlFrame(on: Controlled, type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): ErrorCode {
  switch (type) {
    case SETTINGS:
      return settingsFrame(on, flags, buffer, start, end)
    case PING:
      return pingFrame(on, flags, latin1(buffer, start, end))
    case WINDOW_UPDATE:
      return windowUpdateFrame(on, id, buffer.readUInt32BE(start) & 0x7fffffff)
    case RST_STREAM:
      return resetFrame(on, id, buffer.readUInt32BE(start))
    case PRIORITY:
      return priorityFrame(on, id, buffer, start, end)
    case GOAWAY:
      on.peerGoesAway(buffer.readUInt32BE(start) & 0x7fffffff, buffer.readUInt32BE(start + 4))
      return calm(on.bears())
    default:
      return NO_ERROR
  }
}

function calm(borne: boolean): ErrorCode {
  return borne ? NO_ERROR : ENHANCE_YOUR_CALM
}

function settingsFrame(on: Controlled, flags: number, buffer: Buffer, start: number, end: number): ErrorCode {
  if (!on.bears()) return ENHANCE_YOUR_CALM
  if ((flags & ACK) !== 0) {
    on.settingsAcknowledged()
    return NO_ERROR
  }
  const { peer, outflow } = on
  const code = peer.read(buffer, start, end)
  if (code !== NO_ERROR) return code
  outflow.frameBytes = peer.frameBytes
  const change = peer.initialWindow - outflow.initialWindow
  outflow.initialWindow = peer.initialWindow
  if (change !== 0) for (const stream of on.streamTable.open.values()) if (!stream.widen(change)) return FLOW_CONTROL_ERROR
  on.reply(SETTINGS_ACK)
  on.settingsChanged()
  if (change > 0) outflow.pump()
  return NO_ERROR
}

function pingFrame(on: Controlled, flags: number, payload: string): ErrorCode {
  if ((flags & ACK) !== 0) on.pingAcknowledged(payload)
  else on.reply(pingText(payload, ACK))
  return calm(on.bears())
}

function windowUpdateFrame(on: Controlled, id: number, increment: number): ErrorCode {
  const { streamTable: streams, outflow } = on
  if (!on.guard.windowUpdate(streams.opened, outflow.frames)) return ENHANCE_YOUR_CALM
  if (id === 0) {
    if (increment === 0) return PROTOCOL_ERROR
    return outflow.widen(increment) ? NO_ERROR : FLOW_CONTROL_ERROR
  }
  const stream = streams.open.get(id)
  if (stream === undefined) return streams.isIdle(id) ? PROTOCOL_ERROR : NO_ERROR
  if (increment === 0) on.refuse(stream, PROTOCOL_ERROR)
  else if (!stream.widen(increment)) on.refuse(stream, FLOW_CONTROL_ERROR)
  else if (stream.waits) outflow.pump()
  return NO_ERROR
}

function resetFrame(on: Controlled, id: number, code: ErrorCode): ErrorCode {
  const stream = on.streamTable.open.get(id)
  if (stream === undefined) return on.streamTable.isIdle(id) ? PROTOCOL_ERROR : calm(on.bears())
  on.streamReset(stream, code)
  return NO_ERROR
}

/** Without effect (RFC 9113 section 5.3.2), but not without rules. */
function priorityFrame(on: Controlled, id: number, buffer: Buffer, start: number, end: number): ErrorCode {
  if (!on.guard.priority(on.streamTable.opened)) return ENHANCE_YOUR_CALM
  const stream = on.streamTable.open.get(id)
  let code = NO_ERROR
  if (end - start !== 5) code = FRAME_SIZE_ERROR
  else if ((buffer.readUInt32BE(start) & 0x7fffffff) === id) code = PROTOCOL_ERROR
  if (code === NO_ERROR || stream === undefined) return code
  on.refuse(stream, code)
  return NO_ERROR
}
