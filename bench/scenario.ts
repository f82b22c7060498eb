// What a scenario is: who takes part, what is measured of each, how the figure is judged.
import type { Peer } from './peer.ts'
import type { Stage } from './stage.ts'
import type { Tool } from './tools.ts'

/** Figures of one measurement by name; the columns of a scenario say which. */
export type Sample = Readonly<Record<string, number>>

export interface Scenario {
  /** For --scenario. */
  readonly name: string
  /** Heading of its table. */
  readonly title: string
  /** How it is measured, in a sentence or two. */
  readonly how: string
  readonly needs?: readonly Tool[]
  readonly columns: readonly Column[]
  readonly goals: readonly Goal[]
  contenders(peers: readonly Peer[]): readonly Contender[]
  /** About how many seconds one measurement takes. */
  lasts(seconds: number): number
}

/** One row of a scenario's table: a proxy, or Narthex in one of several ways. */
export interface Contender {
  readonly name: string
  /** Measured in the first round only: it is there for orientation, no goal names it. */
  readonly once?: boolean
  measure(stage: Stage, seconds: number): Promise<Sample>
}

export interface Column {
  readonly title: string
  readonly digits: number
  /** Figure of the samples; their median is shown. */
  readonly figure: string
  /** The sum over all rounds in place of the median. */
  readonly sum?: boolean
  /** Shown as a multiple of this contender's. */
  readonly of?: string
}

/** Exactly one bound. */
export interface Goal {
  readonly contender: string
  readonly figure: string
  /** The contender of the same round whose figure ours is divided by. */
  readonly over?: string
  readonly most?: number
  readonly least?: number
  /** Behind the number: `× nginx CPU a request`, `KiB`. */
  readonly unit: string
  readonly digits: number
}

/** Of one round: undefined where one of the two was not measured. */
export function figureOf(goal: Goal, round: ReadonlyMap<string, Sample>): number | undefined {
  const own = round.get(goal.contender)?.[goal.figure]
  if (own === undefined || goal.over === undefined) return own
  const other = round.get(goal.over)?.[goal.figure]
  return other === undefined ? undefined : own / other
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}
