// Joins a client and a backend after a 101, and ends the exchange with the tunnel.
import { Tunnel, type TunnelEnd } from '../http/tunnel.ts'
import type { UpstreamTunnel } from '../upstream/request.ts'
import type { ProxyContext } from './context.ts'
import type { Exchange } from './exchange.ts'

export function openTunnel(client: TunnelEnd, upstream: UpstreamTunnel, context: ProxyContext, exchange: Exchange): Tunnel {
  const { wheel, recorder } = context
  context.tunnels++
  recorder.tunnelOpened()
  const tunnel = new Tunnel(client, upstream.tunnelEnd(), { wheel, idleTimeout: exchange.timeouts.tunnel }, () => {
    context.tunnels--
    recorder.tunnelClosed()
    exchange.bytesIn += tunnel.bytesFromClient
    exchange.completed()
  })
  upstream.startTunnel(tunnel)
  return tunnel
}
