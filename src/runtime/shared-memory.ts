// All memory that the threads share, as the supervisor sees it: counters of sequences by backend, cells by endpoint, and each thread's share of
// what the cells count, so that a thread that dies takes its requests in flight with it.
import type { RoutingDelta } from '../model/delta.ts'
import { createEndpointCells, newCellChunk, type CellDelta, type EndpointCells } from './endpoint-cells.ts'
import { createSlots, type SlotDelta } from './slots.ts'

/** What one thread must learn before a version of the table. */
export interface MemoryUpdate {
  readonly slots: SlotDelta
  readonly cells: CellDelta
  /** The thread's share of each new chunk of cells. */
  readonly own: readonly SharedArrayBuffer[]
}

export interface SharedMemory<Thread extends object> {
  /** Makes it fit a version, given what that changes; the answer says what to tell a thread that knew the version before. */
  update(delta: RoutingDelta, version: number): (thread: Thread) => MemoryUpdate
  /** All there is, for a thread that starts. */
  whole(thread: Thread): MemoryUpdate
  /** Every thread serves this version or a later one. */
  acknowledged(version: number): void
  /** The thread is gone. */
  lost(thread: Thread): void
  readonly endpoints: Pick<EndpointCells, 'inFlight' | 'health' | 'loads'>
}

export function createSharedMemory<Thread extends object>(): SharedMemory<Thread> {
  const slots = createSlots()
  const cells = createEndpointCells()
  const shares = new Map<Thread, SharedArrayBuffer[]>()

  function updateFor(thread: Thread, slotDelta: SlotDelta, cellDelta: CellDelta): MemoryUpdate {
    const own = cellDelta.chunks.map(newCellChunk)
    shares.set(thread, [...(shares.get(thread) ?? []), ...own])
    return { slots: slotDelta, cells: cellDelta, own }
  }

  return {
    update({ backends }, version) {
      const slotDelta = slots.update(backends, version)
      const cellDelta = cells.update(backends, version)
      return (thread) => updateFor(thread, slotDelta, cellDelta)
    },
    whole: (thread) => updateFor(thread, slots.whole(), cells.whole()),
    acknowledged(version) {
      slots.acknowledged(version)
      cells.acknowledged(version)
    },
    lost(thread) {
      cells.subtract(shares.get(thread) ?? [])
      shares.delete(thread)
    },
    endpoints: cells,
  }
}
