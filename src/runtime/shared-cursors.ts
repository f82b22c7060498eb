// A thread's side of the slots: the cursors of its backends over the shared cells.
import { sharedCursor, type Cursor, type CursorSource } from '../balance/cursor.ts'
import type { SlotDelta } from './slots.ts'

export interface SharedCursors extends CursorSource {
  learn(delta: SlotDelta): void
}

export function createSharedCursors(): SharedCursors {
  const chunks: Uint32Array<SharedArrayBuffer>[] = []
  const cursors = new Map<string, Cursor>()

  return {
    learn(delta) {
      for (const chunk of delta.chunks) chunks.push(new Uint32Array(chunk))
      for (const id of delta.released) cursors.delete(id)
      for (const [id, slot] of delta.assigned) {
        const cells = chunks[slot.chunk]
        if (cells !== undefined) cursors.set(id, sharedCursor(cells, slot.index))
      }
    },
    of(backendId) {
      const cursor = cursors.get(backendId)
      if (cursor !== undefined) return cursor
      // A backend that this thread was told of no longer, asked for by a request of an older table: its sequence is its own.
      return sharedCursor(new Uint32Array(new SharedArrayBuffer(4)), 0)
    },
  }
}
