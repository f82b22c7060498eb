// The backends: one nginx with three ports for HTTP/1.1 and three for gRPC, cheaper than anything that it is measured through.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOAD_CORE } from './cores.ts'
import { accepting, startPinned, type Running } from './process.ts'
import type { Stage } from './stage.ts'

/** A message of gRPC: not compressed, five bytes long. */
export const GRPC_MESSAGE = '\0\0\0\0\x05hello'

/** `/` 120 bytes, `/64k` and `/1m` files, `/upload` takes bodies of up to 2 MiB; any unary gRPC call is answered with a message and its trailers. */
export async function startBackends({ folder, backendPorts, grpcPorts }: Pick<Stage, 'folder' | 'backendPorts' | 'grpcPorts'>): Promise<Running> {
  const root = join(folder, 'backend')
  mkdirSync(root, { recursive: true })
  writeFileSync(join(root, '64k'), 'x'.repeat(64 * 1024))
  writeFileSync(join(root, '1m'), 'x'.repeat(1024 * 1024))
  writeFileSync(join(root, 'message'), GRPC_MESSAGE)
  const listens = backendPorts.map((port) => `listen 127.0.0.1:${port};`).join(' ')
  const grpcListens = grpcPorts.map((port) => `listen 127.0.0.1:${port} http2;`).join(' ')
  writeFileSync(
    join(root, 'nginx.conf'),
    `daemon off; user root; worker_processes 1; pid ${root}/pid; error_log ${root}/error.log crit;
events { worker_connections 16384; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 0; http2_max_concurrent_streams 1024;
  client_body_temp_path ${root}/body; proxy_temp_path ${root}/proxy; fastcgi_temp_path ${root}/f; uwsgi_temp_path ${root}/u; scgi_temp_path ${root}/s;
  server {
    ${listens}
    location = / { default_type text/plain; return 200 '${'x'.repeat(120)}'; }
    # Answered once all of it is here: nginx as a proxy closes the connection when the answer comes first.
    location = /upload { client_body_buffer_size 2m; proxy_pass http://127.0.0.1:${backendPorts[0]}/uploaded; proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length ''; }
    location = /uploaded { default_type text/plain; return 200 'ok'; }
    location / { root ${root}; default_type application/octet-stream; }
  }
  server {
    ${grpcListens}
    root ${root}; default_type application/grpc; etag off;
    # A file is not for POST, but the page of an error is.
    location / { error_page 405 =200 /message; try_files /message =404; add_trailer grpc-status 0; }
  }
}
`,
  )
  const running = startPinned(LOAD_CORE, 'nginx', ['-c', join(root, 'nginx.conf'), '-e', join(root, 'error.log')])
  await accepting(backendPorts[0] ?? grpcPorts[0] ?? 0)
  return running
}
