// The messages of the WebSocket scenarios, and how a connection is asked for.
import { HOST } from './peer.ts'

const TEXT = Buffer.alloc(120, 'narthex ')
const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78])

/** RFC 6455 5.2: a final text frame of less than 126 bytes. */
export const REPLY_FRAME = Buffer.concat([Buffer.from([0x81, TEXT.length]), TEXT])

/** As clients send it. */
export const MASKED_FRAME = Buffer.concat([Buffer.from([0x81, 0x80 | TEXT.length]), MASK, TEXT.map((byte, i) => byte ^ (MASK[i % 4] ?? 0))])

export const UPGRADE = `GET /socket HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
