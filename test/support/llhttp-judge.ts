// llhttp, in Node's own server, as a judge of requests written one after the other: which ones it finds in the bytes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { duplexPair } from 'node:stream'

export interface Framed {
  readonly method: string
  readonly target: string
  readonly body: string
}

/** To be written behind the others: what the last of them left over would be its beginning. */
export const LAST = { framed: { method: 'GET', target: '/last', body: '' }, text: 'GET /last HTTP/1.1\r\nHost: a\r\n\r\n' }

/** The requests that llhttp finds in `bytes`; it stops where it finds a fault. */
export async function judged(bytes: string, count: number): Promise<{ readonly found: Framed[]; readonly fault: string | undefined }> {
  const found: Framed[] = []
  const [client, side] = duplexPair()
  return new Promise((resolve) => {
    const server = createServer({ insecureHTTPParser: false, maxHeaderSize: 256 * 1024, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 })
    const end = (fault: string | undefined): void => {
      client.destroy()
      side.destroy()
      resolve({ found, fault })
    }
    const take = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
      let data = ''
      incoming.setEncoding('latin1').on('data', (part: string) => (data += part))
      incoming.on('end', () => {
        found.push({ method: incoming.method ?? '', target: incoming.url ?? '', body: data })
        outgoing.end()
        if (found.length === count) end(undefined)
      })
    }
    server.on('request', take).on('checkContinue', take)
    server.on('clientError', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    server.emit('connection', side)
    client.on('error', () => undefined).resume()
    client.write(Buffer.from(bytes, 'latin1'))
  })
}
