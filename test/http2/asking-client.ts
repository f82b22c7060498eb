// The smallest client around the codec: one connection, requests as text, responses gathered.
import { connect, type Socket } from 'node:net'
import { Http2Connection } from '../../src/http/http2/connection.ts'
import type { FieldList } from '../../src/http/http2/field-list.ts'
import type { Http2Owner, StreamHandler } from '../../src/http/http2/handlers.ts'
import { encodeField } from '../../src/http/http2/hpack/encoder.ts'
import type { Http2Stream } from '../../src/http/http2/stream.ts'
import { SocketWriter } from '../../src/http/socket-writer.ts'
import { DEFAULT_HTTP2_SETTINGS, type Http2Settings } from '../../src/model/http2-settings.ts'
import { endSocket, wires, type Wires } from './answering-server.ts'

export interface Response {
  status: number
  interim: number[]
  fields: string
  body: string
  trailers: string
  /** -1: it came to its end. */
  code: number
  unprocessed: boolean
}

export interface Request {
  readonly method?: string
  readonly path: string
  readonly fields?: readonly (readonly [name: string, value: string])[]
  readonly body?: Buffer
  /** More of the body is to come. */
  readonly unfinished?: boolean
  readonly trailers?: readonly (readonly [name: string, value: string])[]
}

const block = (fields: readonly (readonly [string, string])[]): string => fields.map(([name, value]) => encodeField(name, value)).join('')
const lines = (list: FieldList | undefined): string => (list?.fields ?? []).map((field) => field.line).join('')

export class AskingClient {
  readonly socket: Socket
  readonly connection: Http2Connection
  /** What `ended` and `goingAway` said. */
  readonly ended: Promise<number>
  readonly goingAway: number[] = []
  #ended: (code: number) => void = () => undefined
  /** Called when a stream may be opened. */
  available = (): void => undefined

  constructor(socket: Socket, shared: Wires, settings: Http2Settings) {
    this.socket = socket
    this.ended = new Promise((resolve) => (this.#ended = resolve))
    const owner: Http2Owner = {
      opened: () => {
        throw new Error('a server opens no streams')
      },
      idle: () => undefined,
      streamsAvailable: () => this.available(),
      goingAway: (code) => this.goingAway.push(code),
      ended: (code) => {
        this.#ended(code)
        endSocket(socket, code)
      },
    }
    this.connection = new Http2Connection('client', { settings, writer: new SocketWriter(socket, shared.buffers, shared.turn), wheel: shared.wheel }, owner)
    socket.on('data', (bytes) => {
      if (typeof bytes !== 'string') this.connection.received(bytes, 0, bytes.length)
    })
    socket.on('drain', () => this.connection.drained())
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.connection.closed()
      this.#ended(-1)
    })
  }

  /** Undefined: no stream available. `watch` gets the stream, and each part of the body as it comes. */
  ask(request: Request, watch?: (stream: Http2Stream, bytes: number) => void): Promise<Response> | undefined {
    const { method = 'GET', path, fields = [], body, trailers } = request
    let stream: Http2Stream | undefined
    let started = (): void => undefined
    const answer = new Promise<Response>((resolve) => {
      const response: Response = { status: 0, interim: [], fields: '', body: '', trailers: '', code: -1, unprocessed: false }
      const handler: StreamHandler = {
        head: (list, endStream) => {
          response.status = list.status
          response.fields = lines(list)
          if (endStream) resolve(response)
        },
        interim: (list) => response.interim.push(list.status),
        data: (buffer, start, end) => {
          response.body += buffer.toString('latin1', start, end)
          if (stream !== undefined) watch?.(stream, end - start)
        },
        end: (list) => {
          response.trailers = lines(list)
          resolve(response)
        },
        reset: (code, unprocessed) => {
          response.code = code
          response.unprocessed = unprocessed
          resolve(response)
        },
        drained: () => undefined,
        turnEnd: () => undefined,
      }
      const head = block([[':method', method], [':scheme', 'http'], [':authority', 'a.example'], [':path', path], ...fields])
      const bodiless = body === undefined && trailers === undefined
      stream = this.connection.openStream(handler, head, bodiless, method === 'HEAD')
      started = () => {
        if (stream === undefined || bodiless) return
        if (body !== undefined) stream.sendData(body, 0, body.length, trailers === undefined && !request.unfinished)
        if (trailers !== undefined) stream.sendEnd(block(trailers))
      }
    })
    started()
    return stream === undefined ? undefined : answer
  }

  close(): void {
    this.socket.destroy()
  }
}

export async function startAsking(port: number, settings: Http2Settings = DEFAULT_HTTP2_SETTINGS, shared = wires()): Promise<AskingClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return new AskingClient(socket, shared, settings)
}
