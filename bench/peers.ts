// All proxies that are measured; the first is ours.
import type { Peer } from './peer.ts'
import { caddy } from './peers/caddy.ts'
import { haproxy } from './peers/haproxy.ts'
import { narthex } from './peers/narthex.ts'
import { nginx } from './peers/nginx.ts'
import { fastifyHttpProxy, httpProxy3 } from './peers/npm.ts'

export const PEERS: readonly Peer[] = [narthex, nginx, haproxy, caddy, fastifyHttpProxy, httpProxy3]
