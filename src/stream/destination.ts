// What a listener does with whoever comes: replaced as a whole when the configuration changes; connections keep theirs.
import type { TimerWheel } from '../base/timer-wheel.ts'
import type { ReadBuffers } from '../http/read-buffers.ts'
import type { StreamSettings } from '../model/settings.ts'
import type { StreamCounters } from '../observe/stream-counters.ts'
import type { StreamBackend } from './stream-backend.ts'

export interface Destination {
  readonly backend: StreamBackend
  /** Clients begin with a PROXY protocol header. */
  readonly proxyIn: boolean
  /** The backend is sent one. */
  readonly proxyOut: boolean
}

/** What the listeners of one thread share. */
export interface StreamContext {
  readonly wheel: TimerWheel
  readonly buffers: ReadBuffers
  readonly settings: StreamSettings
  /** Milliseconds. */
  readonly connectTimeout: number
  /** Endpoints that one connection is tried on, the first included. */
  readonly tries: number
}

export interface ListenAt {
  readonly port: number
  /** Empty: all. */
  readonly address: string
  /** Share the port with the other threads. */
  readonly reusePort: boolean
}

export interface Listener {
  destination: Destination
  readonly port: number
  /** Connections, or clients over UDP. */
  readonly open: number
  /** Takes nobody new. What is open goes on where it can: replies over UDP need the port. */
  stop(): void
  /** Ends what is open, too. */
  close(): void
}

export interface ListenerParts {
  readonly context: StreamContext
  readonly counters: StreamCounters
  /** Called when nothing is open any more. */
  readonly onIdle: () => void
}
