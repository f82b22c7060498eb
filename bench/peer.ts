// What a proxy must be for the benchmark: started with the same work to do, wherever it comes from.
import type { Running } from './process.ts'
import type { Stage } from './stage.ts'
import type { Tool } from './tools.ts'

/** Its requests go to the HTTP/1.1 backends. */
export const HOST = 'bench.example.com'
/** Its requests go to the gRPC backends. */
export const GRPC_HOST = 'grpc.example.com'

export interface Work extends Stage {
  readonly httpPort: number
  readonly tlsPort: number
}

/** Beyond HTTP/1.1 with and without TLS, which all can. */
export type Ability = 'http2' | 'grpc' | 'websocket'

export interface Peer {
  readonly name: string
  /** Undefined when it is not on this machine. */
  version(): string | undefined
  readonly tool?: Tool
  readonly can: readonly Ability[]
  start(work: Work): Running
}
