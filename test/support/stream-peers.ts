// Small programs on both sides of a TCP or UDP service: what a test connects with, and what it serves with.
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export interface TcpBackend {
  readonly port: number
  readonly server: Server
  /** In the order in which they came. */
  readonly connections: Socket[]
  close(): void
}

/** `serve` gets each connection, and echoes if left out; half-open ones are allowed. */
export async function tcpBackend(serve: (socket: Socket) => void = (socket) => void socket.pipe(socket), port = 0, address = '127.0.0.1'): Promise<TcpBackend> {
  const connections: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  server.listen(port, address)
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
export async function udpPeer(answer?: (text: string) => string, port = 0, address = '127.0.0.1'): Promise<UdpPeer> {
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
  socket.bind(port, address)
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
