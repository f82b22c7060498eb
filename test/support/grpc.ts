// A gRPC service and its client (@grpc/grpc-js), with messages that are plain bytes.
import {
  credentials, makeGenericClientConstructor, Metadata, Server, ServerCredentials, status,
  type ChannelCredentials, type ChannelOptions, type Client, type ClientDuplexStream, type ClientReadableStream, type ClientUnaryCall, type ClientWritableStream,
  type handleBidiStreamingCall, type handleClientStreamingCall, type handleServerStreamingCall, type handleUnaryCall, type ServiceDefinition, type ServiceError, type MethodDefinition,
} from '@grpc/grpc-js'

const bytes = (value: Buffer): Buffer => value

function method(name: string, requestStream: boolean, responseStream: boolean, service = 'test.Echo'): MethodDefinition<Buffer, Buffer> {
  return { path: `/${service}/${name}`, requestStream, responseStream, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes }
}

const ECHO = { Unary: method('Unary', false, false), Collect: method('Collect', true, false), Repeat: method('Repeat', false, true), Talk: method('Talk', true, true) } satisfies ServiceDefinition
/** grpc.health.v1: an empty request, and a response of one enum field. */
const HEALTH = { Check: method('Check', false, false, 'grpc.health.v1.Health') } satisfies ServiceDefinition
export const SERVING: Buffer = Buffer.from([8, 1])

export interface EchoHandlers {
  readonly Unary: handleUnaryCall<Buffer, Buffer>
  readonly Collect: handleClientStreamingCall<Buffer, Buffer>
  readonly Repeat: handleServerStreamingCall<Buffer, Buffer>
  readonly Talk: handleBidiStreamingCall<Buffer, Buffer>
}

export const echoHandlers: EchoHandlers = {
  Unary: ({ request, metadata }, answer) => {
    const trailer = new Metadata()
    for (const [key, value] of Object.entries(metadata.getMap())) if (key.startsWith('x-')) trailer.set(`seen-${key}`, value)
    answer(null, request, trailer)
  },
  Collect: (call, answer) => {
    const parts: Buffer[] = []
    call.on('data', (part: Buffer) => parts.push(part))
    call.on('end', () => answer(null, Buffer.concat(parts)))
  },
  Repeat: (call) => {
    for (let i = 0; i < call.request.length; i++) call.write(call.request.subarray(i, i + 1))
    call.end()
  },
  Talk: (call) => {
    call.on('data', (part: Buffer) => call.write(part))
    call.on('end', () => call.end())
  },
}

export interface GrpcServer {
  readonly server: Server
  readonly port: number
  /** Calls so far, by method. */
  readonly calls: string[]
}

/** `port` 0: any. */
export async function startGrpcServer(handlers: Partial<EchoHandlers> = {}, how: ServerCredentials = ServerCredentials.createInsecure(), port = 0): Promise<GrpcServer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 })
  const calls: string[] = []
  const counted = <A extends readonly unknown[]>(name: string, handler: (...args: A) => void) => (...args: A): void => {
    calls.push(name)
    handler(...args)
  }
  const { Unary, Collect, Repeat, Talk } = { ...echoHandlers, ...handlers }
  server.addService(ECHO, { Unary: counted('Unary', Unary), Collect: counted('Collect', Collect), Repeat: counted('Repeat', Repeat), Talk: counted('Talk', Talk) })
  server.addService(HEALTH, { Check: (_call: unknown, answer: (error: null, value: Buffer) => void) => answer(null, SERVING) })
  const bound = await new Promise<number>((resolve, reject) => server.bindAsync(`127.0.0.1:${port}`, how, (error, taken) => (error === null ? resolve(taken) : reject(error))))
  return { server, port: bound, calls }
}

/** Ends a call: its status with the trailers. */
export interface Outcome {
  readonly error: ServiceError | undefined
  readonly value: Buffer | undefined
  readonly trailers: Metadata
}

export class EchoClient {
  readonly client: Client
  readonly #unary: Unary

  constructor(target: string, how: ChannelCredentials = credentials.createInsecure(), options: ChannelOptions = {}) {
    const all = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1, 'grpc.enable_retries': 0, ...options }
    this.client = new (makeGenericClientConstructor({}, 'test'))(target, how, all)
    this.#unary = (definition, message, metadata, options, done) => this.client.makeUnaryRequest(definition.path, bytes, bytes, message, metadata, options, done)
  }

  unary(message: Buffer, metadata = new Metadata(), deadline?: number): Promise<Outcome> {
    return this.#ask(ECHO.Unary, message, metadata, deadline)
  }

  health(): Promise<Outcome> {
    return this.#ask(HEALTH.Check, Buffer.alloc(0), new Metadata(), undefined)
  }

  #ask(definition: MethodDefinition<Buffer, Buffer>, message: Buffer, metadata: Metadata, deadline: number | undefined): Promise<Outcome> {
    return new Promise((resolve) => {
      let trailers = new Metadata()
      let said: { readonly error: ServiceError | undefined; readonly value: Buffer | undefined } | undefined
      let over = false
      const settle = (): void => {
        if (said !== undefined && over) resolve({ ...said, trailers })
      }
      const call = this.#unary(definition, message, metadata, deadline === undefined ? {} : { deadline: Date.now() + deadline }, (error, value) => {
        said = { error: error ?? undefined, value }
        settle()
      })
      call.on('status', (end) => {
        trailers = end.metadata
        over = true
        settle()
      })
    })
  }

  collect(done: (error: ServiceError | null, value?: Buffer) => void): ClientWritableStream<Buffer> {
    return this.client.makeClientStreamRequest(ECHO.Collect.path, bytes, bytes, new Metadata(), {}, done)
  }

  repeat(message: Buffer): ClientReadableStream<Buffer> {
    return this.client.makeServerStreamRequest(ECHO.Repeat.path, bytes, bytes, message)
  }

  talk(options: { readonly deadline?: number } = {}): ClientDuplexStream<Buffer, Buffer> {
    return this.client.makeBidiStreamRequest(ECHO.Talk.path, bytes, bytes, new Metadata(), options)
  }

  close(): void {
    this.client.close()
  }
}

type Unary = (definition: MethodDefinition<Buffer, Buffer>, message: Buffer, metadata: Metadata, options: { readonly deadline?: number }, done: (error: ServiceError | null, value?: Buffer) => void) => ClientUnaryCall

export { credentials, Metadata, ServerCredentials, status }
