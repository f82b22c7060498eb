// ewma: two endpoints by chance, and of these the one that answers faster, as ingress-nginx's balancer/ewma.lua. Its score is
// a moving average of the time that requests took, which fades with e^(-t / 10 s), also while nothing is measured, so that a slow endpoint is
// tried again. An endpoint that is new starts from the average of the others, or all would rush to it. O(1) a pick.
// Weights count only as zero or not. Averages are shared by all threads; of two threads that write at once one sample is lost.
// Other than there a failure is no sample: an endpoint that refuses at once is not fast.
import type { Endpoint } from '../model/routing.ts'
import { LATENCY, loadsOf, MEASURED_AT, read, write, type Loads } from './loads.ts'
import { perEndpoints } from './per-endpoints.ts'
import type { Scheduler, SchedulerState } from './scheduler.ts'
import { mayTake, undrained } from './turns.ts'

const DECAY = 10_000
const LONGEST = 2 ** 31 - 1

interface Fleet {
  readonly loads: Loads
  readonly all: Int32Array
  /** Indices that may be taken, while a pick that leaves some out runs. */
  readonly some: Int32Array
}

export function peakEwma({ random, clock, cells }: Pick<SchedulerState, 'random' | 'clock' | 'cells'>): Scheduler {
  let known: ReadonlySet<string> = new Set()

  const fleetFor = perEndpoints((endpoints): Fleet => {
    const loads = loadsOf(endpoints, cells)
    startNew(endpoints, loads)
    const all = undrained(endpoints)
    return { loads, all, some: new Int32Array(all.length) }
  })

  function startNew(endpoints: readonly Endpoint[], loads: Loads): void {
    const before = known
    known = new Set(endpoints.map(({ id }) => id))
    const measured = endpoints.flatMap((endpoint, i) => (before.has(endpoint.id) && isMeasured(loads, i) ? [read(loads, i, LATENCY)] : []))
    if (measured.length === 0) return
    const average = measured.reduce((sum, each) => sum + each, 0) / measured.length
    for (const [i, endpoint] of endpoints.entries()) if (!before.has(endpoint.id) && !isMeasured(loads, i)) store(loads, i, average)
  }

  function store(loads: Loads, index: number, microseconds: number): void {
    write(loads, index, LATENCY, Math.min(Math.round(microseconds), LONGEST))
    write(loads, index, MEASURED_AT, clock.now() | 0)
  }

  /** What is left of the average, given a sample. */
  function decayed(loads: Loads, index: number, sample: number): number {
    if (!isMeasured(loads, index)) return sample
    // The low 32 bits go round every 50 days; the difference is right over half of that.
    const age = Math.max(0, ((clock.now() | 0) - read(loads, index, MEASURED_AT)) | 0)
    const left = Math.exp(-age / DECAY)
    return read(loads, index, LATENCY) * left + sample * (1 - left)
  }

  return {
    pick(endpoints, usable) {
      const { loads, all, some } = fleetFor(endpoints)
      let candidates = all
      let count = all.length
      if (usable !== undefined) {
        candidates = some
        count = 0
        for (const index of all) if (mayTake(endpoints, index, usable)) some[count++] = index
      }
      if (count < 2) return count === 0 ? -1 : (candidates[0] ?? -1)
      const a = Math.floor(random() * count)
      const b = Math.floor(random() * (count - 1))
      const first = candidates[a] ?? -1
      const second = candidates[b < a ? b : b + 1] ?? -1
      return decayed(loads, second, 0) < decayed(loads, first, 0) ? second : first
    },
    finished(endpoints, index, milliseconds) {
      if (milliseconds < 0) return
      const { loads } = fleetFor(endpoints)
      store(loads, index, decayed(loads, index, milliseconds * 1000))
    },
  }
}

function isMeasured(loads: Loads, index: number): boolean {
  return read(loads, index, LATENCY) !== 0 || read(loads, index, MEASURED_AT) !== 0
}
