// What a scheduler is, and the table of those that exist, under the names that `ipvsadm -s` uses. A scheduler is pure but for
// the state handed to it: shared cells, random and clock come from outside.
import type { Clock } from '../base/clock.ts'
import type { Endpoint, Scheduler as SchedulerName } from '../model/routing.ts'
import type { Cursor } from './cursor.ts'
import { roundRobin } from './round-robin.ts'

export interface SchedulerState {
  readonly cursor: Cursor
  /** Like Math.random. */
  readonly random: () => number
  readonly clock: Clock
}

export interface Scheduler {
  /**
   * Index into `endpoints`, or -1 when none may be used. `usable` leaves out endpoints (tried already, ejected);
   * without it all are usable. The array may be another one at each call: endpoints come and go.
   */
  pick(endpoints: readonly Endpoint[], usable?: (endpoint: Endpoint) => boolean): number
}

export type SchedulerFactory = (state: SchedulerState) => Scheduler

const SCHEDULERS: Readonly<Record<SchedulerName, SchedulerFactory>> = {
  rr: roundRobin,
}

export function createScheduler(name: SchedulerName, state: SchedulerState): Scheduler {
  return SCHEDULERS[name](state)
}
