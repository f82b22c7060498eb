// One UDP port: a table of clients, each with its endpoint for as long as it is not silent, bounded in number.
import { createSocket, type RemoteInfo } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { plainAddress } from '../http/proxy-protocol/write.ts'
import type { Destination, ListenAt, Listener, ListenerParts } from './destination.ts'
import { UdpSession } from './udp-session.ts'

const MOST_QUEUED = 4 * 1024 * 1024
const NONE: ReadonlySet<string> = new Set()

/** Rejects with the error of `bind`. */
export function listenUdp(at: ListenAt, first: Destination, { context, counters, onIdle }: ListenerParts): Promise<Listener> {
  /** By `address port` of the client. */
  const byClient = new Map<string, UdpSession>()
  /** With those whose endpoint is gone: they only wait for replies. */
  const sessions = new Set<UdpSession>()
  let destination = first
  let closed = false
  const isAny = at.address === ''
  const socket = createSocket({ type: isAny || isIPv6(at.address) ? 'udp6' : 'udp4', reusePort: at.reusePort })

  function received(datagram: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`
    const known = byClient.get(key)
    const session = known !== undefined && destination.backend.has(known.endpoint) ? known : begin(key, from)
    if (session === undefined) return
    counters.received(datagram.length)
    session.send(datagram)
  }

  function begin(key: string, from: RemoteInfo): UdpSession | undefined {
    if (sessions.size >= context.settings.udpClientsPerPort) {
      counters.refused()
      return undefined
    }
    const lease = destination.backend.take({ address: plainAddress(from.address), port: from.port }, NONE)
    if (lease === undefined) {
      counters.failed()
      return undefined
    }
    const session = new UdpSession({
      context,
      lease,
      onReply(datagram) {
        if (socket.getSendQueueSize() > MOST_QUEUED) return
        counters.sent(datagram.length)
        socket.send(datagram, from.port, from.address, () => undefined)
      },
      onClosed(closed) {
        counters.closed()
        sessions.delete(closed)
        if (byClient.get(key) === closed) byClient.delete(key)
        if (sessions.size === 0) onIdle()
      },
    })
    counters.opened()
    byClient.set(key, session)
    sessions.add(session)
    return session
  }

  function close(): void {
    if (closed) return
    closed = true
    for (const session of sessions) session.close()
    socket.close()
  }

  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port: at.port, exclusive: true, ...(isAny ? {} : { address: at.address }) }, () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      socket.on('message', received)
      resolve({
        get destination() {
          return destination
        },
        set destination(next) {
          destination = next
        },
        port: socket.address().port,
        get open() {
          return sessions.size
        },
        // Without the port nothing could be replied.
        stop: close,
        close,
      })
    })
  })
}
