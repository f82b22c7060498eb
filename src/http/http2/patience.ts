// How long a connection waits for its peer: SETTINGS, the rest of a header block, a sign of life, a window.
import type { TimerWheel } from '../../base/timer-wheel.ts'
import type { Http2Settings } from '../../model/http2-settings.ts'
import { Deadlines, type Deadline } from './deadlines.ts'
import { ENHANCE_YOUR_CALM, NO_ERROR, PROTOCOL_ERROR, SETTINGS_TIMEOUT, type ErrorCode } from './error-code.ts'
import { pingText } from './frame-text.ts'
import type { Outflow } from './outflow.ts'
import type { Role } from './peer-settings.ts'
import type { Http2Stream } from './stream.ts'

/** Payloads of our PINGs. */
export const GOING_AWAY = 'leaving!'
const KEEPALIVE = 'still on'
/** Between the two GOAWAYs, if the peer does not answer the PING that goes with the first. */
const GRACE = 1000

/** Deadlines for something to come in. */
const TO_BE_READ: ReadonlySet<Deadline> = new Set<Deadline>(['settings', 'head', 'pong', 'stall'])

/** The connection that waits. */
export interface Waiting {
  readonly role: Role
  readonly settings: Http2Settings
  readonly outflow: Outflow
  /** Open. */
  readonly streams: number
  writeText(text: string): void
  refuse(stream: Http2Stream, code: ErrorCode): void
  fail(code: ErrorCode): void
  /** The second GOAWAY. */
  leave(): void
}

export class Patience {
  readonly #wheel: TimerWheel
  readonly #on: Waiting
  readonly #deadlines: Deadlines
  #heardAt = 0
  #pingedAt = 0
  #drainedAt = 0

  constructor(wheel: TimerWheel, on: Waiting) {
    this.#wheel = wheel
    this.#on = on
    this.#deadlines = new Deadlines(wheel, (deadline) => this.#passed(deadline))
  }

  /** Bytes came. */
  heard(): void {
    this.#heardAt = this.#wheel.now
  }

  /** The socket has taken all that waited for it. */
  drained(): void {
    this.#drainedAt = this.#wheel.now
  }

  settingsBegin(): void {
    this.#deadlines.set('settings', this.#on.settings.settingsTimeout)
  }

  settingsEnd(): void {
    this.#deadlines.clear('settings')
  }

  headBegins(): void {
    this.#deadlines.set('head', this.#on.settings.headTimeout)
  }

  headEnds(): void {
    this.#deadlines.clear('head')
  }

  leaveBegins(): void {
    this.#deadlines.set('go-away', GRACE)
  }

  /** Bytes or streams wait for the peer. */
  waitBegins(): void {
    const { stallTimeout } = this.#on.settings
    if (stallTimeout > 0 && !this.#deadlines.has('stall')) this.#deadlines.set('stall', stallTimeout)
  }

  streamBegins(): void {
    const { pingInterval } = this.#on.settings
    if (pingInterval > 0 && !this.#deadlines.has('silence') && !this.#deadlines.has('pong')) this.#deadlines.set('silence', pingInterval)
  }

  end(): void {
    this.#deadlines.drop()
  }

  #passed(deadline: Deadline): void {
    // A client that takes nothing from us is not read from either: what is waited for may have come. How long it may take nothing, the owner knows.
    if (this.#on.role === 'server' && this.#on.outflow.writer.full && TO_BE_READ.has(deadline)) return this.#deadlines.set(deadline, GRACE)
    switch (deadline) {
      case 'settings':
        return this.#on.fail(SETTINGS_TIMEOUT)
      case 'head':
        return this.#on.fail(PROTOCOL_ERROR)
      case 'silence':
        return this.#lookForSilence()
      case 'pong':
        // The answer may come in the very tick of the PING; what was heard before came at least an interval earlier.
        if (this.#heardAt < this.#pingedAt) this.#missPong()
        else if (this.#on.streams > 0) this.streamBegins()
        return
      case 'go-away':
        return this.#on.leave()
      case 'stall':
        return this.#lookForStalls()
    }
  }

  /** A slow peer may not have it yet. */
  #missPong(): void {
    if (this.#drainedAt < this.#pingedAt) return this.#on.fail(NO_ERROR)
    this.#pingedAt = this.#wheel.now
    this.#deadlines.set('pong', this.#on.settings.pingTimeout)
  }

  #lookForSilence(): void {
    if (this.#on.streams === 0) return
    const { pingInterval, pingTimeout } = this.#on.settings
    const silent = this.#wheel.now - this.#heardAt
    if (silent < pingInterval) return this.#deadlines.set('silence', pingInterval - silent)
    this.#pingedAt = this.#wheel.now
    this.#on.writeText(pingText(KEEPALIVE, 0))
    this.#deadlines.set('pong', pingTimeout)
  }

  #lookForStalls(): void {
    const { settings, outflow } = this.#on
    const { stallTimeout } = settings
    for (const stream of outflow.waiting) {
      if (!stream.waits || this.#wheel.now - stream.progressAt < stallTimeout) continue
      if (outflow.window <= 0) return this.#on.fail(ENHANCE_YOUR_CALM)
      this.#on.refuse(stream, ENHANCE_YOUR_CALM)
    }
    if (outflow.waiting.size > 0) this.#deadlines.set('stall', Math.max(1000, stallTimeout / 4))
  }
}
