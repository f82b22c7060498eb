// One client of a UDP service: a socket of its own to the endpoint that it was given, so that replies are known to be its.
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { Timer } from '../base/timer-wheel.ts'
import type { Endpoint } from '../model/routing.ts'
import type { StreamContext } from './destination.ts'
import type { Lease } from './stream-backend.ts'

/** Datagrams that wait for the socket, and bytes that wait in it; more are dropped, as a network would. */
const MOST_EARLY = 16
const MOST_QUEUED = 1024 * 1024

export interface UdpSessionParts {
  readonly context: StreamContext
  readonly lease: Lease
  readonly onReply: (datagram: Buffer) => void
  readonly onClosed: (session: UdpSession) => void
}

export class UdpSession {
  readonly endpoint: Endpoint
  readonly #parts: UdpSessionParts
  readonly #socket: Socket
  readonly #timer: Timer
  #early: Buffer[] | undefined = []
  #open = true

  constructor(parts: UdpSessionParts) {
    const { context, lease: { endpoint } } = parts
    this.#parts = parts
    this.endpoint = endpoint
    this.#timer = new Timer(context.wheel, { timedOut: () => this.close() })
    this.#socket = createSocket(isIPv6(endpoint.address) ? 'udp6' : 'udp4')
    this.#socket.on('message', (datagram) => {
      this.#touch()
      parts.onReply(datagram)
    })
    // ICMP says that nobody is there: the next datagram gets another endpoint.
    this.#socket.on('error', () => this.#refused())
    this.#socket.connect(endpoint.port, endpoint.address, () => this.#connected())
    this.#touch()
  }

  send(datagram: Buffer): void {
    this.#touch()
    if (this.#early !== undefined) {
      if (this.#early.length < MOST_EARLY) this.#early.push(datagram)
    } else if (this.#socket.getSendQueueSize() < MOST_QUEUED) this.#socket.send(datagram, () => undefined)
  }

  close(): void {
    this.#end(true)
  }

  #refused(): void {
    if (this.#open) this.#parts.lease.failed?.()
    this.#end(false)
  }

  #end(reached: boolean): void {
    if (!this.#open) return
    this.#open = false
    this.#timer.drop()
    this.#socket.close()
    this.#parts.lease.end(reached)
    this.#parts.onClosed(this)
  }

  #connected(): void {
    const early = this.#early ?? []
    this.#early = undefined
    if (this.#open) for (const datagram of early) this.send(datagram)
  }

  #touch(): void {
    this.#timer.set(this.#parts.context.settings.udpIdleTimeout)
  }
}
