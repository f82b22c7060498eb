import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROXY_CORE } from '../cores.ts'
import { GRPC_HOST, HOST, type Peer } from '../peer.ts'
import { startPinned } from '../process.ts'

/** With what ingress-nginx sends to a backend by default: the forwarded fields and a request id. */
export const nginx: Peer = {
  name: 'nginx',
  tool: 'nginx',
  can: ['http2', 'grpc', 'websocket'],
  version: () => /nginx\/(\S+)/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr ?? '')?.[1],
  start({ httpPort, tlsPort, backendPorts, grpcPorts, certificate, privateKey, folder }) {
    const root = join(folder, 'nginx')
    mkdirSync(root, { recursive: true })
    writeFileSync(
      join(root, 'nginx.conf'),
      `daemon off; user root; worker_processes 1; pid ${root}/pid; error_log ${root}/error.log crit;
events { worker_connections 32768; multi_accept on; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 75s; client_max_body_size 0;
  client_body_temp_path ${root}/body; proxy_temp_path ${root}/proxy; fastcgi_temp_path ${root}/f; uwsgi_temp_path ${root}/u; scgi_temp_path ${root}/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  map $http_x_request_id $req_id { default $http_x_request_id; '' $request_id; }
  upstream backend { ${backendPorts.map((port) => `server 127.0.0.1:${port};`).join(' ')} keepalive 320; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${httpPort} default_server backlog=4096; return 404; }
  upstream grpc { ${grpcPorts.map((port) => `server 127.0.0.1:${port};`).join(' ')} keepalive 320; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${tlsPort} ssl http2 default_server backlog=4096; ssl_certificate ${certificate}; ssl_certificate_key ${privateKey}; ssl_protocols TLSv1.2 TLSv1.3; return 404; }
  server {
    listen 127.0.0.1:${httpPort}; listen 127.0.0.1:${tlsPort} ssl http2; server_name ${HOST};
    ssl_certificate ${certificate}; ssl_certificate_key ${privateKey}; ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://backend; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
      proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Request-ID $req_id; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Scheme $scheme; proxy_set_header X-Scheme $scheme; proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
      proxy_set_header Proxy "";
    }
  }
  server {
    listen 127.0.0.1:${tlsPort} ssl http2; server_name ${GRPC_HOST};
    ssl_certificate ${certificate}; ssl_certificate_key ${privateKey}; ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      grpc_pass grpc://grpc;
      grpc_set_header Host $http_host;
      grpc_set_header X-Request-ID $req_id; grpc_set_header X-Real-IP $remote_addr; grpc_set_header X-Forwarded-For $remote_addr;
      grpc_set_header X-Forwarded-Host $http_host; grpc_set_header X-Forwarded-Port $server_port; grpc_set_header X-Forwarded-Proto $scheme;
      grpc_set_header X-Forwarded-Scheme $scheme; grpc_set_header X-Scheme $scheme; grpc_set_header X-Original-Forwarded-For $http_x_forwarded_for;
      grpc_set_header Proxy "";
    }
  }
}
`,
    )
    return startPinned(PROXY_CORE, 'nginx', ['-c', join(root, 'nginx.conf'), '-e', join(root, 'error.log')])
  },
}
