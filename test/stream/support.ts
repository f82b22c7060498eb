// TCP and UDP services of one thread over real sockets, and small peers for both of their sides.
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { localCursors } from '../../src/balance/cursor.ts'
import type { Ejection } from '../../src/balance/endpoint-health.ts'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import type { Backend, Stream } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS, type StreamSettings } from '../../src/model/settings.ts'
import { newStreamCells, readStreamCells, streamCounters, type StreamFigures } from '../../src/observe/stream-counters.ts'
import { createStreams, type StreamConfig, type Streams } from '../../src/stream/streams.ts'

export interface StreamSpec {
  readonly protocol?: 'TCP' | 'UDP'
  /** 0: any free one, which `ports` of the streams tells. */
  readonly port?: number
  readonly proxyIn?: boolean
  readonly proxyOut?: boolean
  readonly scheduler?: Backend['scheduler']
  /** Ports on 127.0.0.1, or `address:port`. */
  readonly endpoints: readonly (number | string)[]
}

/** By stream id; each has a backend of its own. */
export function streamConfig(specs: Readonly<Record<string, StreamSpec>>): StreamConfig {
  const streams = new Map<string, Stream>()
  const backends = new Map<string, Backend>()
  for (const [id, { protocol = 'TCP', port = 0, proxyIn = false, proxyOut = false, scheduler = 'rr', endpoints }] of Object.entries(specs)) {
    const source = { object: { kind: 'ConfigMap', apiVersion: 'v1', namespace: 'test', name: 'tcp' }, field: `data[${port}]` }
    streams.set(id, { id, protocol, port, backend: id, proxyIn, proxyOut, source })
    backends.set(id, {
      id,
      namespace: 'test',
      service: id,
      port: '1',
      scheduler,
      endpoints: endpoints.map((each) => {
        const [address = '', at = ''] = typeof each === 'number' ? ['127.0.0.1', String(each)] : each.split(':')
        return { id: `${address}:${at}`, address, port: Number(at), weight: 1 }
      }),
    })
  }
  return { streams, backends }
}

export interface TestStreams {
  readonly streams: Streams
  port(id: string): number
  figures(id: string): StreamFigures
  readonly troubles: [string, string | undefined][]
}

export interface TestStreamsOptions extends Partial<StreamSettings> {
  readonly clock?: Clock
  readonly connectTimeout?: number
  readonly onEjected?: (ejection: Ejection) => void
}

export async function startStreams(config: StreamConfig, { clock = systemClock, connectTimeout = 1000, onEjected, ...settings }: TestStreamsOptions = {}): Promise<TestStreams> {
  const cells = new Map<string, Float64Array>()
  const cellsOf = (id: string): Float64Array => {
    const known = cells.get(id) ?? newStreamCells()
    cells.set(id, known)
    return known
  }
  const troubles: [string, string | undefined][] = []
  const streams = createStreams({
    address: '127.0.0.1',
    reusePort: false,
    settings: { ...DEFAULT_SETTINGS, timeouts: { ...DEFAULT_SETTINGS.timeouts, connect: connectTimeout }, streams: { ...DEFAULT_SETTINGS.streams, ...settings } },
    cursors: localCursors(),
    clock,
    random: () => 0.5,
    ...(onEjected === undefined ? {} : { onEjected }),
    recorder: { of: (id) => streamCounters(cellsOf(id)) },
    onTrouble: (id, code) => troubles.push([id, code]),
  })
  await streams.apply(config)
  return { streams, port: (id) => streams.ports().get(id) ?? 0, figures: (id) => readStreamCells(cellsOf(id)), troubles }
}

export interface TcpBackend {
  readonly port: number
  readonly server: Server
  /** In the order in which they came. */
  readonly connections: Socket[]
  close(): void
}

/** `serve` gets each connection; half-open ones are allowed. */
export async function tcpBackend(serve: (socket: Socket) => void = (socket) => void socket.pipe(socket), port = 0): Promise<TcpBackend> {
  const connections: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    server,
    connections,
    close() {
      server.close()
      for (const socket of connections) socket.destroy()
    },
  }
}

export interface Client {
  readonly socket: Socket
  /** All that came so far, as latin1. */
  text(): string
  /** Until so many bytes came in all. */
  received(bytes: number): Promise<string>
  /** Until the other side ended; answers all that came. */
  readonly ended: Promise<string>
  /** `end` for a clean close, else the code of the error. */
  readonly closed: Promise<string>
}

export async function dial(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  let waiting: (() => void)[] = []
  const wake = (): void => {
    const woken = waiting
    waiting = []
    for (const each of woken) each()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    wake()
  })
  let error = ''
  socket.on('error', (cause: NodeJS.ErrnoException) => (error = cause.code ?? 'error'))
  const ended = new Promise<string>((resolve) => socket.once('end', () => resolve(text)))
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(error === '' ? 'end' : error)))
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
  return {
    socket,
    text: () => text,
    async received(bytes) {
      while (text.length < bytes) await new Promise<void>((resolve) => waiting.push(resolve))
      return text
    },
    ended,
    closed,
  }
}

export interface UdpPeer {
  readonly socket: UdpSocket
  readonly port: number
  send(port: number, text: string): void
  /** The next datagram that was not asked for yet. */
  next(): Promise<string>
  readonly senders: number[]
}

/** With `answer` it replies to each datagram. */
export async function udpPeer(answer?: (text: string) => string, port = 0): Promise<UdpPeer> {
  const socket = createSocket('udp4')
  const senders: number[] = []
  const arrived: string[] = []
  let waiting: ((text: string) => void)[] = []
  socket.on('message', (datagram, from) => {
    senders.push(from.port)
    const text = datagram.toString()
    if (answer !== undefined) socket.send(answer(text), from.port, from.address)
    const [first, ...rest] = waiting
    waiting = rest
    if (first === undefined) arrived.push(text)
    else first(text)
  })
  socket.bind(port, '127.0.0.1')
  await once(socket, 'listening')
  return {
    socket,
    port: socket.address().port,
    send: (to, text) => socket.send(text, to, '127.0.0.1'),
    next: () => new Promise((resolve) => {
      const text = arrived.shift()
      if (text === undefined) waiting.push(resolve)
      else resolve(text)
    }),
    senders,
  }
}

/** A port that nothing listens on. */
export async function deadPort(): Promise<number> {
  const { port, close, server } = await tcpBackend()
  close()
  await once(server, 'close')
  return port
}

/** Looks again until it holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}
