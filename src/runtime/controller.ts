// The one loop: something changed → wait for the burst to end → translate the whole state → all threads serve it → say what was
// found. Knows neither Kubernetes nor HTTP: what it reads, translates and tells comes in as functions.
import { systemClock, type Clock } from '../base/clock.ts'
import { Coalesce } from '../base/coalesce.ts'
import type { Log } from '../base/log.ts'
import type { RoutingConfig } from '../model/routing.ts'
import { NO_LOOP_FIGURES, withFailure, withRun, type LoopFigures } from '../observe/loop-figures.ts'

/** What a translation must hold for the loop; it may hold more. */
export interface Translated {
  readonly config: RoutingConfig
  /** When to translate again although nothing changed; milliseconds since the epoch. */
  readonly nextDate: number | undefined
}

export interface ControllerOptions<T extends Translated> {
  /** Of the state as it is now. Throws only over a bug. */
  readonly translate: (now: number) => T
  /** Resolves when all threads serve it. */
  readonly apply: (config: RoutingConfig) => Promise<void>
  /** Gets each translation once it is served: for status, events, metrics. */
  readonly publish: (translation: T) => void
  readonly log: Log
  readonly clock?: Clock
}

export interface Controller<T extends Translated> {
  /** Says that the state changed. */
  readonly markDirty: () => void
  /** Translates and applies now, for the first time; rejects when that fails. Marks made before wait for it. */
  start(): Promise<void>
  /** The translation that is served; undefined before the first. */
  current(): T | undefined
  figures(): LoopFigures
  /** Begins no run any more; resolves when the one under way has ended. */
  close(): Promise<void>
}

const QUIET_MS = 5
/** An endpoint that is gone must get no new request 20 ms after the event, however many more come. */
const LONGEST_MS = 10
/** Not at once: a date that translation goes on naming must not make a busy loop. Not too late: clocks get set. */
const SHORTEST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 86_400_000

export function createController<T extends Translated>(options: ControllerOptions<T>): Controller<T> {
  const { translate, apply, publish, log, clock = systemClock } = options
  const coalesce = new Coalesce({ clock, quiet: QUIET_MS, longest: LONGEST_MS, run: runSafely })
  let current: T | undefined
  let figures = NO_LOOP_FIGURES
  let phase: 'new' | 'started' | 'closed' = 'new'
  let isMarked = false
  let cancelDate: (() => void) | undefined

  async function run(): Promise<void> {
    const started = performance.now()
    const translation = translate(clock.now())
    const translated = performance.now()
    await apply(translation.config)
    const translateMs = translated - started
    const applyMs = performance.now() - translated
    current = translation
    figures = withRun(figures, { at: clock.now(), translateMs, applyMs })
    waitForDate(translation.nextDate)
    publish(translation)
    log('debug', 'table applied', { translateMs, applyMs, hosts: translation.config.hosts.size })
  }

  async function runSafely(): Promise<void> {
    try {
      await run()
    } catch (error) {
      figures = withFailure(figures)
      log('error', 'translation or apply failed, the table before stays', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }

  function waitForDate(date: number | undefined): void {
    cancelDate?.()
    cancelDate = undefined
    if (date === undefined || phase === 'closed') return
    const wait = Math.min(Math.max(date - clock.now(), SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
    cancelDate = clock.after(wait, () => coalesce.mark())
  }

  return {
    markDirty() {
      if (phase === 'started') coalesce.mark()
      else isMarked = true
    },
    async start() {
      isMarked = false
      await run()
      if (phase === 'new') phase = 'started'
      if (isMarked) coalesce.mark()
    },
    current: () => current,
    figures: () => figures,
    async close() {
      phase = 'closed'
      cancelDate?.()
      await coalesce.close()
    },
  }
}
