// Which endpoints of a backend may be used, by what all threads found: passive ejection with growing times, the panic threshold, and slow
// start. A request to a backend that is well costs one comparison; nothing is remembered of endpoints until one of them fails.
import type { FailureKind } from '../base/failure.ts'
import type { Backend } from '../model/routing.ts'
import { keyedBy } from '../model/scheduler.ts'
import type { HealthSettings } from '../model/settings.ts'
import { BAD_ANSWERS, clearFailures, eject, FAILED_CONNECTS, hasFailures, isIll, TICK, tellAll, startSlowly, tickAt, ticksBack, WHOLE_PORT } from './health-cells.ts'
import { increase, loadsOf, read, type CellSource, type Loads } from './loads.ts'

export type EjectionReason = 'connect-failures' | 'bad-answers'

export interface Ejection {
  readonly namespace: string
  readonly service: string
  readonly port: string
  /** Endpoint id. */
  readonly endpoint: string
  readonly reason: EjectionReason
  /** For how long. */
  readonly ms: number
}

export interface HealthParts {
  readonly settings: HealthSettings
  readonly cells: CellSource
  /** Like Math.random. */
  readonly random: () => number
  readonly onEjected: (ejection: Ejection) => void
}

/** Gets the index of an endpoint. */
export type Admits = (index: number) => boolean

/** Of its share, what an endpoint gets in the moment in which it comes back. */
const LEAST_SHARE = 0.1
/** Milliseconds after which it is looked whether successes need to be told yet. */
const WATCH_MS = 1000

export class EndpointHealth {
  /** Some endpoint has failures in a row, so that a success is worth telling. */
  watching = false
  readonly #backend: Backend
  readonly #parts: HealthParts
  readonly #port: Loads
  /** Hash schedulers keep keys in their places: no slow start. */
  readonly #startsSlowly: boolean
  #loads: Loads | undefined
  #seen = 0
  /** When what is known changes by itself. */
  #nextChange = Infinity
  /** Of its share, what each endpoint gets that does not get all of it; undefined: all do. */
  #shares: Float64Array | undefined
  #largest = 1
  #draw = 0

  constructor(backend: Backend, parts: HealthParts) {
    this.#backend = backend
    this.#parts = parts
    this.#startsSlowly = keyedBy(backend.scheduler) === undefined
    const { index, shared, own } = parts.cells.of(WHOLE_PORT)
    this.#port = { shared: [shared], own: [own], indices: Int32Array.of(index), one: shared }
  }

  /** Which endpoints the next request may go to; undefined: to all. Valid until the next call. */
  admits(now: number): Admits | undefined {
    if (read(this.#port, 0, 0) !== this.#seen || now >= this.#nextChange) this.#look(now)
    if (this.#shares === undefined) return undefined
    this.#draw = (1 - this.#parts.random()) * this.#largest
    return this.#admit
  }

  /** Whether the endpoint is out of use, as the last call of `admits` found: for clients that stay with it through its slow start. */
  isOut(index: number): boolean {
    return this.#shares?.[index] === 0
  }

  readonly #admit: Admits = (index) => (this.#shares?.[index] ?? 1) >= this.#draw

  /** No answer came from the endpoint, over a connection made for this request. */
  failed(index: number, kind: FailureKind, now: number): void {
    if (kind === 'connect-failed' || kind === 'connect-timeout' || kind === 'handshake-failed' || kind === 'certificate-refused') this.#count(index, FAILED_CONNECTS, this.#parts.settings.connectFailures, now)
    else if (kind === 'response-cut' || kind === 'response-invalid') this.#count(index, BAD_ANSWERS, this.#parts.settings.badAnswers, now)
  }

  /** To be told of answers of 500 and above, and while `watching` of all. */
  answered(index: number, status: number, now: number): void {
    const { count5xx, badAnswers } = this.#parts.settings
    if (status >= 500 && count5xx) this.#count(index, BAD_ANSWERS, badAnswers, now)
    else if (this.watching) clearFailures(this.#all(), index)
  }

  #count(index: number, field: number, most: number, now: number): void {
    const loads = this.#all()
    if (most === 0 || index < 0 || ticksBack(loads, index, tickAt(now)) < 0) return
    const count = increase(loads, index, field) + 1
    const ms = count >= most ? this.#eject(index, now) : 0
    if (ms > 0 || count === 1) tellAll(this.#port)
    if (ms === 0) return
    const { namespace, service, port, endpoints } = this.#backend
    const reason = field === FAILED_CONNECTS ? 'connect-failures' : 'bad-answers'
    this.#parts.onEjected({ namespace, service, port, endpoint: endpoints[index]?.id ?? '', reason, ms })
  }

  /** Milliseconds. Where no more may be out it gets the least share instead, so that requests do not need more retries than they may have. */
  #eject(index: number, now: number): number {
    const { out, most, count } = this.#outOf(now, index)
    if (out + 1 <= most) return eject(this.#all(), index, now, this.#parts.settings, this.#parts.random)
    if (count > 1) {
      startSlowly(this.#all(), index, now)
      tellAll(this.#port)
    }
    return 0
  }

  /** How many are out, and how many may be. Drained endpoints count neither way. */
  #outOf(now: number, but = -1): { readonly out: number; readonly most: number; readonly count: number } {
    const loads = this.#all()
    const tick = tickAt(now)
    let out = 0
    let count = 0
    for (const [i, { weight }] of this.#backend.endpoints.entries()) {
      if (weight === 0) continue
      count++
      if (i !== but && (isIll(loads, i) || ticksBack(loads, i, tick) < 0)) out++
    }
    return { out, most: Math.floor(count * this.#parts.settings.largestShare), count }
  }

  #look(now: number): void {
    this.#seen = read(this.#port, 0, 0)
    const loads = this.#all()
    const tick = tickAt(now)
    const slowStart = this.#startsSlowly ? this.#parts.settings.slowStart : 0
    const shares = new Float64Array(this.#backend.endpoints.length).fill(1)
    let isWell = true
    this.watching = false
    this.#nextChange = Infinity
    this.#largest = 0
    let admitted = 0
    for (const [i, { weight }] of this.#backend.endpoints.entries()) {
      if (hasFailures(loads, i)) this.watching = true
      if (weight === 0) continue
      const back = ticksBack(loads, i, tick)
      let share = 1
      if (isIll(loads, i) || back < 0) share = 0
      else if (back * TICK < slowStart) share = Math.max(LEAST_SHARE, (back * TICK) / slowStart)
      if (back < 0) this.#changesAt((Math.floor(now / TICK) - back) * TICK)
      if (share > 0) admitted++
      shares[i] = share
      if (share < 1) isWell = false
      if (share > 0 && share < 1) this.#changesAt(now + TICK)
      this.#largest = Math.max(this.#largest, share)
    }
    if (this.watching) this.#changesAt(now + WATCH_MS)
    const { out, most } = this.#outOf(now)
    this.#shares = isWell || admitted === 0 || out > most ? undefined : shares
  }

  #changesAt(at: number): void {
    this.#nextChange = Math.min(this.#nextChange, at)
  }

  #all(): Loads {
    this.#loads ??= loadsOf(this.#backend.endpoints, this.#parts.cells)
    return this.#loads
  }
}
