// The backends: one nginx with three ports, cheaper than anything that it is measured through.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOAD_CORE, accepting, startPinned, type Running } from './process.ts'

/** `/` 120 bytes, `/64k` and `/1m` files; anything may be uploaded. */
export async function startBackends(folder: string, ports: readonly number[]): Promise<Running> {
  const root = join(folder, 'backend')
  // nginx started by root reads its files as another user.
  chmodSync(folder, 0o755)
  mkdirSync(root, { recursive: true })
  writeFileSync(join(root, '64k'), 'x'.repeat(64 * 1024))
  writeFileSync(join(root, '1m'), 'x'.repeat(1024 * 1024))
  const listens = ports.map((port) => `listen 127.0.0.1:${port};`).join(' ')
  writeFileSync(
    join(root, 'nginx.conf'),
    `daemon off; user root; worker_processes 1; pid ${root}/pid; error_log ${root}/error.log crit;
events { worker_connections 16384; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 0;
  client_body_temp_path ${root}/body; proxy_temp_path ${root}/proxy; fastcgi_temp_path ${root}/f; uwsgi_temp_path ${root}/u; scgi_temp_path ${root}/s;
  server {
    ${listens}
    location = / { default_type text/plain; return 200 '${'x'.repeat(120)}'; }
    location = /upload { default_type text/plain; return 200 'ok'; }
    location / { root ${root}; default_type application/octet-stream; }
  }
}
`,
  )
  const running = startPinned(LOAD_CORE, 'nginx', ['-c', join(root, 'nginx.conf'), '-e', join(root, 'error.log')])
  await accepting(ports[0] ?? 0)
  return running
}
