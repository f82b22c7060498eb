// What a scheduler is, and the table of those that exist, under the names that `ipvsadm -s` uses. A scheduler is pure but for
// the state handed to it: shared cells, random and clock come from outside.
import type { Clock } from '../base/clock.ts'
import type { Backend, Endpoint } from '../model/routing.ts'
import type { Scheduler as SchedulerName, SchedulerOptions } from '../model/scheduler.ts'
import type { Cursor } from './cursor.ts'
import { destinationHash } from './destination-hash.ts'
import { failOver } from './fail-over.ts'
import { leastConnection } from './least-connection.ts'
import { localCells, type CellSource } from './loads.ts'
import { localityBased } from './locality-based.ts'
import { localityReplicated } from './locality-replicated.ts'
import { maglev } from './maglev.ts'
import { neverQueue } from './never-queue.ts'
import { overflow } from './overflow.ts'
import { peakEwma } from './peak-ewma.ts'
import { randomChoice } from './random-choice.ts'
import { roundRobin } from './round-robin.ts'
import { shortestExpectedDelay } from './shortest-expected-delay.ts'
import { sourceHash } from './source-hash.ts'
import { twoChoices } from './two-choices.ts'
import { weightedLeastConnection } from './weighted-least-connection.ts'
import { weightedRoundRobin } from './weighted-round-robin.ts'

export interface SchedulerState {
  readonly cursor: Cursor
  readonly cells: CellSource
  /** Like Math.random. */
  readonly random: () => number
  readonly clock: Clock
  readonly options?: SchedulerOptions
}

export interface Scheduler {
  /**
   * Index into `endpoints`, or -1 when none may be used. `usable` leaves out endpoints (tried already, ejected);
   * without it all are usable. The array may be another one at each call: endpoints come and go.
   * `key`: the unsigned 32-bit integer of hash.ts, for the schedulers that `keyedBy` of model/scheduler names; 0 for the others.
   */
  pick(endpoints: readonly Endpoint[], usable?: (endpoint: Endpoint, index: number) => boolean, key?: number): number
  /**
   * Only of schedulers that count or measure: `pick` has counted the request as in flight, and this says that it is no longer,
   * exactly once for each index answered, with the same array. `milliseconds`: how long the endpoint took, or -1 when that
   * says nothing about it (it failed, or the client left).
   */
  readonly finished?: (endpoints: readonly Endpoint[], index: number, milliseconds: number) => void
}

export type SchedulerFactory = (state: SchedulerState) => Scheduler

const FACTORIES: Readonly<Record<SchedulerName, SchedulerFactory>> = {
  rr: roundRobin,
  wrr: weightedRoundRobin,
  lc: leastConnection,
  wlc: weightedLeastConnection,
  lblc: localityBased,
  lblcr: localityReplicated,
  dh: destinationHash,
  sh: sourceHash,
  sed: shortestExpectedDelay,
  nq: neverQueue,
  fo: failOver,
  ovf: overflow,
  mh: maglev,
  twos: twoChoices,
  ewma: peakEwma,
  random: randomChoice,
}

/** Without `cells` the counts are of this scheduler alone. */
export function createScheduler(name: SchedulerName, state: Omit<SchedulerState, 'cells'> & { readonly cells?: CellSource }): Scheduler {
  return FACTORIES[name]({ cells: localCells(), ...state })
}

/** Whether a scheduler made for the one does for the other; weights and endpoints may differ. */
export function isSameScheduler(a: Backend, b: Backend): boolean {
  return a.scheduler === b.scheduler && JSON.stringify(a.schedulerOptions) === JSON.stringify(b.schedulerOptions)
}

export { keyedBy } from '../model/scheduler.ts'
