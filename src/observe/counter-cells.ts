// Where the counts of one thread lie in shared memory. The thread alone writes, the supervisor reads when it likes: a scrape costs
// the thread nothing, and what a thread had counted is still there when it has died.
import { FAILURES, type FailureKind } from '../base/failure.ts'
import { DURATION_BOUNDS, STATUS_CLASSES } from './figures.ts'
import type { SeriesLabels } from './series.ts'

/** What a thread tells once, so that its memory can be read. */
export type CounterNews =
  | { readonly kind: 'globals'; readonly buffer: SharedArrayBuffer }
  | { readonly kind: 'chunk'; readonly buffer: SharedArrayBuffer }
  /** The series in that slot from now on; slot = chunk × SERIES_PER_CHUNK + place. */
  | { readonly kind: 'series'; readonly slot: number; readonly labels: SeriesLabels }
  /** The counts of one TCP or UDP service. */
  | { readonly kind: 'stream'; readonly id: string; readonly buffer: SharedArrayBuffer }

/** Cells of one series, in this order. */
export const DURATION_CELLS = STATUS_CLASSES.length
export const DURATION_SUM_CELL = DURATION_CELLS + DURATION_BOUNDS.length + 1
export const RETRIES_CELL = DURATION_SUM_CELL + 1
export const BYTES_IN_CELL = RETRIES_CELL + 1
export const BYTES_OUT_CELL = BYTES_IN_CELL + 1
export const CELLS_PER_SERIES = BYTES_OUT_CELL + 1
export const SERIES_PER_CHUNK = 256

/** Cells that a thread has once. */
export const GLOBAL_CELLS = {
  openHttp: 0,
  openHttps: 1,
  acceptedHttp: 2,
  acceptedHttps: 3,
  refused: 4,
  handshakesFailed: 5,
  tunnels: 6,
  logLinesDropped: 7,
  retriesRefused: 8,
} as const
export const FAILURE_KINDS = Object.keys(FAILURES) as readonly FailureKind[]
export const FIRST_FAILURE_CELL = Object.keys(GLOBAL_CELLS).length

export function newGlobals(): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer((FIRST_FAILURE_CELL + FAILURE_KINDS.length) * Float64Array.BYTES_PER_ELEMENT))
}

export function newChunk(): SharedArrayBuffer {
  return new SharedArrayBuffer(SERIES_PER_CHUNK * CELLS_PER_SERIES * Float64Array.BYTES_PER_ELEMENT)
}

/** The cells of one slot; undefined while its chunk is not known. */
export function seriesCells(chunks: readonly SharedArrayBuffer[], slot: number): Float64Array<SharedArrayBuffer> | undefined {
  const chunk = chunks[Math.floor(slot / SERIES_PER_CHUNK)]
  const place = slot % SERIES_PER_CHUNK
  return chunk === undefined ? undefined : new Float64Array(chunk, place * CELLS_PER_SERIES * Float64Array.BYTES_PER_ELEMENT, CELLS_PER_SERIES)
}
