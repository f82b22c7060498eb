import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROXY_CORE } from '../cores.ts'
import { GRPC_HOST, HOST, type Peer } from '../peer.ts'
import { startPinned } from '../process.ts'

export const caddy: Peer = {
  name: 'caddy',
  tool: 'caddy',
  can: ['http2', 'grpc', 'websocket'],
  version: () => /(\d\S+)/.exec(spawnSync('caddy', ['version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
  start({ httpPort, tlsPort, backendPorts, grpcPorts, certificate, privateKey, folder }) {
    const root = join(folder, 'caddy')
    mkdirSync(root, { recursive: true })
    const proxy = (scheme: string, ports: readonly number[]): string => `reverse_proxy ${ports.map((port) => `${scheme}://127.0.0.1:${port}`).join(' ')} {
    lb_policy round_robin
    flush_interval -1
    header_up X-Real-IP {remote_host}
    header_up X-Request-ID {http.request.uuid}
    header_up X-Scheme {scheme}
    header_up X-Forwarded-Port {http.request.port}
  }`
    writeFileSync(
      join(root, 'Caddyfile'),
      `{
  admin off
  auto_https off
}
http://${HOST}:${httpPort} {
  bind 127.0.0.1
  ${proxy('http', backendPorts)}
}
https://${HOST}:${tlsPort}, https://127.0.0.1:${tlsPort} {
  bind 127.0.0.1
  tls ${certificate} ${privateKey}
  ${proxy('http', backendPorts)}
}
https://${GRPC_HOST}:${tlsPort} {
  bind 127.0.0.1
  tls ${certificate} ${privateKey}
  ${proxy('h2c', grpcPorts)}
}
`,
    )
    return startPinned(PROXY_CORE, 'caddy', ['run', '--config', join(root, 'Caddyfile')], { GOMAXPROCS: '1', HOME: root, XDG_DATA_HOME: root, XDG_CONFIG_HOME: root })
  },
}
