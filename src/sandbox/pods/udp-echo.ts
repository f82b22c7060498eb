// One UDP port of a simulated pod: sends every datagram back, with the pod's name in front.
import { createSocket } from 'node:dgram'
import type { PodLog } from './pod-log.ts'

export interface UdpEcho {
  close(): void
}

export interface UdpEchoOptions {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly log: PodLog
}

/** Resolves once it listens; rejects with the error of bind. */
export function openUdpEcho({ name, address, port, log }: UdpEchoOptions): Promise<UdpEcho> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reuseAddr: false })
  const prefix = Buffer.from(`${name} `)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject)
      socket.on('error', (error) => log.append(Date.now(), `udp/${port}: ${error.message}`))
      // What can't be sent, too large a reply for one, is lost: as datagrams are.
      socket.on('message', (data, from) => socket.send([prefix, data], from.port, from.address, () => undefined))
      resolve({ close: () => void socket.close() })
    })
  })
}
