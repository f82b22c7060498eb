// Counts the work of one thread. Per request: a few additions in a typed array that belongs to the route's series; no label
// objects, no strings.
import { FAILURES, type FailureKind } from '../base/failure.ts'
import type { RouteSource } from '../model/routing.ts'
import { DURATION_BOUNDS, STATUS_CLASSES, type SeriesFigures, type ThreadFigures } from './figures.ts'
import type { Recorder, RequestRecord } from './recorder.ts'
import { labelsOf, seriesKey, UNMATCHED, type SeriesLabels } from './series.ts'

export interface ThreadRecorder extends Recorder {
  figures(): ThreadFigures
  /** Drops series whose objects are gone. */
  forget(keys: readonly string[]): void
}

const DURATIONS = STATUS_CLASSES.length
const BUCKETS = DURATION_BOUNDS.length + 1
const DURATION_SUM = DURATIONS + BUCKETS
const RETRIES = DURATION_SUM + 1
const BYTES_IN = RETRIES + 1
const BYTES_OUT = BYTES_IN + 1
const CELLS = BYTES_OUT + 1

interface Series {
  readonly labels: SeriesLabels
  readonly cells: Float64Array
  forgotten: boolean
}

const FAILURE_KINDS = Object.keys(FAILURES) as FailureKind[]

/** `onRequest` gets each request after it was counted: the access log. */
export function createThreadRecorder(onRequest?: (record: RequestRecord) => void): ThreadRecorder {
  const series = new Map<string, Series>()
  const byRoute = new WeakMap<RouteSource, Series>()
  let unmatched = seriesFor(UNMATCHED)
  const failures = new Map<FailureKind, number>(FAILURE_KINDS.map((kind) => [kind, 0]))
  const connections = { http: 0, https: 0 }
  const accepted = { http: 0, https: 0 }
  let tunnels = 0
  let refused = 0
  let handshakesFailed = 0

  function seriesFor(labels: SeriesLabels): Series {
    const key = seriesKey(labels)
    let found = series.get(key)
    if (found === undefined) {
      found = { labels, cells: new Float64Array(CELLS), forgotten: false }
      series.set(key, found)
    }
    return found
  }

  function seriesOf(route: RouteSource | undefined): Series {
    if (route === undefined) {
      if (unmatched.forgotten) unmatched = seriesFor(UNMATCHED)
      return unmatched
    }
    let found = byRoute.get(route)
    if (found === undefined || found.forgotten) {
      found = seriesFor(labelsOf(route))
      byRoute.set(route, found)
    }
    return found
  }

  return {
    connectionOpened(tls) {
      connections[tls ? 'https' : 'http']++
      accepted[tls ? 'https' : 'http']++
    },
    connectionClosed(tls) {
      connections[tls ? 'https' : 'http']--
    },
    connectionRefused() {
      refused++
    },
    handshakeFailed() {
      handshakesFailed++
    },
    tunnelOpened() {
      tunnels++
    },
    tunnelClosed() {
      tunnels--
    },
    request(record) {
      const { cells } = seriesOf(record.route)
      add(cells, statusCell(record.status), 1)
      add(cells, DURATIONS + bucketOf(record.duration), 1)
      add(cells, DURATION_SUM, record.duration)
      if (record.tries > 1) add(cells, RETRIES, record.tries - 1)
      add(cells, BYTES_IN, record.bytesIn)
      add(cells, BYTES_OUT, record.bytesOut)
      if (record.failure !== undefined) failures.set(record.failure, (failures.get(record.failure) ?? 0) + 1)
      if (onRequest !== undefined) onRequest(record)
    },
    figures: () => ({
      series: [...series].map(([key, each]) => [key, figuresOf(each)]),
      failures: [...failures].filter(([, count]) => count > 0),
      connections: { ...connections },
      tunnels,
      connectionsAccepted: { ...accepted },
      connectionsRefused: refused,
      handshakesFailed,
    }),
    forget(keys) {
      for (const key of keys) {
        const found = series.get(key)
        if (found === undefined) continue
        found.forgotten = true
        series.delete(key)
      }
    },
  }
}

function add(cells: Float64Array, index: number, amount: number): void {
  cells[index] = (cells[index] ?? 0) + amount
}

function statusCell(status: number): number {
  return Math.min(Math.max(Math.trunc(status / 100), 1), STATUS_CLASSES.length) - 1
}

function bucketOf(ms: number): number {
  let bucket = 0
  while (bucket < DURATION_BOUNDS.length && ms > (DURATION_BOUNDS[bucket] ?? 0)) bucket++
  return bucket
}

function figuresOf({ labels, cells }: Series): SeriesFigures {
  return {
    labels,
    statuses: [...cells.subarray(0, DURATIONS)],
    durations: [...cells.subarray(DURATIONS, DURATION_SUM)],
    durationSum: cells[DURATION_SUM] ?? 0,
    retries: cells[RETRIES] ?? 0,
    bytesIn: cells[BYTES_IN] ?? 0,
    bytesOut: cells[BYTES_OUT] ?? 0,
  }
}
