// TLS clients that shake hands, end the connection, and come again. Writes what it counted as JSON.
import { once } from 'node:events'
import { connect, type SecureVersion, type TLSSocket } from 'node:tls'

export interface HandshakesTask {
  readonly port: number
  readonly serverName: string
  readonly version: SecureVersion
  readonly resume: boolean
  readonly clients: number
  readonly seconds: number
}

export interface HandshakesCount {
  readonly whole: number
  readonly resumed: number
  readonly errors: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const task = JSON.parse(process.argv[2] ?? '{}') as HandshakesTask
const times: number[] = []
let whole = 0
let resumed = 0
let errors = 0

function dial(session?: Buffer): TLSSocket {
  const { port, serverName: servername, version } = task
  return connect({ host: '127.0.0.1', port, servername, minVersion: version, maxVersion: version, rejectUnauthorized: false, ecdhCurve: 'X25519:P-256', ALPNProtocols: ['http/1.1'], ...(session && { session }) })
}

/** Of TLS 1.3 they come behind the handshake. */
async function firstSession(): Promise<Buffer> {
  const socket = dial()
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.end()
  return session
}

const session = task.resume ? await firstSession() : undefined
const end = performance.now() + task.seconds * 1000

async function client(): Promise<void> {
  while (performance.now() < end) {
    const began = performance.now()
    const socket = dial(session)
    try {
      await once(socket, 'secureConnect')
      times.push(performance.now() - began)
      if (socket.isSessionReused()) resumed++
      else whole++
      socket.resume().end()
      await once(socket, 'close')
    } catch {
      errors++
    }
    socket.on('error', () => undefined).destroy()
  }
}

await Promise.all(Array.from({ length: task.clients }, client))
times.sort((a, b) => a - b)
const count: HandshakesCount = { whole, resumed, errors, p50: times[Math.floor(times.length * 0.5)] ?? NaN, p99: times[Math.floor(times.length * 0.99)] ?? NaN }
process.stdout.write(`${JSON.stringify(count)}\n`)
process.exit(0)
