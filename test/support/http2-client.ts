// Python's h2 as a client under the orders of a test: an HTTP/2 implementation that is not ours on the other end of the wire.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface Http2ClientOptions {
  readonly port: number
  readonly tls?: boolean
  readonly serverName?: string
  /** Of the socket, in bytes. */
  readonly receiveBuffer?: number
}

export interface Http2Event {
  readonly event: 'response' | 'interim' | 'trailers' | 'data' | 'end' | 'reset' | 'goaway' | 'settings' | 'window' | 'pong' | 'closed' | 'error'
  /** 0: of the connection. */
  readonly stream: number
  readonly fields?: readonly (readonly [string, string])[]
  readonly data?: string
  readonly code?: number
  readonly size?: number
  readonly settings?: Readonly<Record<string, number>>
  readonly message?: string
}

export type Fields = readonly (readonly [name: string, value: string])[]

export interface Http2Response {
  readonly status: number
  readonly fields: Fields
  readonly body: string
  readonly trailers: Fields
  readonly interim: readonly Fields[]
  /** Undefined: the stream ended well. */
  readonly reset: number | undefined
  field(name: string): string | undefined
}

const PROGRAM = fileURLToPath(new URL('http2-client.py', import.meta.url))

export class Http2TestClient {
  readonly events: Http2Event[] = []
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  #nextStream = 1
  #waiting: (() => void)[] = []

  constructor(options: Http2ClientOptions) {
    this.#process = spawn('/usr/bin/python3', [PROGRAM, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#process.stdin.on('error', () => undefined)
    createInterface(this.#process.stdout).on('line', (line) => {
      this.events.push(JSON.parse(line) as Http2Event)
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  order(order: Readonly<Record<string, unknown>>): void {
    this.#process.stdin.write(`${JSON.stringify(order)}\n`)
  }

  /** Sends a head as it is and answers its stream. */
  head(fields: Fields, end = true): number {
    const stream = this.#nextStream
    this.#nextStream += 2
    this.order({ do: 'head', stream, fields, end })
    return stream
  }

  data(stream: number, data: string, end = false): void {
    this.order({ do: 'data', stream, data, end })
  }

  /** Until there is one that meets the condition. */
  async event(condition: (event: Http2Event) => boolean): Promise<Http2Event> {
    for (;;) {
      const found = this.events.find(condition)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  of(stream: number, kind: Http2Event['event']): readonly Http2Event[] {
    return this.events.filter((event) => event.stream === stream && event.event === kind)
  }

  /** When the stream is over. */
  async response(stream: number): Promise<Http2Response> {
    const last = await this.event((event) => event.stream === stream && (event.event === 'end' || event.event === 'reset'))
    const fields = this.of(stream, 'response')[0]?.fields ?? []
    const field = (name: string): string | undefined => fields.find(([each]) => each === name)?.[1]
    return {
      status: Number(field(':status') ?? 0),
      fields,
      body: this.of(stream, 'data').map(({ data }) => data ?? '').join(''),
      trailers: this.of(stream, 'trailers')[0]?.fields ?? [],
      interim: this.of(stream, 'interim').map((event) => event.fields ?? []),
      reset: last.event === 'reset' ? last.code : undefined,
      field,
    }
  }

  async get(path = '/', fields: Fields = [], host = 'a'): Promise<Http2Response> {
    return this.response(this.head([...request('GET', path, host), ...fields]))
  }

  close(): void {
    this.#process.kill('SIGKILL')
  }
}

export function request(method: string, path = '/', host = 'a'): Fields {
  return [[':method', method], [':scheme', 'http'], [':authority', host], [':path', path]]
}
