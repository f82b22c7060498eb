// Joins a client and a backend after a 101, and ends the exchange with the tunnel.
import { SocketEnd } from '../http/socket-end.ts'
import { Tunnel, type TunnelEnd } from '../http/tunnel.ts'
import type { UpstreamConnection } from '../upstream/connection.ts'
import type { ProxyContext } from './context.ts'
import type { Exchange } from './exchange.ts'

export function openTunnel(client: TunnelEnd, upstream: UpstreamConnection, context: ProxyContext, exchange: Exchange): Tunnel {
  const { wheel, settings, recorder } = context
  context.tunnels++
  recorder.tunnelOpened()
  const tunnel = new Tunnel(client, new SocketEnd(upstream.socket, upstream.writer, upstream), { wheel, idleTimeout: settings.timeouts.read }, () => {
    context.tunnels--
    recorder.tunnelClosed()
    exchange.bytesIn += tunnel.bytesFromClient
    exchange.completed()
  })
  upstream.startTunnel(tunnel)
  return tunnel
}
