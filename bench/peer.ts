// What a proxy must be for the benchmark: started with the same work to do, wherever it comes from.
import type { Running } from './process.ts'

export const HOST = 'bench.example.com'

export interface Work {
  readonly httpPort: number
  readonly tlsPort: number
  readonly backendPorts: readonly number[]
  /** PEM files; ECDSA P-256. */
  readonly certificate: string
  readonly privateKey: string
  /** A folder for configuration files. */
  readonly folder: string
}

export interface Peer {
  readonly name: string
  /** The version, or undefined when it is not on this machine. */
  version(): string | undefined
  start(work: Work): Running
  /** Scenarios that it can't do. */
  readonly without?: readonly string[]
}
