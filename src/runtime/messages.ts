// What the supervisor and the data-plane threads say to each other. All of it is structured-cloneable; order is kept per thread.
import type { ClientCells } from '../balance/client-table.ts'
import type { LogLevel } from '../base/log.ts'
import type { Ejection } from '../balance/endpoint-health.ts'
import type { KeyPair } from '../http/tls/default-certificate.ts'
import type { TicketKeys } from '../http/tls/ticket-keys.ts'
import type { RoutingDelta } from '../model/delta.ts'
import type { ProxySettings } from '../model/settings.ts'
import type { CounterNews } from '../observe/counter-cells.ts'
import type { AdmissionCells } from '../proxy/admission.ts'
import type { MemoryUpdate } from './shared-memory.ts'

export interface ListenerSettings {
  readonly port: number
  /** Empty: all addresses. */
  readonly address: string
  readonly tls: boolean
}

/** What a thread needs once, before its first table. */
export interface ThreadStart {
  /** Index of the thread; one that replaces another has the same. */
  readonly thread: number
  readonly admission: AdmissionCells
  readonly clients: ClientCells
  /** Limits of streams that hold over all threads are divided: this is one thread's share. */
  readonly settings: ProxySettings
  /** With real port numbers. */
  readonly listeners: readonly ListenerSettings[]
  readonly reusePort: boolean
  readonly defaultCertificate: KeyPair
  readonly ticketKeys: TicketKeys
  readonly accessLog: boolean
}

/** One version of the table as a difference to the one before. */
export interface TableUpdate {
  readonly version: number
  readonly delta: RoutingDelta
  readonly memory: MemoryUpdate
  /** This thread's share of new ones, in force before the table is; undefined: they stay. */
  readonly settings: ProxySettings | undefined
}

export type ToThread =
  | { readonly kind: 'start'; readonly start: ThreadStart; readonly update: TableUpdate }
  | { readonly kind: 'apply'; readonly update: TableUpdate }
  | { readonly kind: 'ticket-keys'; readonly keys: TicketKeys }
  | { readonly kind: 'figures'; readonly id: number; readonly forget: readonly string[] }
  /** So much of what came by `access` is written. */
  | { readonly kind: 'access-written'; readonly characters: number }
  | { readonly kind: 'drain'; readonly ms: number }
  | { readonly kind: 'close' }

export type FromThread =
  | { readonly kind: 'booted' }
  /** It listens, with that version live. */
  | { readonly kind: 'serving'; readonly version: number }
  | { readonly kind: 'applied'; readonly version: number }
  | { readonly kind: 'counters'; readonly news: CounterNews }
  /** All counters that there are have been told of. */
  | { readonly kind: 'figures'; readonly id: number }
  /** How many connections were cut at the end of the time. */
  | { readonly kind: 'drained'; readonly cut: number }
  | { readonly kind: 'closed' }
  /** It can't listen. */
  | { readonly kind: 'failed'; readonly message: string; readonly code: string }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly facts: Readonly<Record<string, unknown>> }
  /** An endpoint is out of use for its failures. */
  | { readonly kind: 'ejected'; readonly ejection: Ejection }
  /** A port of a TCP or UDP service: the code of the error, or undefined once it could be had. */
  | { readonly kind: 'stream-trouble'; readonly id: string; readonly code: string | undefined }
  /** Whole lines, each with its line end. */
  | { readonly kind: 'access'; readonly lines: string }
