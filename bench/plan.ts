// The measurements of a run in their order, and how long they will take.
import type { Peer } from './peer.ts'
import type { Contender, Scenario } from './scenario.ts'

export interface Step {
  readonly scenario: Scenario
  readonly contender: Contender
  /** From 0. */
  readonly round: number
  /** Seconds, about. */
  readonly lasts: number
}

/** The contenders of a round one after the other, so that what else the machine does falls on all alike. */
export function planOf(scenarios: readonly Scenario[], peers: readonly Peer[], rounds: number, seconds: number): Step[] {
  const steps: Step[] = []
  for (const scenario of scenarios) {
    const contenders = scenario.contenders(peers)
    for (let round = 0; round < rounds; round++) {
      for (const contender of contenders) {
        if (round === 0 || contender.once !== true) steps.push({ scenario, contender, round, lasts: scenario.lasts(seconds) })
      }
    }
  }
  return steps
}

/** `done` steps took `elapsed` seconds; at first only the plan says how long the rest takes. */
export function secondsLeft(steps: readonly Step[], done: number, elapsed: number): number {
  const sum = (some: readonly Step[]): number => some.reduce((total, { lasts }) => total + lasts, 0)
  const planned = sum(steps.slice(0, done))
  return sum(steps.slice(done)) * (planned === 0 ? 1 : elapsed / planned)
}

export function inWords(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
}
