// Whether slow clients slow down the others.
import { connect, type Socket } from 'node:net'
import { HOST, type Peer, type Work } from '../peer.ts'
import type { Goal, Sample, Scenario } from '../scenario.ts'
import { withPeer } from '../stage.ts'
import { wrk, type Measured } from '../wrk.ts'

const CLIENTS = 198
/** Milliseconds between two requests of a client, on average: a tenth of what a proxy can do, since at its limit a p99 says how long the queue is and nothing else. */
const REST = 40
const ALLOWED = 1.1

function slowSender(port: number): () => void {
  const socket = connect({ host: '127.0.0.1', port }).on('error', () => undefined)
  const head = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Slow: ${'x'.repeat(2000)}`
  let sent = 0
  const timer = setInterval(() => socket.write(head[sent++] ?? 'x'), 20)
  return () => end(socket, timer)
}

function slowReader(port: number): () => void {
  const socket = connect({ host: '127.0.0.1', port }).on('error', () => undefined)
  socket.write(`GET /1m HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  socket.on('data', () => socket.pause())
  const timer = setInterval(() => socket.resume(), 100)
  return () => end(socket, timer)
}

function end(socket: Socket, timer: NodeJS.Timeout): void {
  clearInterval(timer)
  socket.destroy()
}

const others = (work: Work, seconds: number): Promise<Measured> => wrk(work, seconds, { path: '/', connections: CLIENTS, rest: REST })

/** Without and with in one process, one right after the other. */
function measure(peer: Peer): (stage: Parameters<typeof withPeer>[1], seconds: number) => Promise<Sample> {
  return (stage, seconds) =>
    withPeer(peer, stage, async (work) => {
      await others(work, 1)
      const alone = await others(work, seconds)
      const ends = [slowSender(work.httpPort), slowReader(work.httpPort)]
      const beside = await others(work, seconds).finally(() => {
        for (const stop of ends) stop()
      })
      return { p50: alone.p50, p99: alone.p99, p50Beside: beside.p50, p99Beside: beside.p99, ratio: beside.p99 / alone.p99, errors: alone.errors + beside.errors }
    })
}

const goal = (contender: string): Goal => ({ contender, figure: 'ratio', most: ALLOWED, unit: '× p99 without slow clients', digits: 2 })

export const SLOW_CLIENTS: Scenario = {
  name: 'slow-clients',
  title: 'One client in a hundred is slow',
  how: `Latency of ${CLIENTS} clients that rest ${REST} ms before each GET (HTTP, kept connections), without and then beside one client that sends its head byte by byte and one that takes a 1 MiB response in sips.`,
  needs: ['wrk'],
  columns: [
    { title: 'p50 ms', figure: 'p50', digits: 2 },
    { title: 'p99 ms', figure: 'p99', digits: 2 },
    { title: 'p50 ms, with slow ones', figure: 'p50Beside', digits: 2 },
    { title: 'p99 ms, with slow ones', figure: 'p99Beside', digits: 2 },
    { title: 'p99, × without', figure: 'ratio', digits: 2 },
    { title: 'errors', figure: 'errors', digits: 0, sum: true },
  ],
  goals: [goal('narthex')],
  contenders: (peers) => peers.filter(({ name }) => name === 'narthex' || name === 'nginx').map((peer) => ({ name: peer.name, measure: measure(peer) })),
  lasts: (seconds) => 2 + 2 * seconds,
}
