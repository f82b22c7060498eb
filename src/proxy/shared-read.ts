// Accepted sockets that read into one buffer instead of one allocated for each read: a tenth of the CPU of a small request.
// Node offers this (`onread`) for sockets that connect, not for those that a server accepts, so the socket is made here from the accepted
// handle. That handle is not public: where it does not look as expected, and with NARTHEX_PUBLIC_API_ONLY=1, nothing is changed and sockets
// come the usual way.
import { Socket, type OnReadOpts, type Server } from 'node:net'
import { SocketReader, type ReadBuffers } from '../http/read-buffers.ts'
import type { FirstBytes } from '../http/tls/front.ts'

type OnConnection = (this: object, error: unknown, handle: unknown) => void

export interface Reader {
  /** See SocketReader. */
  received(buffer: Buffer, count: number): boolean
}

/**
 * To be called once `server` listens. `accept` gets each socket in place of the `connection` event and answers who reads from it;
 * undefined: nobody, it was closed. False: nothing was changed.
 */
export function acceptShared(server: Server, buffers: ReadBuffers, accept: (socket: Socket) => Reader | undefined): boolean {
  return acceptHandles(server, (handle) => {
    const { onread } = new SocketReader(buffers, (buffer, count) => reader?.received(buffer, count) ?? false)
    const socket = socketOf(handle, onread)
    // Nothing is read before this turn of the event loop is over.
    const reader = socket && accept(socket)
  })
}

/** The same for sockets of which only the first bytes are read here. If TLS does not take them over then, they are streams like others from there on. */
export function acceptFirstBytes(server: Server, { shared }: ReadBuffers, accept: (socket: Socket) => FirstBytes | undefined): boolean {
  return acceptHandles(server, (handle) => {
    const callback = (count: number): boolean => {
      if (first === undefined || first.done) return socket?.push(Buffer.from(shared.subarray(0, count))) ?? false
      first.received(shared, count)
      return true
    }
    const socket = socketOf(handle, { buffer: shared, callback })
    const first = socket && accept(socket)
  })
}

function acceptHandles(server: Server, take: (handle: object) => void): boolean {
  if (process.env['NARTHEX_PUBLIC_API_ONLY'] === '1') return false
  const listener: unknown = Reflect.get(server, '_handle')
  if (typeof listener !== 'object' || listener === null) return false
  const usual: unknown = Reflect.get(listener, 'onconnection')
  if (!isOnConnection(usual)) return false
  const onConnection: OnConnection = function (error, handle) {
    // A failed accept is the server's to report.
    if (error || typeof handle !== 'object' || handle === null) usual.call(this, error, handle)
    else take(handle)
  }
  return Reflect.set(listener, 'onconnection', onConnection)
}

function socketOf(handle: object, onread: OnReadOpts): Socket | undefined {
  const socket: unknown = Reflect.construct(Socket, [{ handle, onread, allowHalfOpen: true, readable: true, writable: true }])
  return socket instanceof Socket ? socket.setNoDelay(true) : undefined
}

function isOnConnection(value: unknown): value is OnConnection {
  return typeof value === 'function' && value.length === 2
}
