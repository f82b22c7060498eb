// A port for what has to be told one before it listens.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** Free now, and of no program that starts while the test runs, as far as can be known. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
