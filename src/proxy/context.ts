// What all connections and exchanges of one thread share.
import type { Clock } from '../base/clock.ts'
import type { Listed, Roster } from '../base/roster.ts'
import type { Log } from '../base/log.ts'
import type { TimerWheel } from '../base/timer-wheel.ts'
import type { ReadBuffers } from '../http/read-buffers.ts'
import type { WriteTurn } from '../http/write-turn.ts'
import type { Recorder, RequestRecord } from '../observe/recorder.ts'
import type { ChangeWaits } from './change-wait.ts'
import type { Routing } from './routing.ts'
import type { SettingsContext } from './settings-context.ts'

/** A connection of a client, whichever version of HTTP it speaks. */
export interface Client extends Listed {
  /** A request is in flight, or part of one. */
  readonly busy: boolean
  /** See SocketReader. */
  received(buffer: Buffer, count: number): boolean
  /** No further request; at once if none is in flight. */
  drain(): void
  destroy(): void
}

/** What comes of the settings is replaced when they change, for what begins after that. */
export interface ProxyContext extends SettingsContext {
  readonly wheel: TimerWheel
  readonly clock: Clock
  readonly recorder: Recorder
  /** Filled anew for each finished request. */
  readonly record: RequestRecord
  readonly log: Log
  readonly buffers: ReadBuffers
  readonly turn: WriteTurn
  readonly newRequestId: () => string
  /** Open connections of clients. */
  readonly clients: Roster<Client>
  /** As it is now: `apply` changes it in place. */
  readonly routing: Routing
  readonly changes: ChangeWaits
  /** Milliseconds since the epoch, a tick of the wheel old at most. */
  now: number
  /** `Date: …\r\n` of this second. */
  dateField: string
  /** Answers end their connections. */
  draining: boolean
  tunnels: number
}
