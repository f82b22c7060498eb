// Which cell of shared memory belongs to which backend. The supervisor assigns, threads look up. Memory grows by whole chunks,
// so a cell never moves; a freed cell is given to another backend only when no thread can still know it under its old one.
import type { MapDelta } from '../model/delta.ts'

export const CELLS_PER_CHUNK = 4096

export interface Slot {
  readonly chunk: number
  readonly index: number
}

/** What a thread must learn about slots before a version of the table. */
export interface SlotDelta {
  readonly chunks: readonly SharedArrayBuffer[]
  readonly assigned: readonly (readonly [backendId: string, slot: Slot])[]
  readonly released: readonly string[]
}

export interface Slots {
  /** Makes the assignment fit the backends of a version, given what it changes. */
  update(backends: MapDelta<unknown>, version: number): SlotDelta
  /** Every thread serves this version or a later one: cells released up to it may be used again. */
  acknowledged(version: number): void
  /** All there is, for a thread that starts. */
  whole(): SlotDelta
}

export function createSlots(): Slots {
  const chunks: SharedArrayBuffer[] = []
  const assigned = new Map<string, Slot>()
  const free: Slot[] = []
  let retired: { readonly version: number; readonly slot: Slot }[] = []
  let used = 0

  function take(): Slot {
    const again = free.pop()
    if (again !== undefined) {
      const chunk = chunks[again.chunk]
      if (chunk !== undefined) Atomics.store(new Uint32Array(chunk), again.index, 0)
      return again
    }
    if (used === chunks.length * CELLS_PER_CHUNK) chunks.push(new SharedArrayBuffer(CELLS_PER_CHUNK * Uint32Array.BYTES_PER_ELEMENT))
    const slot = { chunk: Math.floor(used / CELLS_PER_CHUNK), index: used % CELLS_PER_CHUNK }
    used++
    return slot
  }

  return {
    update(backends, version) {
      const chunksBefore = chunks.length
      for (const id of backends.deleted) {
        const slot = assigned.get(id)
        if (slot !== undefined) retired.push({ version, slot })
        assigned.delete(id)
      }
      const fresh: [string, Slot][] = []
      for (const [id] of backends.set) {
        if (assigned.has(id)) continue
        const slot = take()
        assigned.set(id, slot)
        fresh.push([id, slot])
      }
      return { chunks: chunks.slice(chunksBefore), assigned: fresh, released: backends.deleted }
    },
    acknowledged(version) {
      if (retired.length === 0) return
      for (const each of retired) if (each.version <= version) free.push(each.slot)
      retired = retired.filter((each) => each.version > version)
    },
    whole: () => ({ chunks: [...chunks], assigned: [...assigned], released: [] }),
  }
}
