// A proxy before the API server that writes down every exchange in the form of the recordings.
import { createServer, request as forward } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Exchange } from './recordings.ts'

export interface RecordingProxy {
  readonly url: string
  /** The exchanges since the last call. */
  take(): Exchange[]
  /** Whether a watch is among them. */
  sawWatch(): boolean
  close(): Promise<void>
}

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  let exchanges: Exchange[] = []

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const sent: Buffer[] = []
    const call = forward(`${target}${incoming.url ?? ''}`, { method: incoming.method ?? 'GET', headers: incoming.headers, agent: false }, (answer) => {
      const got: Buffer[] = []
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      outgoing.flushHeaders()
      answer.on('data', (chunk: Buffer) => {
        got.push(chunk)
        outgoing.write(chunk)
      })
      // Written down when it begins: a watch may never end, its lines are looked at when the exchanges are taken.
      const path = incoming.url ?? ''
      const isWatch = isWatchPath(path)
      exchanges.push({
        request: { method: incoming.method ?? 'GET', path, ...(incoming.headers.accept !== undefined && { accept: incoming.headers.accept }) },
        response: {
          status: answer.statusCode ?? 0,
          ...(answer.headers['content-type'] !== undefined && { contentType: answer.headers['content-type'] }),
          ...(answer.headers['warning'] !== undefined && { warning: answer.headers['warning'] }),
          get body() {
            return isWatch ? undefined : parse(Buffer.concat(got).toString())
          },
          get lines() {
            return isWatch ? Buffer.concat(got).toString().split('\n').filter((line) => line !== '').map(parse) : undefined
          },
        },
      })
      answer.on('close', () => outgoing.end())
    })
    call.on('error', () => outgoing.destroy())
    outgoing.on('close', () => call.destroy())
    incoming.on('data', (chunk: Buffer) => {
      sent.push(chunk)
      call.write(chunk)
    })
    incoming.on('end', () => call.end())
  }

  const server = createServer(pass)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sawWatch: () => exchanges.some(({ request }) => isWatchPath(request.path)),
    take() {
      const taken = exchanges
      exchanges = []
      return taken
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function isWatchPath(path: string): boolean {
  return /[?&]watch=(true|1)/.test(path)
}
