// What the admin server may see: functions that read the present state. It can change nothing.
import type { Diagnostic } from '../model/diagnostic.ts'
import type { RoutingConfig } from '../model/routing.ts'
import type { ProxySettings } from '../model/settings.ts'
import type { LoopFigures } from '../observe/loop-figures.ts'
import type { DataPlaneFigures } from '../observe/metrics.ts'

export interface Listeners {
  readonly address: string
  readonly httpPort: number
  readonly httpsPort: number
}

/** What chooses an endpoint. */
export interface AskedRequest {
  /** Of the client, behind all proxies that are trusted. */
  readonly address: string
  readonly host: string
  /** Normalised. */
  readonly path: string
  /** As the client writes it, with the query. */
  readonly target: string
  /** Lower-case names. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

export interface ForeseenEndpoint {
  /** Endpoint.id; undefined: it is not known before. */
  readonly endpoint: string | undefined
  /** Why that one, or why none is known. */
  readonly why: string
}

export interface AdminView {
  /** Of Narthex. */
  readonly version: string
  /** Why no traffic should come yet or any more, in one sentence; undefined: all is well. */
  readonly notReady: () => string | undefined
  readonly isShuttingDown: () => boolean
  /** Where clients reach it: an address of this machine, and the ports that listen. */
  readonly listeners: () => Listeners
  /** What all threads serve; EMPTY_ROUTING before the first table. */
  readonly config: () => RoutingConfig
  readonly diagnostics: () => readonly Diagnostic[]
  readonly settings: () => ProxySettings
  /** Which endpoint of a backend a request would get; undefined: there is no such backend. */
  readonly endpointFor: (backendId: string, request: AskedRequest) => ForeseenEndpoint | undefined
  readonly dataPlane: () => Promise<DataPlaneFigures>
  readonly loop: () => LoopFigures
  /** Whether this replica is the one that writes status and Events. */
  readonly leads: () => boolean
  /** Watches of the Kubernetes API begun anew, by kind. */
  readonly watchRestarts: () => Readonly<Record<string, number>>
  /** As the data plane reads a Host field: lower case, no port; undefined: 400. */
  readonly hostName: (text: string) => string | undefined
  /** As the data plane matches a path; undefined: 400. */
  readonly normalisePath: (path: string) => string | undefined
}
