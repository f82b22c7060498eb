import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOST, type Peer } from '../peer.ts'
import { PROXY_CORE, startPinned } from '../process.ts'

export const haproxy: Peer = {
  name: 'haproxy',
  version: () => /version (\S+?)[-\s]/.exec(spawnSync('haproxy', ['-v'], { encoding: 'utf8' }).stdout ?? '')?.[1],
  start({ httpPort, tlsPort, backendPorts, certificate, privateKey, folder }) {
    const root = join(folder, 'haproxy')
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, 'pair.pem'), readFileSync(certificate, 'utf8') + readFileSync(privateKey, 'utf8'))
    writeFileSync(
      join(root, 'haproxy.cfg'),
      `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 75s
  timeout server 60s
  timeout connect 5s
  timeout http-keep-alive 75s
  http-reuse always
frontend in
  bind 127.0.0.1:${httpPort}
  bind 127.0.0.1:${tlsPort} ssl crt ${root}/pair.pem
  unique-id-format %[uuid()]
  unique-id-header X-Request-ID
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
  http-request set-header X-Scheme http if !{ ssl_fc }
  use_backend pods if { hdr(host) -i ${HOST} }
backend pods
  balance roundrobin
${backendPorts.map((port, i) => `  server s${i} 127.0.0.1:${port}`).join('\n')}
`,
    )
    return startPinned(PROXY_CORE, 'haproxy', ['-db', '-f', join(root, 'haproxy.cfg')])
  },
}
