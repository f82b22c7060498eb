// node bench/programs/websocket-clients.ts PORT SECONDS CONNECTIONS: each sends a message, waits for the answer, sends the next; prints
// what it saw as JSON.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { MASKED_FRAME, REPLY_FRAME, UPGRADE } from '../websocket-frames.ts'
import type { Measured } from '../wrk.ts'

const [port, seconds, connections] = process.argv.slice(2).map(Number)
const times: number[] = []
let errors = 0
let isOver = false

async function open(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: port ?? 0, noDelay: true })
  socket.write(UPGRADE)
  const [head] = (await once(socket, 'data')) as [Buffer]
  if (!head.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(`no 101 but ${head.toString('latin1').slice(0, 40)}`)
  return socket
}

function talk(socket: Socket): void {
  let pending = 0
  let start = performance.now()
  socket.on('data', (chunk) => {
    pending += chunk.length
    if (pending < REPLY_FRAME.length || isOver) return
    pending = 0
    const now = performance.now()
    times.push(now - start)
    start = now
    socket.write(MASKED_FRAME)
  })
  socket.on('close', () => {
    if (!isOver) errors++
  })
  socket.on('error', () => undefined).write(MASKED_FRAME)
}

const sockets = await Promise.all(Array.from({ length: connections ?? 0 }, open))
const began = performance.now()
for (const socket of sockets) talk(socket)
setTimeout(() => {
  isOver = true
  const elapsed = (performance.now() - began) / 1000
  for (const socket of sockets) socket.destroy()
  times.sort((a, b) => a - b)
  const quantile = (share: number): number => times[Math.floor(times.length * share)] ?? NaN
  const measured: Measured = { requests: times.length, requestsPerSecond: times.length / elapsed, p50: quantile(0.5), p99: quantile(0.99), refused: 0, errors }
  process.stdout.write(JSON.stringify(measured))
}, (seconds ?? 0) * 1000)
