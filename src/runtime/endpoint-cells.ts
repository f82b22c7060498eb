// Which cells of shared memory belong to which endpoint of a Service port, and to the port as a whole. The supervisor assigns, threads look up. Memory grows by whole chunks, so a cell never moves. A cell is given to another endpoint only when no thread
// can still choose the one it was of, and nothing is in flight there any more; an endpoint that comes back before that has its own again.
import { HEALTH_FIELDS, stateOf, WHOLE_PORT } from '../balance/health-cells.ts'
import { CELL_WIDTH, type Cells, type Loads, type ServicePort } from '../balance/loads.ts'
import type { MapDelta } from '../model/delta.ts'
import type { Backend } from '../model/routing.ts'
import { isCounting } from '../model/scheduler.ts'
import type { EndpointHealthFigure } from '../observe/endpoint-figures.ts'

export const ENDPOINTS_PER_CHUNK = 4096
const CHUNK_BYTES = ENDPOINTS_PER_CHUNK * CELL_WIDTH * Int32Array.BYTES_PER_ELEMENT

export interface CellPlace {
  readonly chunk: number
  /** Of its first integer. */
  readonly index: number
}

/** What a thread must learn about cells before a version of the table. */
export interface CellDelta {
  readonly chunks: readonly SharedArrayBuffer[]
  /** By cellKey. */
  readonly assigned: readonly (readonly [key: string, place: CellPlace])[]
  readonly released: readonly string[]
}

export interface InFlight {
  readonly namespace: string
  readonly service: string
  readonly port: string
  /** Endpoint id. */
  readonly endpoint: string
  readonly count: number
}

export interface EndpointCells {
  /** Makes the assignment fit the backends of a version, given what it changes. */
  update(backends: MapDelta<Backend>, version: number): CellDelta
  /** Every thread serves this version or a later one. */
  acknowledged(version: number): void
  /** All there is, for a thread that starts. */
  whole(): CellDelta
  /** Takes off what a thread that is gone had in flight, by its own share of each chunk. */
  subtract(shares: readonly SharedArrayBuffer[]): void
  /** Of the endpoints that exist, where a scheduler counts. */
  inFlight(): readonly InFlight[]
  /** Of the endpoints that exist, those that are not simply well. `slowStart` in milliseconds. */
  health(now: number, slowStart: number): readonly EndpointHealthFigure[]
  /** The cell of an endpoint, or with WHOLE_PORT of the port; undefined: there is none any more. */
  loads(servicePort: ServicePort, endpointId: string): Loads | undefined
}

export function cellKey({ namespace, service, port }: ServicePort, endpointId: string): string {
  return `${namespace}/${service}:${port} ${endpointId}`
}

export function newCellChunk(): SharedArrayBuffer {
  return new SharedArrayBuffer(CHUNK_BYTES)
}

interface Assigned {
  readonly place: CellPlace
  readonly of: Omit<InFlight, 'count'>
  /** Backends of the Service port that list the endpoint. */
  users: number
  /** Of those, the ones whose schedulers count. */
  counters: number
}

interface Listed {
  readonly keys: readonly string[]
  readonly counts: 0 | 1
}

export function createEndpointCells(): EndpointCells {
  const chunks: SharedArrayBuffer[] = []
  const views: Cells[] = []
  const assigned = new Map<string, Assigned>()
  const retired = new Map<string, { readonly version: number; readonly place: CellPlace }>()
  const free: CellPlace[] = []
  /** By backend id. */
  const listed = new Map<string, Listed>()
  let used = 0

  function take(): CellPlace {
    const again = free.pop()
    if (again !== undefined) {
      for (let i = 0; i < CELL_WIDTH; i++) Atomics.store(views[again.chunk] ?? new Int32Array(CELL_WIDTH), again.index + i, 0)
      return again
    }
    if (used === chunks.length * ENDPOINTS_PER_CHUNK) {
      const chunk = newCellChunk()
      chunks.push(chunk)
      views.push(new Int32Array(chunk))
    }
    const place = { chunk: Math.floor(used / ENDPOINTS_PER_CHUNK), index: (used % ENDPOINTS_PER_CHUNK) * CELL_WIDTH }
    used++
    return place
  }

  /** What was known of an endpoint's health is not known of one that takes its address later. */
  function comeBack(key: string): CellPlace | undefined {
    const place = retired.get(key)?.place
    retired.delete(key)
    if (place !== undefined) for (const field of HEALTH_FIELDS) Atomics.store(views[place.chunk] ?? new Int32Array(CELL_WIDTH), place.index + field, 0)
    return place
  }

  function loadsAt({ chunk, index }: CellPlace): Loads {
    const cells = views[chunk] ?? new Int32Array(new SharedArrayBuffer((index + CELL_WIDTH) * Int32Array.BYTES_PER_ELEMENT))
    return { shared: [cells], own: [cells], indices: Int32Array.of(index), one: cells }
  }

  function countAt({ chunk, index }: CellPlace): number {
    return Atomics.load(views[chunk] ?? new Int32Array(index + 1), index)
  }

  return {
    update(backends, version) {
      const chunksBefore = chunks.length
      const fresh: [string, CellPlace][] = []
      const left: Listed[] = []
      const leave = (id: string): void => {
        const before = listed.get(id)
        if (before !== undefined) left.push(before)
        listed.delete(id)
      }
      for (const id of backends.deleted) leave(id)
      for (const [id, backend] of backends.set) {
        leave(id)
        const { namespace, service, port } = backend
        const ids = [WHOLE_PORT, ...backend.endpoints.map((endpoint) => endpoint.id)]
        const keys = ids.map((endpointId) => cellKey(backend, endpointId))
        const counts = isCounting(backend.scheduler) ? 1 : 0
        listed.set(id, { keys, counts })
        for (const [i, key] of keys.entries()) {
          let entry = assigned.get(key)
          if (entry === undefined) {
            const place = comeBack(key) ?? take()
            entry = { place, of: { namespace, service, port, endpoint: ids[i] ?? '' }, users: 0, counters: 0 }
            assigned.set(key, entry)
            fresh.push([key, place])
          }
          entry.counters += counts
          entry.users++
        }
      }
      const released: string[] = []
      for (const { keys, counts } of left) {
        for (const key of keys) {
          const entry = assigned.get(key)
          if (entry === undefined) continue
          entry.counters -= counts
          if (--entry.users > 0) continue
          assigned.delete(key)
          retired.set(key, { version, place: entry.place })
          released.push(key)
        }
      }
      return { chunks: chunks.slice(chunksBefore), assigned: fresh, released }
    },
    acknowledged(version) {
      for (const [key, entry] of retired) {
        if (entry.version > version || countAt(entry.place) !== 0) continue
        retired.delete(key)
        free.push(entry.place)
      }
    },
    whole: () => ({ chunks: [...chunks], assigned: [...assigned].map(([key, { place }]) => [key, place] as const), released: [] }),
    subtract(shares) {
      for (const [chunk, share] of shares.entries()) {
        const [own, view] = [new Int32Array(share), views[chunk]]
        if (view === undefined) continue
        for (let index = 0; index < own.length; index += CELL_WIDTH) {
          const count = own[index] ?? 0
          if (count !== 0) Atomics.sub(view, index, count)
        }
      }
    },
    inFlight: () => [...assigned.values()].flatMap(({ place, of, counters }) => (counters > 0 && of.endpoint !== WHOLE_PORT ? [{ ...of, count: countAt(place) }] : [])),
    health: (now, slowStart) =>
      [...assigned.values()].flatMap(({ place, of }) => {
        const state = of.endpoint === WHOLE_PORT ? 'well' : stateOf(loadsAt(place), 0, now, slowStart)
        return state === 'well' ? [] : [{ ...of, state }]
      }),
    loads(servicePort, endpointId) {
      const entry = assigned.get(cellKey(servicePort, endpointId))
      return entry === undefined ? undefined : loadsAt(entry.place)
    },
  }
}
