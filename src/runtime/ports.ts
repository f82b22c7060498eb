// Claims the ports before any thread listens: a port of 0 becomes a number that all threads share, and a port that someone
// else has is found out. With SO_REUSEPORT alone a second Narthex of the same user would silently take half of the connections.
import { once } from 'node:events'
import { createServer, type ListenOptions, type Server } from 'node:net'
import type { ListenerSettings } from './messages.ts'

export interface ClaimedPorts {
  /** As asked for, with the real port numbers. */
  readonly listeners: readonly ListenerSettings[]
  /** Whether several threads may listen on one port on this system. */
  readonly reusePort: boolean
  /** Lets go of them, so that those who are to serve can listen: until then connections are accepted and reset. */
  release(): Promise<void>
}

/** Rejects with the error of `listen` (EADDRINUSE, EACCES …) for a port that can't be had. */
export async function claimPorts(asked: readonly ListenerSettings[]): Promise<ClaimedPorts> {
  const held: Server[] = []
  const listeners: ListenerSettings[] = []
  let reusePort = true
  try {
    for (const listener of asked) {
      if (listener.port !== 0) await close(await listen(listener, false))
      let server: Server
      try {
        server = await listen(listener, true)
      } catch (error) {
        if (!isUnsupported(error)) throw error
        reusePort = false
        server = await listen(listener, false)
      }
      held.push(server)
      listeners.push({ ...listener, port: portOf(server) })
    }
  } catch (error) {
    await Promise.all(held.map(close))
    throw error
  }
  return {
    listeners,
    reusePort,
    release: async () => {
      await Promise.all(held.splice(0).map(close))
    },
  }
}

async function listen({ port, address }: ListenerSettings, reusePort: boolean): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  const options: ListenOptions = { port, reusePort, exclusive: true, ...(address === '' ? {} : { host: address }) }
  server.listen(options)
  await once(server, 'listening')
  return server
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function isUnsupported(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTSUP' || error.code === 'EINVAL' || error.code === 'ENOSYS')
}
