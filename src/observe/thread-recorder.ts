// Counts the work of one thread. Per request: a few additions in the cells of the route's series; no label objects, no strings.
import type { FailureKind } from '../base/failure.ts'
import type { RouteSource } from '../model/routing.ts'
import {
  BYTES_IN_CELL,
  BYTES_OUT_CELL,
  DURATION_CELLS,
  DURATION_SUM_CELL,
  FAILURE_KINDS,
  FIRST_FAILURE_CELL,
  GLOBAL_CELLS,
  RETRIES_CELL,
  SERIES_PER_CHUNK,
  newChunk,
  newGlobals,
  seriesCells,
  type CounterNews,
} from './counter-cells.ts'
import { DURATION_BOUNDS, STATUS_CLASSES } from './figures.ts'
import type { Recorder, RequestRecord } from './recorder.ts'
import { labelsOf, seriesKey, UNMATCHED, type SeriesLabels } from './series.ts'

export interface ThreadRecorder extends Recorder {
  /** Of the access log. */
  lineDropped(): void
  /** Drops series whose objects are gone; their slots are used again. */
  forget(keys: readonly string[]): void
}

interface Series {
  readonly slot: number
  readonly cells: Float64Array
  forgotten: boolean
}

const FAILURE_CELLS = Object.fromEntries(FAILURE_KINDS.map((kind, i) => [kind, FIRST_FAILURE_CELL + i])) as Readonly<Record<FailureKind, number>>

/** `announce` gets what a reader must know, in order; without it nobody reads. `onRequest` gets each request after it was counted: the access log. */
export function createThreadRecorder(announce: (news: CounterNews) => void = () => undefined, onRequest?: (record: RequestRecord) => void): ThreadRecorder {
  const globals = newGlobals()
  announce({ kind: 'globals', buffer: globals.buffer })
  const chunks: SharedArrayBuffer[] = []
  const free: number[] = []
  let used = 0
  const series = new Map<string, Series>()
  const byRoute = new WeakMap<RouteSource, Series>()
  let unmatched = seriesFor(UNMATCHED)

  function takeSlot(): number {
    const again = free.pop()
    if (again !== undefined) return again
    if (used === chunks.length * SERIES_PER_CHUNK) {
      const buffer = newChunk()
      chunks.push(buffer)
      announce({ kind: 'chunk', buffer })
    }
    return used++
  }

  function seriesFor(labels: SeriesLabels): Series {
    const key = seriesKey(labels)
    const held = series.get(key)
    if (held !== undefined) return held
    const slot = takeSlot()
    const cells = (seriesCells(chunks, slot) ?? new Float64Array()).fill(0)
    const made = { slot, cells, forgotten: false }
    series.set(key, made)
    announce({ kind: 'series', slot, labels })
    return made
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
      add(globals, tls ? GLOBAL_CELLS.openHttps : GLOBAL_CELLS.openHttp, 1)
      add(globals, tls ? GLOBAL_CELLS.acceptedHttps : GLOBAL_CELLS.acceptedHttp, 1)
    },
    connectionClosed: (tls) => add(globals, tls ? GLOBAL_CELLS.openHttps : GLOBAL_CELLS.openHttp, -1),
    connectionRefused: () => add(globals, GLOBAL_CELLS.refused, 1),
    handshakeFailed: () => add(globals, GLOBAL_CELLS.handshakesFailed, 1),
    retryRefused: () => add(globals, GLOBAL_CELLS.retriesRefused, 1),
    tunnelOpened: () => add(globals, GLOBAL_CELLS.tunnels, 1),
    tunnelClosed: () => add(globals, GLOBAL_CELLS.tunnels, -1),
    request(record) {
      const { cells } = seriesOf(record.route)
      add(cells, statusCell(record.status), 1)
      add(cells, DURATION_CELLS + bucketOf(record.duration), 1)
      add(cells, DURATION_SUM_CELL, record.duration)
      if (record.tries > 1) add(cells, RETRIES_CELL, record.tries - 1)
      add(cells, BYTES_IN_CELL, record.bytesIn)
      add(cells, BYTES_OUT_CELL, record.bytesOut)
      if (record.failure !== undefined) add(globals, FAILURE_CELLS[record.failure], 1)
      if (onRequest !== undefined) onRequest(record)
    },
    lineDropped: () => add(globals, GLOBAL_CELLS.logLinesDropped, 1),
    forget(keys) {
      for (const key of keys) {
        const found = series.get(key)
        if (found === undefined) continue
        found.forgotten = true
        series.delete(key)
        free.push(found.slot)
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
