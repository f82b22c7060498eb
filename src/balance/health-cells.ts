// What all threads know of how well an endpoint is, in its cell of shared memory beside its requests in flight: failures in a row,
// since when it may be used again, how often it was ejected of late, what the prober found. And for a Service port as a whole, in a cell of its
// own, a number that changes whenever one of these does: a thread that knows the number knows all the rest.
import { increase, read, replace, write, type Loads } from './loads.ts'

export const FAILED_CONNECTS = 3
export const BAD_ANSWERS = 4
/** In ticks, when it may be or could be used again after it was out; 0: it never was. */
const BACK_AT = 5
/** One after the other, without a long time well in between. */
const EJECTIONS = 6
/** Of the prober: 0 it is well or was not asked, 1 it is ill. */
const ILL = 7
export const HEALTH_FIELDS = [FAILED_CONNECTS, BAD_ANSWERS, BACK_AT, EJECTIONS, ILL] as const

/** Endpoint id of the cell of a Service port as a whole. */
export const WHOLE_PORT = ''

/** Milliseconds. Times are counted in ticks so that differences of 32 bits hold for three years. */
export const TICK = 100
const MOST_EJECTIONS = 30

export type EndpointState = 'well' | 'ejected' | 'ill' | 'slow-start'

/** Now, or as soon as `ms` from now have passed. */
export function tickAt(now: number, ms = 0): number {
  return Math.floor(now / TICK) + Math.ceil(ms / TICK) | 0
}

/** How many ticks it has been usable again; negative: it is ejected for as many yet; Infinity: it was never out. */
export function ticksBack(loads: Loads, endpoint: number, tick: number): number {
  const at = read(loads, endpoint, BACK_AT)
  return at === 0 ? Infinity : (tick - at) | 0
}

export function isIll(loads: Loads, endpoint: number): boolean {
  return read(loads, endpoint, ILL) !== 0
}

export function hasFailures(loads: Loads, endpoint: number): boolean {
  return read(loads, endpoint, FAILED_CONNECTS) !== 0 || read(loads, endpoint, BAD_ANSWERS) !== 0
}

export function clearFailures(loads: Loads, endpoint: number): void {
  if (read(loads, endpoint, FAILED_CONNECTS) !== 0) write(loads, endpoint, FAILED_CONNECTS, 0)
  if (read(loads, endpoint, BAD_ANSWERS) !== 0) write(loads, endpoint, BAD_ANSWERS, 0)
}

export interface EjectionTimes {
  readonly firstEjection: number
  readonly longestEjection: number
}

/** Ejects it from now on; answers for how many milliseconds, or 0 when it is out already or another thread was quicker. */
export function eject(loads: Loads, endpoint: number, now: number, { firstEjection, longestEjection }: EjectionTimes, random: () => number): number {
  const tick = tickAt(now)
  const seen = read(loads, endpoint, BACK_AT)
  const back = ticksBack(loads, endpoint, tick)
  if (back < 0) return 0
  const times = back * TICK < longestEjection ? read(loads, endpoint, EJECTIONS) : 0
  const ms = Math.max(TICK, Math.min(firstEjection * 2 ** times, longestEjection) * (0.5 + random() / 2))
  if (!replace(loads, endpoint, BACK_AT, seen, tickAt(now, ms) || 1)) return 0
  write(loads, endpoint, EJECTIONS, Math.min(times + 1, MOST_EJECTIONS))
  clearFailures(loads, endpoint)
  return ms
}

/** It begins slow start as if it had come back now. */
export function startSlowly(loads: Loads, endpoint: number, now: number): void {
  write(loads, endpoint, BACK_AT, tickAt(now) || 1)
  clearFailures(loads, endpoint)
}

/** What a prober found; true: it is news. An endpoint that is well again starts slowly. */
export function probed(loads: Loads, endpoint: number, well: boolean, now: number): boolean {
  if (isIll(loads, endpoint) !== well) return false
  if (well && ticksBack(loads, endpoint, tickAt(now)) >= 0) startSlowly(loads, endpoint, now)
  write(loads, endpoint, ILL, well ? 0 : 1)
  return true
}

export function stateOf(loads: Loads, endpoint: number, now: number, slowStart: number): EndpointState {
  if (isIll(loads, endpoint)) return 'ill'
  const back = ticksBack(loads, endpoint, tickAt(now))
  return back < 0 ? 'ejected' : back * TICK < slowStart ? 'slow-start' : 'well'
}

/** The number of a Service port: something of what all threads know has changed. */
export function tellAll(port: Loads): void {
  increase(port, 0, 0)
}
