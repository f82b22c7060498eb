// node bench/slow.ts [seconds]: latency of 64 clients alone, and beside two that send their head byte by byte or take a
// large response in sips.
import { connect, type Socket } from 'node:net'
import { HOST, type Work } from './peer.ts'
import { narthex } from './peers/narthex.ts'
import { nginx } from './peers/nginx.ts'
import { SCENARIOS, type Measured } from './scenarios.ts'
import { onStage, withPeer } from './stage.ts'

const seconds = Number(process.argv[2] ?? 3)
const [get] = SCENARIOS
const ROUNDS = 3

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

const median = (of: readonly Measured[], pick: (measured: Measured) => number): string => (of.map(pick).toSorted((a, b) => a - b)[of.length >> 1] ?? NaN).toFixed(2)

await onStage(async (stage) => {
  for (const peer of [narthex, nginx]) {
    await withPeer(peer, stage, async (work: Work) => {
      if (get === undefined) return
      await get.run(work, 1)
      const alone: Measured[] = []
      const beside: Measured[] = []
      for (let round = 0; round < ROUNDS; round++) {
        alone.push(await get.run(work, seconds))
        const ends = [slowSender(work.httpPort), slowReader(work.httpPort)]
        beside.push(await get.run(work, seconds))
        for (const stop of ends) stop()
      }
      process.stdout.write(`${peer.name.padEnd(8)} alone p50 ${median(alone, ({ p50 }) => p50)} p99 ${median(alone, ({ p99 }) => p99)} ms  beside slow ones p50 ${median(beside, ({ p50 }) => p50)} p99 ${median(beside, ({ p99 }) => p99)} ms\n`)
    })
  }
})
process.exit(0)
