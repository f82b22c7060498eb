// What all threads know of the endpoints of a backend: requests in flight (IPVS: activeconns) and how long they take, in cells of
// shared memory. Each thread also keeps its own share of the counts, so that what a thread that died had in flight can be
// taken off again. Who assigns the cells is not known here.
//
// The kernel weighs (activeconns << 8) + inactconns. At layer 7 nothing is inactive: a request that was answered leaves nothing
// behind at the endpoint, and idle pooled connections belong to the pool, not to the work. So the overhead is the requests in
// flight alone, a factor 256 common to all being left out. Tunnels and streams are in flight while they last.
import type { Backend, Endpoint } from '../model/routing.ts'

export type Cells = Int32Array<SharedArrayBuffer>

/** 32-bit integers an endpoint has, from `Cell.index` on: */
export const CELL_WIDTH = 8
const IN_FLIGHT = 0
/** Moving average, in microseconds, and when it was measured, in milliseconds, low 32 bits. Both 0: never. */
export const LATENCY = 1
export const MEASURED_AT = 2
// From 3 on: health-cells.ts.

export interface Cell {
  readonly shared: Cells
  /** This thread's share, in the same places. */
  readonly own: Cells
  readonly index: number
}

export interface CellSource {
  /** The cell of an endpoint of the backend; the same one for the same id while the endpoint exists. */
  of(endpointId: string): Cell
}

/** The cells of an array of endpoints, by their index in it. */
export interface Loads {
  readonly shared: readonly Cells[]
  readonly own: readonly Cells[]
  readonly indices: Int32Array
  /** The shared cells where all endpoints have theirs in the same memory, as most have: a search over them need not look each up. */
  readonly one: Cells | undefined
}

export function loadsOf(endpoints: readonly Endpoint[], cells: CellSource): Loads {
  const all = endpoints.map((endpoint) => cells.of(endpoint.id))
  const shared = all.map((cell) => cell.shared)
  const one = shared.every((cells) => cells === shared[0]) ? shared[0] : undefined
  return { shared, own: all.map((cell) => cell.own), indices: Int32Array.from(all, (cell) => cell.index), one }
}

// Plain loads: they can't tear (32 bits), a compare-exchange follows where it matters, and Atomics.load is a call.
export function read(loads: Loads, endpoint: number, field: number): number {
  return loads.shared[endpoint]?.[(loads.indices[endpoint] ?? 0) + field] ?? 0
}

export function write(loads: Loads, endpoint: number, field: number, value: number): void {
  const cells = loads.shared[endpoint]
  if (cells !== undefined) cells[(loads.indices[endpoint] ?? 0) + field] = value
}

export function inFlight(loads: Loads, endpoint: number): number {
  return read(loads, endpoint, IN_FLIGHT)
}

export function started(loads: Loads, endpoint: number): void {
  add(loads, endpoint, 1)
}

export function finished(loads: Loads, endpoint: number): void {
  add(loads, endpoint, -1)
}

function add(loads: Loads, endpoint: number, change: 1 | -1): void {
  const shared = loads.shared[endpoint]
  const own = loads.own[endpoint]
  const index = loads.indices[endpoint] ?? 0
  if (shared === undefined || own === undefined) return
  Atomics.add(shared, index, change)
  own[index] = (own[index] ?? 0) + change
}

/** Counts one more if there are still `seen`; false: another thread was quicker. */
export function startedUnlessChanged(loads: Loads, endpoint: number, seen: number): boolean {
  const shared = loads.shared[endpoint]
  const own = loads.own[endpoint]
  const index = loads.indices[endpoint] ?? 0
  if (shared === undefined || own === undefined) return false
  if (Atomics.compareExchange(shared, index, seen, seen + 1) !== seen) return false
  own[index] = (own[index] ?? 0) + 1
  return true
}

/** Cells of one thread alone: for tests and tools. */
export function localCells(): CellSource {
  const cells = new Map<string, Cell>()
  return {
    of(endpointId) {
      let cell = cells.get(endpointId)
      if (cell === undefined) {
        cell = { shared: newCells(), own: newCells(), index: 0 }
        cells.set(endpointId, cell)
      }
      return cell
    },
  }
}

/** Adds to a field that is no count of requests; answers what was there before. */
export function increase(loads: Loads, endpoint: number, field: number): number {
  const cells = loads.shared[endpoint]
  return cells === undefined ? 0 : Atomics.add(cells, (loads.indices[endpoint] ?? 0) + field, 1)
}

/** Writes if `seen` is still there; false: another thread was quicker. */
export function replace(loads: Loads, endpoint: number, field: number, seen: number, value: number): boolean {
  const cells = loads.shared[endpoint]
  return cells !== undefined && Atomics.compareExchange(cells, (loads.indices[endpoint] ?? 0) + field, seen, value) === seen
}

function newCells(): Cells {
  return new Int32Array(new SharedArrayBuffer(CELL_WIDTH * Int32Array.BYTES_PER_ELEMENT))
}

/** The cells of all backends. Backends of one Service port, however they are balanced, have theirs in common. */
export interface BackendCells {
  of(backend: ServicePort): CellSource
}

export type ServicePort = Pick<Backend, 'namespace' | 'service' | 'port'>

export function localBackendCells(): BackendCells {
  const sources = new Map<string, CellSource>()
  return {
    of({ namespace, service, port }) {
      const key = `${namespace}/${service}:${port}`
      const source = sources.get(key) ?? localCells()
      sources.set(key, source)
      return source
    },
  }
}
