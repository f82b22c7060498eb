// Gathers the counts of all threads from the memory that they share. A thread that is gone leaves what it had counted, so
// that counters never go back; one that hangs is counted as far as it got.
import type { Clock } from '../base/clock.ts'
import type { RoutingConfig } from '../model/routing.ts'
import type { CounterNews } from '../observe/counter-cells.ts'
import { createCounterReader, type CounterReader } from '../observe/counter-reader.ts'
import { keepSeries, NO_FIGURES, sumFigures, withoutGauges, type ThreadFigures } from '../observe/figures.ts'
import { liveSeries } from '../observe/series.ts'
import type { DataPlaneThread } from './thread.ts'

export interface FigureCollector {
  learn(thread: DataPlaneThread, news: CounterNews): void
  /** The sum over all threads, those gone included, without series whose objects `config` has no more. */
  collect(threads: readonly DataPlaneThread[], config: RoutingConfig): Promise<ThreadFigures>
  /** A thread has told all that it had to tell when it was asked. */
  answered(thread: DataPlaneThread, id: number): void
  retire(thread: DataPlaneThread): void
}

/** For news that are on their way; the counts need no answer. */
const PATIENCE_MS = 250

export function createFigureCollector(clock: Clock): FigureCollector {
  const readers = new Map<DataPlaneThread, CounterReader>()
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
    const reader = readers.get(thread)
    const gone = [...(reader?.keys() ?? [])].filter((key) => !keys.has(key))
    reader?.forget(gone)
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
    learn(thread, news) {
      const reader = readers.get(thread) ?? createCounterReader()
      readers.set(thread, reader)
      reader.learn(news)
    },
    async collect(threads, config) {
      const keys = liveKeys(config)
      await Promise.all(threads.map((thread) => ask(thread, keys)))
      retired = keepSeries(retired, keys)
      return keepSeries(sumFigures([retired, ...[...readers.values()].map((reader) => reader.figures())]), keys)
    },
    answered: (thread, asked) => waiting.get(thread)?.get(asked)?.(),
    retire(thread) {
      const reader = readers.get(thread)
      if (reader !== undefined) retired = sumFigures([retired, withoutGauges(reader.figures())])
      readers.delete(thread)
      for (const done of waiting.get(thread)?.values() ?? []) done()
      waiting.delete(thread)
    },
  }
}
