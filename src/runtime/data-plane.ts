// The data plane as the rest of the process sees it: what it is made of, what may be asked of it. Knows no Kubernetes and no HTTP;
// what the threads serve comes in as a RoutingConfig.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { KeyPair } from '../http/tls/default-certificate.ts'
import type { RoutingConfig } from '../model/routing.ts'
import type { ProxySettings } from '../model/settings.ts'
import type { ThreadFigures } from '../observe/figures.ts'
import type { KeyedRequest } from '../proxy/request-key.ts'
import type { InFlight } from './endpoint-cells.ts'
import type { Foreseen } from './foresight.ts'
import type { HealthFigures } from './health-ledger.ts'
import type { ListenerSettings } from './messages.ts'
import { claimPorts } from './ports.ts'
import { Supervisor } from './supervisor.ts'

export interface DataPlaneOptions {
  /** Those to begin with. Asked once, with the real ports in the order of `listeners`. */
  readonly settings: (ports: readonly number[]) => ProxySettings
  /** A port of 0 is any free one. */
  readonly listeners: readonly ListenerSettings[]
  readonly threads: number
  readonly defaultCertificate: KeyPair
  readonly log: Log
  /** `streamTroubles` answers something else now. */
  readonly onStreamTrouble?: () => void
  /** Gets whole lines of JSON; absent: no access log. */
  readonly accessLog?: (lines: string) => void
  readonly clock?: Clock
  readonly random?: () => number
  /** What a thread runs; for tests. */
  readonly entry?: URL
}

export interface DataPlaneStats extends ThreadFigures, HealthFigures {
  /** By thread: milliseconds that its event loop was not idle. */
  readonly busyMs: readonly (readonly [thread: number, ms: number])[]
  /** Requests in flight by endpoint, where schedulers count them. */
  readonly inFlight: readonly InFlight[]
  /** Serving now. */
  readonly threads: number
  /** Threads replaced since the start. */
  readonly restarts: number
  /** Of the table that all threads serve. */
  readonly version: number
}

export interface DataPlane {
  /** In the order of the listeners asked for. Nothing listens before the first `apply`. */
  readonly ports: readonly number[]
  /**
   * Resolves when every thread serves this configuration (the first time: listens with it live). Only what changed
   * goes to the threads. Rejects when a thread can't start (then only `close` is left), and at `close`.
   * `settings`: in place of those before, see Proxy.configure; the same object or none while nothing in them changed.
   */
  apply(config: RoutingConfig, settings?: ProxySettings): Promise<void>
  stats(): Promise<DataPlaneStats>
  /** Streams whose port can't be had, with the code of the error; they are tried again. */
  streamTroubles(): ReadonlyMap<string, string>
  /** Which endpoint of the backend a request would get; undefined: there is no such backend. */
  foresee(backendId: string, request: KeyedRequest): Foreseen | undefined
  /** Makes session tickets good for all who have the same secret; undefined: for this process alone, as at first. */
  setTicketSecret(secret: Uint8Array | undefined): void
  /** Stops accepting, lets what is in flight end within `ms`; answers how many connections were cut then. */
  drain(ms: number): Promise<number>
  close(): Promise<void>
}

/** Claims the ports and boots the threads; rejects with the error of `listen` when a port can't be had. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  return new Supervisor(options, await claimPorts(options.listeners))
}
