// Health checks of endpoints that are spoken to in TLS or HTTP/2: over a connection as the data plane would make it, the check of its certificate included.
import { request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { BackendProtocol } from '../model/backend-protocol.ts'
import type { Endpoint } from '../model/routing.ts'
import { TlsDialer } from '../upstream/tls-dialer.ts'

type End = (trouble: string | undefined) => void

/** The method of gRPC's own health checks (grpc.health.v1); `http:` with this path asks in gRPC. */
export const GRPC_HEALTH = '/grpc.health.v1.Health/Check'
/** HealthCheckRequest for the server as a whole: no bytes, behind the five that frame a message. */
const WHOLE_SERVER = Buffer.alloc(5)
/** HealthCheckResponse with `status` SERVING. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1])
const LARGEST_HEAD = 16 * 1024
const LARGEST_ANSWER = 64

/** Without `path`: well if it takes the connection. */
export function tryProtocol(endpoint: Endpoint, protocol: BackendProtocol, path: string | undefined, host: string, end: End): { destroy(): void } {
  const { tls, version, asClient } = protocol
  const reached = (socket: Socket): void => {
    if (path === undefined) end(undefined)
    else if (version === 2) askHttp2(socket, path, host, end)
    else ask(socket, path, host, end)
  }
  const socket = tls === undefined || asClient === true ? overTcp(endpoint, reached) : overTls(endpoint, new TlsDialer(tls, protocol), reached, end)
  socket.on('error', (error) => end(codeOf(error)))
  socket.on('end', () => end('closed'))
  return socket
}

function overTcp({ address, port }: Endpoint, reached: (socket: Socket) => void): Socket {
  const socket = connect({ host: address, port, allowHalfOpen: true })
  socket.once('connect', () => reached(socket))
  return socket
}

function overTls(endpoint: Endpoint, dialer: TlsDialer, reached: (socket: Socket) => void, end: End): TLSSocket {
  const socket = dialer.connect(endpoint)
  socket.once('secureConnect', () => {
    const trouble = dialer.trouble(socket)
    if (trouble === undefined) reached(socket)
    else end(trouble)
  })
  return socket
}

function ask(socket: Socket, path: string, host: string, end: End): void {
  const sent = request({ createConnection: () => socket, path, maxHeaderSize: LARGEST_HEAD, headers: { Host: host, 'User-Agent': 'narthex-health-check', Connection: 'close' } })
  sent.on('response', (response) => {
    response.on('error', () => undefined)
    end(troubleOf(response.statusCode ?? 0))
  })
  sent.on('upgrade', () => end('status 101'))
  sent.on('error', (error) => end(codeOf(error)))
  sent.end()
}

function askHttp2(socket: Socket, path: string, host: string, end: End): void {
  const session = connectHttp2(`http://${host}`, { createConnection: () => socket })
  session.on('error', (error) => end(codeOf(error)))
  const isGrpc = path === GRPC_HEALTH
  const fields = { ':path': path, ':authority': host, 'user-agent': 'narthex-health-check' }
  const stream = session.request(isGrpc ? { ...fields, ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' } : fields, { endStream: !isGrpc })
  stream.on('error', (error) => end(codeOf(error)))
  stream.on('response', ({ ':status': status = 0, 'grpc-status': code }) => {
    if (!isGrpc || status !== 200) end(troubleOf(status))
    else if (code !== undefined && code !== '0') end(`grpc-status ${String(code)}`)
  })
  if (!isGrpc) return
  let answer = Buffer.alloc(0)
  stream.on('data', (part: Buffer) => (answer = Buffer.concat([answer, part]).subarray(0, LARGEST_ANSWER)))
  stream.on('end', () => end(answer.equals(SERVING) ? undefined : 'not serving'))
  stream.end(WHOLE_SERVER)
}

function troubleOf(status: number): string | undefined {
  return status >= 200 && status < 400 ? undefined : `status ${status}`
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'failed'
}
