// One listening port of a simulated pod: binds it where the machine lets it, answers, logs, drains, closes.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { answer, type NamePlate } from './pod-answer.ts'
import { accessLine, type PodLog } from './pod-log.ts'

export interface PodServer {
  /** The port really bound; differs from the one asked for where the machine refused that. */
  readonly port: number
  /** Goes on answering, but says `Connection: close` on every answer. */
  drain(): void
  /** Stops accepting, lets answers in flight finish for `graceMs`, then cuts them. Resolves when all is closed. */
  stop(graceMs: number): Promise<void>
}

export interface PodServerOptions {
  readonly plate: NamePlate
  readonly address: string
  readonly port: number
  /** Rejects with EADDRINUSE instead of taking another port: another address may have it. */
  readonly exactly?: boolean
  readonly log: PodLog
  readonly closing?: Closing
}

/** How a pod ends each connection after one answer: with `Connection: close`, or without a word. Absent: it keeps them. */
export type Closing = 'announced' | 'silent'

const KEEP_ALIVE_MS = 75_000
const LARGEST_HEADERS = 256 * 1024
const LARGEST_MESSAGE = 16 * 1024 ** 2
const MOST_CONNECTIONS = 10_000
/** Errors of bind that another port may avoid: rights, or a wildcard listener of another program. */
const PORT_REFUSED = new Set(['EACCES', 'EADDRINUSE', 'EPERM'])

/** Throws with code EADDRNOTAVAIL where the platform has no such address. */
export async function startPodServer({ plate, address, port, exactly = false, log, closing }: PodServerOptions): Promise<PodServer> {
  const stopping = new AbortController()
  const inFlight = new Set<ServerResponse>()
  let draining = false
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 0,
    maxHeaderSize: LARGEST_HEADERS,
    // Anything but a WebSocket (h2c, for one) is answered as the plain request that it also is.
    shouldUpgradeCallback: isWebSocket,
  }, (request, response) => {
    inFlight.add(response)
    if (draining || closing === 'announced') response.setHeader('Connection', 'close')
    if (closing === 'silent') response.on('finish', () => request.socket.end())
    response.on('close', () => {
      inFlight.delete(response)
      note(request, response, log)
      // Node closes idle connections once, when told to; this one became idle later.
      if (stopping.signal.aborted) setImmediate(() => server.closeIdleConnections())
    })
    answer(request, response, { plate, port: bound.port, stopping: stopping.signal })
  })
  server.maxConnections = MOST_CONNECTIONS
  const sockets = echoWebSockets(server, log)
  const bound = await listen(server, address, port, exactly)

  const drain = (): void => {
    draining = true
    for (const response of inFlight) if (!response.headersSent) response.setHeader('Connection', 'close')
  }

  return {
    port: bound.port,
    drain,
    async stop(graceMs) {
      drain()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      stopping.abort()
      for (const client of sockets.clients) client.close(1001, 'pod is stopping')
      if (graceMs <= 0) cut(server, sockets)
      const timer = setTimeout(() => cut(server, sockets), graceMs)
      await closed
      clearTimeout(timer)
    },
  }
}

async function listen(server: Server, address: string, port: number, exactly: boolean): Promise<AddressInfo> {
  try {
    return await listenOn(server, address, port)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (port === 0 || !PORT_REFUSED.has(code) || (exactly && code === 'EADDRINUSE')) throw error
    return listenOn(server, address, 0)
  }
}

function listenOn(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject)
      const at = server.address()
      if (at === null || typeof at === 'string') reject(new Error('not a TCP server'))
      else resolve(at)
    })
  })
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket' && (request.url ?? '').split('?', 1)[0]?.endsWith('/ws') === true
}

/** `/ws` sends every message back as it came. */
function echoWebSockets(server: Server, log: PodLog): WebSocketServer {
  const echo = new WebSocketServer({ noServer: true, maxPayload: LARGEST_MESSAGE, perMessageDeflate: false })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    echo.handleUpgrade(request, socket, head, (client) => {
      log.append(Date.now(), lineOf(request, 101, 0))
      client.on('error', () => client.terminate())
      client.on('message', (data, isBinary) => {
        client.send(data, { binary: isBinary }, () => client.resume())
        // A client that does not read its echo is not read either.
        if (client.bufferedAmount > LARGEST_MESSAGE) client.pause()
      })
    })
  })
  return echo
}

function cut(server: Server, sockets: WebSocketServer): void {
  for (const client of sockets.clients) client.terminate()
  server.closeAllConnections()
}

function note(request: IncomingMessage, response: ServerResponse, log: PodLog): void {
  const length = Number(response.getHeader('content-length') ?? 0)
  // 499 as nginx writes it: the client left before the answer was complete.
  log.append(Date.now(), lineOf(request, response.writableFinished ? response.statusCode : 499, request.method === 'HEAD' ? 0 : length))
}

function lineOf(request: IncomingMessage, status: number, bytes: number): string {
  return accessLine({
    client: request.socket.remoteAddress ?? '-',
    at: new Date(),
    request: `${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}`,
    status,
    bytes,
    referer: request.headers.referer ?? '-',
    userAgent: request.headers['user-agent'] ?? '-',
  })
}
