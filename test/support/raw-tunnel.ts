// A tunnel with bare sockets at both ends.
import { once } from 'node:events'
import { RawClient } from './raw-client.ts'
import type { Script, ScriptedUpstream, UpstreamSide } from './scripted-upstream.ts'

const REQUEST = 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n'
const RESPONSE = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n'

/** A backend that switches whenever it is asked to. */
export const SWITCHING: Script = {
  onHead({ connection }) {
    connection.raw = true
    connection.socket.write(RESPONSE)
  },
}

export interface RawTunnel {
  readonly client: RawClient
  readonly backend: UpstreamSide
}

/** `upstream` runs the script SWITCHING. */
export async function openTunnel(port: number, upstream: ScriptedUpstream): Promise<RawTunnel> {
  const client = await RawClient.connect(port)
  const before = upstream.connections.length
  client.send(REQUEST)
  const { status } = await client.response()
  if (status !== 101) throw new Error(`no tunnel: ${status}`)
  const backend = upstream.connections[before]
  if (backend === undefined) throw new Error('no connection to the backend')
  // Only what comes now.
  backend.received = ''
  return { client, backend }
}

/** The error with which the socket closed, if it did so by one: ECONNRESET tells a reset from an end. */
export async function closedBy(socket: RawClient['socket']): Promise<string | undefined> {
  if (socket.closed) return socket.errored === null ? undefined : codeOf(socket.errored)
  let code: string | undefined
  socket.once('error', (error) => (code = codeOf(error)))
  await new Promise((resolve) => socket.once('close', resolve))
  return code
}

const codeOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message

/** Writes pieces until the other end has not taken one for `patience` milliseconds; answers the bytes that left. */
export async function fill(socket: RawClient['socket'], piece: Buffer, patience = 500): Promise<number> {
  for (;;) {
    if (socket.write(piece)) continue
    const drained = await Promise.race([once(socket, 'drain').then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, patience, false))])
    if (!drained) return socket.bytesWritten - socket.writableLength
  }
}
