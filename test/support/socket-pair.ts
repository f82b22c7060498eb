// Two ends of one TCP connection.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface SocketPair {
  readonly writing: Socket
  /** Paused. */
  readonly reading: Socket
  destroy(): void
}

export async function socketPair(): Promise<SocketPair> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const reading = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }).pause()
  const [writing] = (await once(server, 'connection')) as [Socket]
  server.close()
  return {
    writing,
    reading,
    destroy() {
      reading.destroy()
      writing.destroy()
    },
  }
}
