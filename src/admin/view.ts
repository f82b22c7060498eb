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
  readonly dataPlane: () => Promise<DataPlaneFigures>
  readonly loop: () => LoopFigures
  /** Watches of the Kubernetes API begun anew, by kind. */
  readonly watchRestarts: () => Readonly<Record<string, number>>
  /** As the data plane reads a Host field: lower case, no port; undefined: 400. */
  readonly hostName: (text: string) => string | undefined
  /** As the data plane matches a path; undefined: 400. */
  readonly normalisePath: (path: string) => string | undefined
}
