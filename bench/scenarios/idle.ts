// Memory of connections that are open and idle.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HOST, type Peer } from '../peer.ts'
import { residentBytes } from '../process.ts'
import type { Contender, Scenario } from '../scenario.ts'
import { withPeer } from '../stage.ts'

const COUNT = 10_000
const AT_ONCE = 100

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: idle\r\n\r\n`)
  await once(socket, 'data')
  return socket.on('error', () => undefined)
}

async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => open(port)))))
  }
  return sockets
}

function idle(peer: Peer): Contender['measure'] {
  return (stage) =>
    withPeer(peer, stage, async ({ httpPort }, running) => {
      // Warm first, so that what grows once for all is there already.
      for (const socket of await openMany(httpPort, 2 * AT_ONCE)) socket.destroy()
      await sleep(500)
      const before = residentBytes(running.pid)
      const sockets = await openMany(httpPort, COUNT)
      await sleep(2000)
      const grown = residentBytes(running.pid) - before
      const stillOpen = sockets.filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded).length
      for (const socket of sockets) socket.destroy()
      return { each: grown / COUNT / 1024, all: grown / 1024 ** 2, open: stillOpen }
    })
}

export const IDLE: Scenario = {
  name: 'idle',
  title: `${COUNT.toLocaleString('en')} idle connections`,
  how: 'HTTP, each kept after one request; what resident memory grew by.',
  columns: [
    { title: 'KiB each', figure: 'each', digits: 1 },
    { title: 'MiB in all', figure: 'all', digits: 0 },
    { title: 'still open', figure: 'open', digits: 0 },
  ],
  goals: [{ contender: 'narthex', figure: 'each', most: 8, unit: 'KiB', digits: 1 }],
  contenders: (peers) => peers.map((peer) => ({ name: peer.name, once: peer.name !== 'narthex', measure: idle(peer) })),
  lasts: () => 6,
}
