// HTTP/1.1 with and without TLS: small requests, large bodies, new connections.
import { COST_COLUMNS, cheaperThan, costContenders, costSeconds } from '../cost.ts'
import type { Goal, Scenario } from '../scenario.ts'
import { wrk, type WrkLoad } from '../wrk.ts'

export interface Http1Scenario extends Scenario {
  readonly load: WrkLoad
}

function http1(name: string, title: string, how: string, load: WrkLoad, goals: readonly Goal[]): Http1Scenario {
  return {
    name,
    title,
    how,
    load,
    needs: ['wrk'],
    columns: COST_COLUMNS,
    goals,
    contenders: (peers) => costContenders(peers, goals, (work, seconds) => wrk(work, seconds, load)),
    lasts: costSeconds,
  }
}

export const HTTP1: readonly Http1Scenario[] = [
  http1('get', '120-byte GET over HTTP', '64 connections that are kept, one request after another on each.', { path: '/' }, [
    cheaperThan('nginx', 1),
    cheaperThan('caddy', 0.27),
    cheaperThan('@fastify/http-proxy', 0.27),
  ]),
  http1('get-tls', '120-byte GET over HTTPS', 'As before, through TLS 1.3; certificate ECDSA P-256.', { path: '/', tls: true }, [cheaperThan('nginx', 1.1)]),
  http1('get-64k', '64 KiB response', '64 connections, HTTP.', { path: '/64k' }, [cheaperThan('nginx', 1.3)]),
  http1('get-1m', '1 MiB response', '16 connections, HTTP.', { path: '/1m', connections: 16 }, [cheaperThan('nginx', 1.3)]),
  http1('post-1m', '1 MiB upload', '16 connections, HTTP, the length is known.', { path: '/upload', connections: 16, body: 1024 * 1024 }, [cheaperThan('nginx', 1.3)]),
  http1('connect', 'A new connection for each request', '120-byte GET over HTTP, 64 clients, `Connection: close`.', { path: '/', close: true }, [cheaperThan('nginx', 1.5)]),
]
