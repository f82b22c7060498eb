import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROXY_CORE } from '../cores.ts'
import { GRPC_HOST, HOST, type Peer } from '../peer.ts'
import { startPinned } from '../process.ts'

export const haproxy: Peer = {
  name: 'haproxy',
  tool: 'haproxy',
  can: ['http2', 'grpc', 'websocket'],
  version: () => /version (\S+?)[-\s]/.exec(spawnSync('haproxy', ['-v'], { encoding: 'utf8' }).stdout ?? '')?.[1],
  start({ httpPort, tlsPort, backendPorts, grpcPorts, certificate, privateKey, folder }) {
    const root = join(folder, 'haproxy')
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, 'pair.pem'), readFileSync(certificate, 'utf8') + readFileSync(privateKey, 'utf8'))
    writeFileSync(
      join(root, 'haproxy.cfg'),
      `global
  nbthread 1
  maxconn 12000
  no strict-limits
defaults
  mode http
  timeout tunnel 1h
  timeout client 75s
  timeout server 60s
  timeout connect 5s
  timeout http-keep-alive 75s
  http-reuse always
frontend in
  bind 127.0.0.1:${httpPort}
  bind 127.0.0.1:${tlsPort} ssl crt ${root}/pair.pem alpn h2,http/1.1
  unique-id-format %[uuid()]
  unique-id-header X-Request-ID
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
  http-request set-header X-Scheme http if !{ ssl_fc }
  use_backend pods if { hdr(host),host_only -i ${HOST} }
  use_backend grpc if { hdr(host),host_only -i ${GRPC_HOST} }
backend pods
  balance roundrobin
${backendPorts.map((port, i) => `  server s${i} 127.0.0.1:${port}`).join('\n')}
backend grpc
  balance roundrobin
${grpcPorts.map((port, i) => `  server s${i} 127.0.0.1:${port} proto h2`).join('\n')}
`,
    )
    return startPinned(PROXY_CORE, 'haproxy', ['-db', '-f', join(root, 'haproxy.cfg')])
  },
}
