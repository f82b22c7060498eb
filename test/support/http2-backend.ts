// A backend of node:http2, in the clear by prior knowledge.
import { once } from 'node:events'
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream, type ServerOptions } from 'node:http2'
import type { AddressInfo } from 'node:net'

export interface Http2Backend {
  readonly server: Http2Server
  readonly port: number
  readonly sessions: ServerHttp2Session[]
  /** Open now. */
  open(): number
  close(): void
}

export async function startHttp2Backend(onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void, options: ServerOptions = {}, port = 0): Promise<Http2Backend> {
  const sessions: ServerHttp2Session[] = []
  const server = createServer(options)
  server.on('session', (session) => sessions.push(session.on('error', () => undefined)))
  server.on('sessionError', () => undefined)
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.once('error', () => undefined)
    onStream(stream, headers)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    port: (server.address() as AddressInfo).port,
    sessions,
    open: () => sessions.filter(({ destroyed }) => !destroyed).length,
    close() {
      for (const session of sessions) session.destroy()
      server.close()
    },
  }
}
