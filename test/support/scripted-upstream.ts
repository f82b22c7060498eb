// A backend on a raw socket: records the bytes that each connection brought, reads requests strictly, and answers as the test says.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { readChunks } from './raw-response.ts'

export interface UpstreamRequest {
  readonly connection: UpstreamSide
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: string
  field(name: string): string | undefined
  /** How many fields have that name. */
  count(name: string): number
}

/** The upstream's end of one connection. */
export interface UpstreamSide {
  readonly socket: Socket
  readonly number: number
  /** All that came, latin1. */
  received: string
  ended: boolean
  closed: boolean
  /** What comes is no longer read as requests: set after a 101. */
  raw: boolean
}

/** `onHead` sees a request when its head is complete; `onRequest` with its body. Both write to `connection.socket`. */
export interface Script {
  onHead?(request: UpstreamRequest): void
  onRequest?(request: UpstreamRequest): void
  onConnection?(side: UpstreamSide): void
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

export class ScriptedUpstream {
  readonly requests: UpstreamRequest[] = []
  readonly connections: UpstreamSide[] = []
  /** Requests whose head was read, whole or not. */
  heads = 0
  script: Script
  readonly #server: Server
  #waiting: (() => void)[] = []

  private constructor(script: Script) {
    this.script = script
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
  }

  static async start(script: Script = {}, address = '127.0.0.1', port = 0): Promise<ScriptedUpstream> {
    const upstream = new ScriptedUpstream(script)
    upstream.#server.listen(port, address)
    await once(upstream.#server, 'listening')
    return upstream
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const side of this.connections) side.socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Until the condition holds, looked at whenever something happened. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #accept(socket: Socket): void {
    const side: UpstreamSide = { socket, number: this.connections.length, received: '', ended: false, closed: false, raw: false }
    this.connections.push(side)
    let unread = ''
    let headSeen = false
    this.script.onConnection?.(side)
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1')
      side.received += text
      unread += text
      while (!side.raw) {
        const head = readHead(unread, side)
        if (head === undefined) break
        if (!headSeen) {
          headSeen = true
          this.heads++
          this.script.onHead?.(head.request)
        }
        const body = readBody(unread.slice(head.size), head.request)
        if (body === undefined) break
        headSeen = false
        unread = unread.slice(head.size + body.size)
        const request = { ...head.request, body: body.data, trailers: body.trailers }
        this.requests.push(request)
        if (this.script.onRequest !== undefined) this.script.onRequest(request)
        else if (this.script.onHead === undefined) socket.write(request.method === 'HEAD' ? OK.slice(0, -2) : OK)
      }
      this.#wake()
    })
    socket.on('end', () => {
      side.ended = true
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      side.closed = true
      this.#wake()
    })
    this.#wake()
  }
}

function readHead(text: string, connection: UpstreamSide): { request: UpstreamRequest; size: number } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [requestLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const match = /^(\S+) (\S+) HTTP\/1\.1$/.exec(requestLine)
  if (match === null) throw new Error(`forwarded request line: ${JSON.stringify(requestLine)}`)
  const fields = lines.map((line): [string, string] => {
    const parts = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(?: ([^ \t]|[^ \t].*[^ \t]))?$/.exec(line)
    if (parts === null) throw new Error(`forwarded field line: ${JSON.stringify(line)}`)
    return [parts[1] ?? '', parts[2] ?? '']
  })
  const named = (name: string) => fields.filter(([each]) => each.toLowerCase() === name.toLowerCase())
  const request: UpstreamRequest = {
    connection,
    method: match[1] ?? '',
    target: match[2] ?? '',
    fields,
    body: '',
    trailers: '',
    field: (name) => named(name)[0]?.[1],
    count: (name) => named(name).length,
  }
  return { request, size: end + 4 }
}

function readBody(text: string, request: UpstreamRequest): { data: string; trailers: string; size: number } | undefined {
  if (request.field('transfer-encoding') !== undefined) return readChunks(text)
  const length = Number(request.field('content-length') ?? 0)
  return text.length < length ? undefined : { data: text.slice(0, length), trailers: '', size: length }
}
