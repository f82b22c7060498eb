// node bench/programs/handshakes.ts PORT SECONDS full|resumed: TLS handshakes, 16 at once, each over a new connection that is closed
// right after; prints what it saw as JSON. Resumed ones all have the ticket of one handshake before.
import { once } from 'node:events'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { HOST } from '../peer.ts'
import type { Measured } from '../wrk.ts'

const AT_ONCE = 16

const [port, seconds, kind] = process.argv.slice(2)
const options: ConnectionOptions = { host: '127.0.0.1', port: Number(port), servername: HOST, rejectUnauthorized: false }
if (kind === 'resumed') options.session = await ticket()

const times: number[] = []
let errors = 0
const began = performance.now()
const end = began + Number(seconds) * 1000
await Promise.all(Array.from({ length: AT_ONCE }, oneAfterAnother))
const elapsed = (performance.now() - began) / 1000
times.sort((a, b) => a - b)
const quantile = (share: number): number => times[Math.floor(times.length * share)] ?? NaN
const measured: Measured = { requests: times.length, requestsPerSecond: times.length / elapsed, p50: quantile(0.5), p99: quantile(0.99), refused: 0, errors }
process.stdout.write(JSON.stringify(measured))

async function oneAfterAnother(): Promise<void> {
  while (performance.now() < end) {
    const start = performance.now()
    const socket = connect(options)
    if ((await isDone(socket)) && socket.isSessionReused() === (kind === 'resumed')) times.push(performance.now() - start)
    else errors++
    socket.destroy()
  }
}

function isDone(socket: TLSSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('secureConnect', () => resolve(true)).on('error', () => resolve(false))
  })
}

async function ticket(): Promise<Buffer> {
  const socket = connect(options)
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  return session
}
