// @fastify/http-proxy as its README has it, round robin over the backends, with the forwarded fields, on HTTP and HTTPS.
import { readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import proxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy'
import Fastify from 'fastify'
import { HOST, type Work } from '../peer.ts'

const work = JSON.parse(process.argv[2] ?? '{}') as Work
let turn = 0

function options(port: number, scheme: string): FastifyHttpProxyOptions & { readonly websocket: true } {
  return {
    upstream: '',
    websocket: true,
    constraints: { host: HOST },
    undici: { connections: 320, pipelining: 1, keepAliveTimeout: 60_000 },
    replyOptions: {
      getUpstream: () => `http://127.0.0.1:${work.backendPorts[turn++ % work.backendPorts.length]}`,
      // The backend's `Connection: keep-alive` would go to clients whose connection is closed then.
      rewriteHeaders: (headers) => {
        delete headers['connection']
        return headers
      },
      rewriteRequestHeaders: (request, headers) => ({
        ...headers,
        host: request.headers.host,
        'x-request-id': request.headers['x-request-id'] ?? randomBytes(16).toString('hex'),
        'x-real-ip': request.ip,
        'x-forwarded-for': request.ip,
        'x-forwarded-host': request.headers.host,
        'x-forwarded-port': String(port),
        'x-forwarded-proto': scheme,
        'x-scheme': scheme,
      }),
    },
  }
}

const bodyLimit = 64 * 1024 * 1024
const host = '127.0.0.1'
const plain = Fastify({ logger: false, bodyLimit })
await plain.register(proxy, options(work.httpPort, 'http'))
await plain.listen({ port: work.httpPort, host })
const tls = Fastify({ logger: false, bodyLimit, https: { key: readFileSync(work.privateKey), cert: readFileSync(work.certificate) } })
await tls.register(proxy, options(work.tlsPort, 'https'))
await tls.listen({ port: work.tlsPort, host })
