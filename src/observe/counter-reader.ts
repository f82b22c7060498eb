// Reads the counts of one thread out of its shared memory, whether the thread is busy, hangs or has died.
import {
  BYTES_IN_CELL,
  BYTES_OUT_CELL,
  DURATION_CELLS,
  DURATION_SUM_CELL,
  FAILURE_KINDS,
  FIRST_FAILURE_CELL,
  GLOBAL_CELLS,
  RETRIES_CELL,
  seriesCells,
  type CounterNews,
} from './counter-cells.ts'
import { NO_FIGURES, type SeriesFigures, type ThreadFigures } from './figures.ts'
import { seriesKey, type SeriesLabels } from './series.ts'
import { readStreamCells } from './stream-counters.ts'

export interface CounterReader {
  learn(news: CounterNews): void
  figures(): ThreadFigures
  keys(): Iterable<string>
  /** To be called when the thread is told to forget them: their slots will hold something else. */
  forget(keys: readonly string[]): void
}

export function createCounterReader(): CounterReader {
  const chunks: SharedArrayBuffer[] = []
  const series = new Map<string, { readonly labels: SeriesLabels; readonly cells: Float64Array }>()
  const streams = new Map<string, Float64Array>()
  let globals: Float64Array | undefined

  return {
    learn(news) {
      if (news.kind === 'globals') globals = new Float64Array(news.buffer)
      else if (news.kind === 'chunk') chunks.push(news.buffer)
      else if (news.kind === 'stream') streams.set(news.id, new Float64Array(news.buffer))
      else {
        const cells = seriesCells(chunks, news.slot)
        if (cells !== undefined) series.set(seriesKey(news.labels), { labels: news.labels, cells })
      }
    },
    keys: () => series.keys(),
    forget(keys) {
      for (const key of keys) series.delete(key)
    },
    figures() {
      if (globals === undefined) return NO_FIGURES
      const global = (name: keyof typeof GLOBAL_CELLS): number => globals?.[GLOBAL_CELLS[name]] ?? 0
      const failures = FAILURE_KINDS.map((kind, i) => [kind, globals?.[FIRST_FAILURE_CELL + i] ?? 0] as const)
      return {
        series: [...series].map(([key, { labels, cells }]) => [key, seriesFigures(labels, cells)]),
        streams: [...streams].map(([id, cells]) => [id, readStreamCells(cells)]),
        failures: failures.filter(([, count]) => count > 0),
        connections: { http: global('openHttp'), https: global('openHttps') },
        tunnels: global('tunnels'),
        connectionsAccepted: { http: global('acceptedHttp'), https: global('acceptedHttps') },
        connectionsRefused: global('refused'),
        handshakesFailed: global('handshakesFailed'),
        logLinesDropped: global('logLinesDropped'),
        retriesRefused: global('retriesRefused'),
      }
    },
  }
}

function seriesFigures(labels: SeriesLabels, cells: Float64Array): SeriesFigures {
  return {
    labels,
    statuses: [...cells.subarray(0, DURATION_CELLS)],
    durations: [...cells.subarray(DURATION_CELLS, DURATION_SUM_CELL)],
    durationSum: cells[DURATION_SUM_CELL] ?? 0,
    retries: cells[RETRIES_CELL] ?? 0,
    bytesIn: cells[BYTES_IN_CELL] ?? 0,
    bytesOut: cells[BYTES_OUT_CELL] ?? 0,
  }
}
