// Accepted sockets that read into one buffer instead of one allocated for each read: a tenth of the CPU of a small request.
// Node offers this (`onread`) for sockets that connect, not for those that a server accepts, so the socket is made here from the accepted
// handle. That handle is not public: where it does not look as expected, and with NARTHEX_PUBLIC_API_ONLY=1, nothing is changed and sockets
// come the usual way.
import { Socket, type Server } from 'node:net'
import { SocketReader, type ReadBuffers } from '../http/read-buffers.ts'

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
  if (process.env['NARTHEX_PUBLIC_API_ONLY'] === '1') return false
  const listener: unknown = Reflect.get(server, '_handle')
  if (typeof listener !== 'object' || listener === null) return false
  const usual: unknown = Reflect.get(listener, 'onconnection')
  if (!isOnConnection(usual)) return false
  const take: OnConnection = function (error, handle) {
    // A failed accept is the server's to report.
    if (error || typeof handle !== 'object' || handle === null) return usual.call(this, error, handle)
    const { onread } = new SocketReader(buffers, (buffer, count) => reader?.received(buffer, count) ?? false)
    const socket: unknown = Reflect.construct(Socket, [{ handle, onread, allowHalfOpen: true, readable: true, writable: true }])
    if (!(socket instanceof Socket)) return
    socket.setNoDelay(true)
    // Nothing is read before this turn of the event loop is over.
    const reader = accept(socket)
  }
  return Reflect.set(listener, 'onconnection', take)
}

function isOnConnection(value: unknown): value is OnConnection {
  return typeof value === 'function' && value.length === 2
}
