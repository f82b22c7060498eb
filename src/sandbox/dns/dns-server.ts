// The sandbox's DNS server: UDP, and TCP for answers that don't fit, both on one port.
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { isIPv6, createServer, type Server, type Socket } from 'node:net'
import type { Registry } from '../api-server/registry.ts'
import { lookUp } from './cluster-zone.ts'
import { reply } from './reply.ts'

export interface DnsServer {
  readonly port: number
  close(): void
}

const LARGEST_QUERY = 4096
const LARGEST_TCP = 65_535
const MOST_CONNECTIONS = 100
const IDLE_MS = 5000
/** A free UDP port may be taken for TCP. */
const ATTEMPTS = 10

/** Rejects with the error of binding. Port 0: any free one. */
export async function startDnsServer({ registry, address, port }: { readonly registry: Registry; readonly address: string; readonly port: number }): Promise<DnsServer> {
  const answer = (message: Buffer, largest?: number): Buffer | undefined => reply(message, (name, type) => lookUp(registry, name, type), largest)
  for (let attempt = 1; ; attempt++) {
    const udp = await bindUdp(address, port)
    const bound = udp.address().port
    try {
      const connections = new Set<Socket>()
      const tcp = await listenTcp(address, bound, (socket) => serve(socket, connections, answer))
      udp.on('message', (message, from) => {
        const bytes = message.length > LARGEST_QUERY ? undefined : answer(message)
        if (bytes !== undefined) udp.send(bytes, from.port, from.address, () => undefined)
      })
      return {
        port: bound,
        close() {
          udp.close()
          tcp.close()
          for (const socket of connections) socket.destroy()
        },
      }
    } catch (error) {
      udp.close()
      if (port !== 0 || attempt === ATTEMPTS) throw error
    }
  }
}

function bindUdp(address: string, port: number): Promise<UdpSocket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, address }, () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

function listenTcp(host: string, port: number, serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer(serve)
  server.maxConnections = MOST_CONNECTIONS
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

/** Each message with its length before it (RFC 1035, 4.2.2), answered in order. */
function serve(socket: Socket, connections: Set<Socket>, answer: (message: Buffer, largest: number) => Buffer | undefined): void {
  let waiting: Buffer = Buffer.alloc(0)
  connections.add(socket)
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  socket.on('error', () => undefined)
  socket.on('close', () => connections.delete(socket))
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= 2) {
      const length = waiting.readUInt16BE(0)
      if (length > LARGEST_QUERY) {
        socket.destroy()
        return
      }
      if (waiting.length < length + 2) return
      const bytes = answer(waiting.subarray(2, length + 2), LARGEST_TCP)
      waiting = waiting.subarray(length + 2)
      if (bytes === undefined) {
        socket.destroy()
        return
      }
      const prefix = Buffer.alloc(2)
      prefix.writeUInt16BE(bytes.length)
      socket.write(Buffer.concat([prefix, bytes]))
    }
  })
}
