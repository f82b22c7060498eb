// What the connections of a thread to endpoints share.
import type { Log } from '../base/log.ts'
import type { TimerWheel } from '../base/timer-wheel.ts'
import type { ReadBuffers } from '../http/read-buffers.ts'
import type { WriteTurn } from '../http/write-turn.ts'
import type { Limits, PoolSettings, Timeouts } from '../model/settings.ts'

export interface UpstreamContext {
  readonly wheel: TimerWheel
  /** These three are replaced when the settings change. */
  readonly limits: Limits
  readonly timeouts: Timeouts
  readonly pool: PoolSettings
  readonly buffers: ReadBuffers
  readonly turn: WriteTurn
  readonly log: Log
}
