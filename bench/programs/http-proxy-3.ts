// http-proxy-3 behind node:http servers, round robin over the backends, with the forwarded fields, on HTTP and HTTPS.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, createServer as createPlain, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { Duplex } from 'node:stream'
import { createProxyServer } from 'http-proxy-3'
import { HOST, type Work } from '../peer.ts'

const work = JSON.parse(process.argv[2] ?? '{}') as Work
const targets = work.backendPorts.map((port) => `http://127.0.0.1:${port}`)
const proxy = createProxyServer({ agent: new Agent({ keepAlive: true, maxSockets: 320, maxFreeSockets: 320 }) })
let turn = 0

proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response) response.writeHead(502).end()
  else response.destroy()
})

function nextTarget(): string {
  turn = (turn + 1) % targets.length
  return targets[turn] ?? ''
}

/** Its `xfwd` would add to what clients send; the others replace it. */
function forward(request: IncomingMessage, port: number, scheme: string): void {
  const { headers } = request
  const address = request.socket.remoteAddress
  headers['x-request-id'] ??= randomBytes(16).toString('hex')
  headers['x-real-ip'] = address
  headers['x-forwarded-for'] = address
  headers['x-forwarded-host'] = headers.host
  headers['x-forwarded-port'] = String(port)
  headers['x-forwarded-proto'] = scheme
  headers['x-scheme'] = scheme
}

function isKnown({ headers: { host } }: IncomingMessage): boolean {
  return host?.split(':')[0] === HOST
}

function answer(port: number, scheme: string): RequestListener {
  return (request, response) => {
    if (!isKnown(request)) {
      response.writeHead(404).end()
      return
    }
    forward(request, port, scheme)
    proxy.web(request, response, { target: nextTarget() })
  }
}

function upgrade(port: number, scheme: string): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    if (!isKnown(request)) {
      socket.destroy()
      return
    }
    forward(request, port, scheme)
    proxy.ws(request, socket, head, { target: nextTarget() })
  }
}

const plain = createPlain(answer(work.httpPort, 'http')).on('upgrade', upgrade(work.httpPort, 'http'))
plain.listen(work.httpPort, '127.0.0.1')
const secure = createSecure({ key: readFileSync(work.privateKey), cert: readFileSync(work.certificate) }, answer(work.tlsPort, 'https'))
secure.on('upgrade', upgrade(work.tlsPort, 'https')).listen(work.tlsPort, '127.0.0.1')
