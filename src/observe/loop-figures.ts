// What the controller's loop took: totals since the start and the last runs.

export interface LoopRun {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly translateMs: number
  /** Until all threads served it. */
  readonly applyMs: number
}

export interface LoopFigures {
  readonly runs: number
  /** Runs that threw: bugs. */
  readonly failures: number
  /** Sums. */
  readonly translateMs: number
  readonly applyMs: number
  /** The newest last; at most RECENT_RUNS. */
  readonly recent: readonly LoopRun[]
}

export const RECENT_RUNS = 64

export const NO_LOOP_FIGURES: LoopFigures = Object.freeze({ runs: 0, failures: 0, translateMs: 0, applyMs: 0, recent: [] })

export function withRun(figures: LoopFigures, run: LoopRun): LoopFigures {
  return {
    ...figures,
    runs: figures.runs + 1,
    translateMs: figures.translateMs + run.translateMs,
    applyMs: figures.applyMs + run.applyMs,
    recent: [...figures.recent.slice(1 - RECENT_RUNS), run],
  }
}

export function withFailure(figures: LoopFigures): LoopFigures {
  return { ...figures, failures: figures.failures + 1 }
}
