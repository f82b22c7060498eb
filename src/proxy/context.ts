// What all connections and exchanges of one thread share.
import type { AddressList } from '../base/address-list.ts'
import type { Clock } from '../base/clock.ts'
import type { Roster } from '../base/roster.ts'
import type { Log } from '../base/log.ts'
import type { TimerWheel } from '../base/timer-wheel.ts'
import type { ReadBuffers } from '../http/read-buffers.ts'
import type { WriteTurn } from '../http/write-turn.ts'
import type { Route } from '../model/routing.ts'
import type { ProxySettings } from '../model/settings.ts'
import type { Recorder, RequestRecord } from '../observe/recorder.ts'
import type { ClientConnection } from './client-connection.ts'
import type { Filter } from './filters/filter.ts'
import type { Routing } from './routing.ts'

export interface ProxyContext {
  readonly settings: ProxySettings
  /** Whose X-Forwarded fields are believed. */
  readonly trustedProxies: AddressList
  /** Names of fields that only they may send and that no other rule takes away; undefined: there are none. */
  readonly claimFields: ReadonlySet<string> | undefined
  readonly wheel: TimerWheel
  readonly clock: Clock
  readonly recorder: Recorder
  /** Filled anew for each finished request. */
  readonly record: RequestRecord
  readonly log: Log
  readonly buffers: ReadBuffers
  readonly turn: WriteTurn
  readonly newRequestId: () => string
  readonly filtersOf: (route: Route) => readonly Filter[]
  /** Open connections of clients. */
  readonly clients: Roster<ClientConnection>
  /** Replaced as a whole by `apply`. */
  routing: Routing
  /** `Server: …\r\n`, or empty. */
  readonly serverField: string
  /** `Strict-Transport-Security: …\r\n`, or empty. For TLS connections. */
  readonly hstsField: string
  /** Milliseconds since the epoch, a tick of the wheel old at most. */
  now: number
  /** `Date: …\r\n` of this second. */
  dateField: string
  /** Answers end their connections. */
  draining: boolean
  tunnels: number
}
