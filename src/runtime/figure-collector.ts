// Gathers the counts of all threads. A thread that is gone leaves what it had counted when last asked, so that counters
// never go back; a thread that is too busy to answer is counted as it was.
import type { Clock } from '../base/clock.ts'
import type { RoutingConfig } from '../model/routing.ts'
import { keepSeries, NO_FIGURES, sumFigures, withoutGauges, type ThreadFigures } from '../observe/figures.ts'
import { liveSeries } from '../observe/series.ts'
import type { DataPlaneThread } from './thread.ts'

export interface FigureCollector {
  /** The sum over these threads and all that are gone, without series whose objects `config` has no more. */
  collect(threads: readonly DataPlaneThread[], config: RoutingConfig): Promise<ThreadFigures>
  /** A thread's answer. */
  take(thread: DataPlaneThread, id: number, figures: ThreadFigures): void
  retire(thread: DataPlaneThread): void
}

const PATIENCE_MS = 1000

export function createFigureCollector(clock: Clock): FigureCollector {
  const known = new Map<DataPlaneThread, ThreadFigures>()
  const waiting = new Map<DataPlaneThread, Map<number, () => void>>()
  let retired: ThreadFigures = NO_FIGURES
  let live: { readonly hosts: RoutingConfig['hosts']; readonly keys: ReadonlySet<string> } | undefined
  let id = 0

  function liveKeys(config: RoutingConfig): ReadonlySet<string> {
    if (live?.hosts !== config.hosts) live = { hosts: config.hosts, keys: liveSeries(config) }
    return live.keys
  }

  function ask(thread: DataPlaneThread, keys: ReadonlySet<string>): Promise<void> {
    const asked = ++id
    const gone = (known.get(thread)?.series ?? []).map(([key]) => key).filter((key) => !keys.has(key))
    return new Promise((resolve) => {
      const answers = waiting.get(thread) ?? new Map<number, () => void>()
      waiting.set(thread, answers)
      const done = () => {
        cancel()
        answers.delete(asked)
        resolve()
      }
      const cancel = clock.after(PATIENCE_MS, done)
      answers.set(asked, done)
      thread.post({ kind: 'figures', id: asked, forget: gone })
    })
  }

  return {
    async collect(threads, config) {
      const keys = liveKeys(config)
      await Promise.all(threads.map((thread) => ask(thread, keys)))
      return keepSeries(sumFigures([retired, ...known.values()]), keys)
    },
    take(thread, answered, figures) {
      known.set(thread, figures)
      waiting.get(thread)?.get(answered)?.()
    },
    retire(thread) {
      const last = known.get(thread)
      if (last !== undefined) retired = sumFigures([retired, withoutGauges(last)])
      known.delete(thread)
      for (const done of waiting.get(thread)?.values() ?? []) done()
      waiting.delete(thread)
    },
  }
}
