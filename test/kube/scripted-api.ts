// An API server that does what a test tells it: each list and each watch of one kind is answered by the next step of a script.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Reply = (response: ServerResponse, asked: Asked) => void | Promise<void>

export class ScriptedApi {
  readonly asked: Asked[] = []
  readonly #replies: Reply[]
  readonly #server: Server
  #waiting: (() => void)[] = []

  private constructor(replies: readonly Reply[], server: Server) {
    this.#replies = [...replies]
    this.#server = server
  }

  /** The last reply is repeated for ever. */
  static async start(...replies: readonly Reply[]): Promise<ScriptedApi> {
    const server = createServer((request, response) => void api.#answer(request, response))
    const api = new ScriptedApi(replies, server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resolves once that many calls have come. */
  async calls(count: number): Promise<void> {
    while (this.asked.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://api')
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const asked: Asked = { method: request.method ?? '', path: url.pathname, query: url.searchParams, headers: request.headers, body }
    const reply = this.#replies.length > 1 ? this.#replies.shift() : this.#replies[0]
    this.asked.push(asked)
    await reply?.(response, asked)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

export function object(name: string, version: string, address = '10.0.0.1'): object {
  return {
    metadata: { name, namespace: 'dev', resourceVersion: version, labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ port: 80 }],
    endpoints: [{ addresses: [address] }],
  }
}

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(value))
  }
}

export function listOf(version: string, items: readonly object[], token = ''): Reply {
  return json({ kind: 'List', metadata: { resourceVersion: version, ...(token !== '' && { continue: token }) }, items })
}

export function failure(code: number, reason: string, message = reason): Reply {
  return json({ kind: 'Status', status: 'Failure', code, reason, message }, code)
}

/** Sends the lines and then ends, hangs, or cuts the connection. */
export function stream(lines: readonly (object | string)[], end: 'end' | 'hang' | 'cut' = 'end'): Reply {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    for (const line of lines) response.write(typeof line === 'string' ? line : `${JSON.stringify(line)}\n`)
    if (end === 'end') response.end()
    if (end === 'cut') setImmediate(() => response.destroy())
  }
}

export const event = (type: string, object: object): object => ({ type, object })
export const bookmark = (version: string): object => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion: version } } })
export const gone: object = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } }
