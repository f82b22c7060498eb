// What a run found, and what it says of the goals.
import { figureOf, median, type Goal, type Sample, type Scenario } from './scenario.ts'

export interface Results {
  readonly scenario: Scenario
  /** By contender; one map a round, without those that could not be measured. */
  readonly rounds: readonly ReadonlyMap<string, Sample>[]
}

export interface Judged {
  /** Median over the rounds. */
  readonly figure: number
  readonly lowest: number
  readonly highest: number
  readonly isMet: boolean
  /** Whether each round alone says the same. */
  readonly isClear: boolean
}

/** Undefined: no round has the figure. */
export function judge(goal: Goal, rounds: Results['rounds']): Judged | undefined {
  const figures = rounds.map((round) => figureOf(goal, round)).filter((figure) => figure !== undefined)
  if (figures.length === 0) return undefined
  const figure = median(figures)
  const isMet = meets(goal, figure)
  return { figure, lowest: Math.min(...figures), highest: Math.max(...figures), isMet, isClear: figures.every((each) => meets(goal, each) === isMet) }
}

/** As it will be printed: what reads 1.00 meets a goal of 1.00. */
function meets({ most = Infinity, least = -Infinity, digits }: Goal, figure: number): boolean {
  const printed = Number(figure.toFixed(digits))
  return printed <= most && printed >= least
}
