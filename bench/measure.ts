// The steps of a plan, one after the other, and their outcomes by scenario and round.
import { secondsLeft, type Step } from './plan.ts'
import type { Results } from './results.ts'
import type { Sample, Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

/** The figures, or what failed, in words: that does not end a run, since nobody may be there to start it again. */
export type Outcome = Sample | string

export interface Progress {
  readonly step: Step
  readonly outcome: Outcome
  readonly done: number
  /** Seconds, about. */
  readonly left: number
}

export async function measureAll(steps: readonly Step[], stage: Stage, seconds: number, report: (progress: Progress) => void): Promise<Map<Step, Outcome>> {
  const began = performance.now()
  const outcomes = new Map<Step, Outcome>()
  for (const step of steps) {
    const outcome = await attempt(step, stage, seconds)
    outcomes.set(step, outcome)
    report({ step, outcome, done: outcomes.size, left: secondsLeft(steps, outcomes.size, (performance.now() - began) / 1000) })
  }
  return outcomes
}

/** A second try for what an odd moment spoiled. */
async function attempt({ contender }: Step, stage: Stage, seconds: number): Promise<Outcome> {
  try {
    return await contender.measure(stage, seconds).catch(() => contender.measure(stage, seconds))
  } catch (error) {
    return `failed twice: ${messageOf(error)}`
  }
}

export function resultsOf(scenarios: readonly Scenario[], rounds: number, outcomes: ReadonlyMap<Step, Outcome>): Results[] {
  return scenarios.map((scenario) => {
    const samples = Array.from({ length: rounds }, () => new Map<string, Sample>())
    for (const [step, outcome] of outcomes) {
      if (step.scenario === scenario && typeof outcome !== 'string') samples[step.round]?.set(step.contender.name, outcome)
    }
    return { scenario, rounds: samples }
  })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
