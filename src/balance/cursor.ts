// A counter per backend that all threads share, in a SharedArrayBuffer: what makes round robin exact over all of them.
// Who assigns the cells is not known here (runtime/slots).

export interface Cursor {
  /** The next number of the sequence, from 0, as an unsigned 32-bit integer that wraps to 0. No two calls on any thread get the same. */
  next(): number
}

export interface CursorSource {
  /** The cursor of a backend; the same sequence for the same id while the backend exists. */
  of(backendId: string): Cursor
}

export function sharedCursor(cells: Uint32Array<SharedArrayBuffer>, index: number): Cursor {
  return { next: () => Atomics.add(cells, index, 1) }
}

/** Cursors of one thread alone: for tests and tools. */
export function localCursors(): CursorSource {
  const cursors = new Map<string, Cursor>()
  return {
    of(backendId) {
      let cursor = cursors.get(backendId)
      if (cursor === undefined) {
        cursor = sharedCursor(new Uint32Array(new SharedArrayBuffer(4)), 0)
        cursors.set(backendId, cursor)
      }
      return cursor
    },
  }
}
