// Memory of connections that are open and idle.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HOST, type Peer } from '../peer.ts'
import { residentBytes } from '../process.ts'
import type { Column, Contender, Scenario } from '../scenario.ts'
import { withPeer } from '../stage.ts'
import { UPGRADE } from '../websocket-frames.ts'
import { canUpgrade, withEchoes } from './websocket.ts'

const CONNECTIONS = 10_000
/** Two files each of the 20,000 that a process may often have open. */
const TUNNELS = 9500
const AT_ONCE = 100
const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: idle\r\n\r\n`

async function open(port: number, request: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(request)
  const [head] = (await once(socket, 'data')) as [Buffer]
  const answer = head.toString('latin1', 0, 12)
  if (answer !== 'HTTP/1.1 200' && answer !== 'HTTP/1.1 101') throw new Error(`answered with ${answer}`)
  return socket.on('error', () => undefined)
}

async function openMany(port: number, request: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => open(port, request)))))
  }
  return sockets
}

function memoryOf(peer: Peer, request: string, count: number): Contender {
  return {
    name: peer.name,
    // Memory does not depend on what else the machine does.
    once: true,
    measure: (stage) =>
      withPeer(peer, stage, async ({ httpPort }, running) => {
        // Warm first, so that what grows once for all is there already.
        for (const socket of await openMany(httpPort, request, 2 * AT_ONCE)) socket.destroy()
        await sleep(500)
        const before = residentBytes(running.pid)
        const sockets = await openMany(httpPort, request, count)
        await sleep(2000)
        const grown = residentBytes(running.pid) - before
        const stillOpen = sockets.filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded).length
        for (const socket of sockets) socket.destroy()
        return { each: grown / count / 1024, all: grown / 1024 ** 2, open: stillOpen }
      }),
  }
}

const COLUMNS: readonly Column[] = [
  { title: 'KiB each', figure: 'each', digits: 1 },
  { title: 'MiB in all', figure: 'all', digits: 0 },
  { title: 'still open', figure: 'open', digits: 0 },
]

export const IDLE: Scenario = {
  name: 'idle',
  title: `${CONNECTIONS.toLocaleString('en')} idle connections`,
  how: 'HTTP, each kept after one request; what resident memory grew by.',
  columns: COLUMNS,
  goals: [{ contender: 'narthex', figure: 'each', most: 8, unit: 'KiB', digits: 1 }],
  contenders: (peers) => peers.map((peer) => memoryOf(peer, GET, CONNECTIONS)),
  lasts: () => 6,
}

export const IDLE_TUNNELS: Scenario = {
  name: 'idle-tunnels',
  title: `${TUNNELS.toLocaleString('en')} idle WebSocket connections`,
  how: 'HTTP, nothing sent after the upgrade; what resident memory grew by, with the connection to the backend that each has.',
  columns: COLUMNS,
  goals: [],
  contenders: (peers) => canUpgrade(peers)
      .filter(({ name }) => ['narthex', 'nginx', 'haproxy'].includes(name))
      .map((peer) => withEchoes(memoryOf(peer, UPGRADE, TUNNELS))),
  lasts: () => 7,
}
