// The counts of one TCP or UDP service in one thread, in shared memory: the thread alone writes, the supervisor reads.

/** Called for every piece of data: none of these may throw. */
export interface StreamCounters {
  /** A connection, or a client over UDP. */
  opened(): void
  closed(): void
  /** Turned away: too many, or no valid PROXY protocol header. */
  refused(): void
  /** No endpoint took it. */
  failed(): void
  /** From clients. */
  received(bytes: number): void
  /** To clients. */
  sent(bytes: number): void
}

export interface StreamRecorder {
  /** The same ones for the same stream. */
  of(streamId: string): StreamCounters
}

export interface StreamFigures {
  /** Open now. */
  readonly open: number
  /** Since the start. */
  readonly accepted: number
  readonly refused: number
  readonly failed: number
  readonly bytesIn: number
  readonly bytesOut: number
}

export const STREAM_CELLS = { open: 0, accepted: 1, refused: 2, failed: 3, bytesIn: 4, bytesOut: 5 } as const
const CELL_COUNT = Object.keys(STREAM_CELLS).length

export function newStreamCells(): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(CELL_COUNT * Float64Array.BYTES_PER_ELEMENT))
}

export function streamCounters(cells: Float64Array): StreamCounters {
  const add = (cell: keyof typeof STREAM_CELLS, amount: number): void => {
    cells[STREAM_CELLS[cell]] = (cells[STREAM_CELLS[cell]] ?? 0) + amount
  }
  return {
    opened() {
      add('open', 1)
      add('accepted', 1)
    },
    closed: () => add('open', -1),
    refused: () => add('refused', 1),
    failed: () => add('failed', 1),
    received: (bytes) => add('bytesIn', bytes),
    sent: (bytes) => add('bytesOut', bytes),
  }
}

export function readStreamCells(cells: Float64Array): StreamFigures {
  const of = (cell: keyof typeof STREAM_CELLS): number => cells[STREAM_CELLS[cell]] ?? 0
  return { open: of('open'), accepted: of('accepted'), refused: of('refused'), failed: of('failed'), bytesIn: of('bytesIn'), bytesOut: of('bytesOut') }
}

export function addStreamFigures(a: StreamFigures, b: StreamFigures): StreamFigures {
  return {
    open: a.open + b.open,
    accepted: a.accepted + b.accepted,
    refused: a.refused + b.refused,
    failed: a.failed + b.failed,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
  }
}

/** `announce` gets the memory of each stream when it is first counted. */
export function createStreamRecorder(announce: (streamId: string, buffer: SharedArrayBuffer) => void = () => undefined): StreamRecorder {
  const known = new Map<string, StreamCounters>()
  return {
    of(streamId) {
      let counters = known.get(streamId)
      if (counters === undefined) {
        const cells = newStreamCells()
        counters = streamCounters(cells)
        known.set(streamId, counters)
        announce(streamId, cells.buffer)
      }
      return counters
    },
  }
}
