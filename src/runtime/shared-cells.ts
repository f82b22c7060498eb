// A thread's side of the endpoint cells: where the requests in flight of each endpoint are counted, by all threads and by this one.
import { localCells, type BackendCells, type Cell, type Cells } from '../balance/loads.ts'
import { cellKey, type CellDelta } from './endpoint-cells.ts'

export interface SharedCells extends BackendCells {
  /** `own`: this thread's share of each new chunk, in the same order. */
  learn(delta: CellDelta, own: readonly SharedArrayBuffer[]): void
}

export function createSharedCells(): SharedCells {
  const chunks: { readonly shared: Cells; readonly own: Cells }[] = []
  const cells = new Map<string, Cell>()
  /** For backends that this thread was told of no longer, asked for by requests of an older table. */
  const lost = localCells()

  return {
    learn(delta, own) {
      for (const [i, chunk] of delta.chunks.entries()) {
        const share = own[i]
        if (share !== undefined) chunks.push({ shared: new Int32Array(chunk), own: new Int32Array(share) })
      }
      for (const key of delta.released) cells.delete(key)
      for (const [key, { chunk, index }] of delta.assigned) {
        const memory = chunks[chunk]
        if (memory !== undefined) cells.set(key, { ...memory, index })
      }
    },
    of: (servicePort) => ({ of: (endpointId) => cells.get(cellKey(servicePort, endpointId)) ?? lost.of(endpointId) }),
  }
}
