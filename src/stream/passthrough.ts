// TLS connections that the proxy has read the ClientHello of and hands over: to the backend of their host, as they came.
import { createRoutedBackend, type BackendParts, type RoutedBackend } from './stream-backend.ts'
import type { PassedConnection } from '../http/tls/passthrough.ts'
import type { RoutingConfig } from '../model/routing.ts'
import type { StreamRecorder } from '../observe/stream-counters.ts'
import type { StreamContext } from './destination.ts'
import { TcpConnection } from './tcp-connection.ts'

export interface PassthroughParts {
  /** Made when first asked for. */
  readonly context: () => StreamContext
  readonly backends: BackendParts
  readonly recorder: StreamRecorder
  /** Called when nothing is open any more. */
  readonly onIdle: () => void
}

export interface PassthroughSide {
  take(connection: PassedConnection): void
  /** From now on; open connections stay where they are. */
  use(backends: RoutingConfig['backends']): void
  readonly open: number
  close(): void
}

const KEEP_ALIVE_MS = 60_000

export function createPassthroughSide({ context, backends: parts, recorder, onIdle }: PassthroughParts): PassthroughSide {
  let backends: RoutingConfig['backends'] = new Map()
  /** By Backend.id, of those that a connection came for. */
  const routed = new Map<string, RoutedBackend>()
  /** By host. */
  const connections = new Map<string, Set<TcpConnection>>()
  let open = 0

  function backendOf(id: string | undefined): RoutedBackend | undefined {
    const backend = id === undefined ? undefined : backends.get(id)
    if (backend === undefined) return undefined
    const known = routed.get(backend.id)
    if (known === undefined) {
      const made = createRoutedBackend(backend, parts)
      routed.set(backend.id, made)
      return made
    }
    if (known.backend !== backend) known.update(backend)
    return known
  }

  return {
    take({ socket, host, target, early, proxied }) {
      const counters = recorder.of(`tls/${host}`)
      const backend = backendOf(target.backend)
      const { settings } = context()
      const present = connections.get(host) ?? new Set()
      const most = settings.connectionsPerPort
      if (backend === undefined || (most > 0 && present.size >= most)) {
        if (backend === undefined) counters.failed()
        else counters.refused()
        socket.resetAndDestroy()
        return
      }
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      counters.opened()
      open++
      connections.set(host, present)
      let gone = false
      const connection = new TcpConnection(socket, {
        context: context(),
        destination: { backend, proxyIn: false, proxyOut: target.proxyOut },
        counters,
        begun: { early, proxied },
        onClosed(closed) {
          gone = true
          counters.closed()
          open--
          present.delete(closed)
          if (present.size === 0) connections.delete(host)
          if (open === 0) onIdle()
        },
      })
      // It may have ended within its constructor: no endpoint.
      if (!gone) present.add(connection)
    },
    use(next) {
      backends = next
      for (const id of routed.keys()) if (!next.has(id)) routed.delete(id)
    },
    get open() {
      return open
    },
    close() {
      for (const all of connections.values()) for (const connection of all) connection.close()
    },
  }
}
