// The counts of one data-plane thread as plain data, and their sum. Knows no metric names.
import type { FailureKind } from '../base/failure.ts'
import type { SeriesLabels } from './series.ts'
import { addStreamFigures, type StreamFigures } from './stream-counters.ts'

/** Upper bounds of the duration buckets, in milliseconds; the last bucket has none. */
export const DURATION_BOUNDS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const
export const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

export interface SeriesFigures {
  readonly labels: SeriesLabels
  /** Requests by STATUS_CLASSES. */
  readonly statuses: readonly number[]
  /** Requests by DURATION_BOUNDS, not cumulative; one more than there are bounds. */
  readonly durations: readonly number[]
  /** Milliseconds. */
  readonly durationSum: number
  readonly retries: number
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface ThreadFigures {
  readonly series: readonly (readonly [key: string, figures: SeriesFigures])[]
  /** By stream id. */
  readonly streams: readonly (readonly [id: string, figures: StreamFigures])[]
  readonly failures: readonly (readonly [kind: FailureKind, count: number])[]
  /** Open now. */
  readonly connections: { readonly http: number; readonly https: number }
  readonly tunnels: number
  /** Since the start. */
  readonly connectionsAccepted: { readonly http: number; readonly https: number }
  readonly connectionsRefused: number
  readonly handshakesFailed: number
  /** Lines of the access log, because it was not read fast enough. */
  readonly logLinesDropped: number
  /** Tries on further endpoints that the budgets did not allow. */
  readonly retriesRefused: number
}

export const NO_FIGURES: ThreadFigures = Object.freeze({
  series: [],
  streams: [],
  failures: [],
  connections: { http: 0, https: 0 },
  tunnels: 0,
  connectionsAccepted: { http: 0, https: 0 },
  connectionsRefused: 0,
  handshakesFailed: 0,
  logLinesDropped: 0,
  retriesRefused: 0,
})

export function sumFigures(all: readonly ThreadFigures[]): ThreadFigures {
  return all.reduce(add, NO_FIGURES)
}

/** What stays of a thread that is gone: what it counted, not what it held open. */
export function withoutGauges(figures: ThreadFigures): ThreadFigures {
  const streams = figures.streams.map(([id, each]) => [id, { ...each, open: 0 }] as const)
  return { ...figures, streams, connections: NO_FIGURES.connections, tunnels: 0 }
}

export function keepSeries(figures: ThreadFigures, live: ReadonlySet<string>): ThreadFigures {
  return { ...figures, series: figures.series.filter(([key]) => live.has(key)) }
}

function add(a: ThreadFigures, b: ThreadFigures): ThreadFigures {
  return {
    series: sumEntries(a.series, b.series, addSeries),
    streams: sumEntries(a.streams, b.streams, addStreamFigures),
    failures: sumEntries(a.failures, b.failures, (x, y) => x + y),
    connections: addPair(a.connections, b.connections),
    tunnels: a.tunnels + b.tunnels,
    connectionsAccepted: addPair(a.connectionsAccepted, b.connectionsAccepted),
    connectionsRefused: a.connectionsRefused + b.connectionsRefused,
    handshakesFailed: a.handshakesFailed + b.handshakesFailed,
    logLinesDropped: a.logLinesDropped + b.logLinesDropped,
    retriesRefused: a.retriesRefused + b.retriesRefused,
  }
}

function addPair(a: { readonly http: number; readonly https: number }, b: { readonly http: number; readonly https: number }) {
  return { http: a.http + b.http, https: a.https + b.https }
}

function addSeries(a: SeriesFigures, b: SeriesFigures): SeriesFigures {
  return {
    labels: a.labels,
    statuses: a.statuses.map((count, i) => count + (b.statuses[i] ?? 0)),
    durations: a.durations.map((count, i) => count + (b.durations[i] ?? 0)),
    durationSum: a.durationSum + b.durationSum,
    retries: a.retries + b.retries,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
  }
}

function sumEntries<K, V>(a: readonly (readonly [K, V])[], b: readonly (readonly [K, V])[], plus: (x: V, y: V) => V): [K, V][] {
  const sum = new Map(a)
  for (const [key, value] of b) {
    const held = sum.get(key)
    sum.set(key, held === undefined ? value : plus(held, value))
  }
  return [...sum]
}
