// One TCP port: accepts, bounds how many are open, and lets those go on that are open when it stops.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Destination, ListenAt, Listener, ListenerParts } from './destination.ts'
import { TcpConnection } from './tcp-connection.ts'

const KEEP_ALIVE_MS = 60_000

/** Rejects with the error of `listen` (EADDRINUSE, EACCES). Nobody is taken before `destination` can be reached. */
export function listenTcp(at: ListenAt, first: Destination, { context, counters, onIdle }: ListenerParts): Promise<Listener> {
  const connections = new Set<TcpConnection>()
  let destination = first
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, accept)

  function accept(socket: Socket): void {
    const most = context.settings.connectionsPerPort
    if (most > 0 && connections.size >= most) {
      counters.refused()
      socket.on('error', () => undefined)
      socket.resetAndDestroy()
      return
    }
    counters.opened()
    const connection = new TcpConnection(socket, {
      context,
      destination,
      counters,
      onClosed(closed) {
        counters.closed()
        gone.add(closed)
        connections.delete(closed)
        if (connections.size === 0) onIdle()
      },
    })
    // It may have ended within its constructor: no endpoint.
    if (!gone.has(connection)) connections.add(connection)
  }
  const gone = new WeakSet<TcpConnection>()

  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: at.port, reusePort: at.reusePort, exclusive: true, ...(at.address === '' ? {} : { host: at.address }) }, () => {
      server.off('error', reject)
      server.on('error', () => undefined)
      resolve({
        get destination() {
          return destination
        },
        set destination(next) {
          destination = next
        },
        port: (server.address() as AddressInfo).port,
        get open() {
          return connections.size
        },
        stop: () => void server.close(),
        close() {
          server.close()
          for (const connection of connections) connection.close()
        },
      })
    })
  })
}
