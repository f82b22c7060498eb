// The health checks that annotations ask for: one prober for the whole process, so that endpoints are not asked once a thread. Each endpoint in its own
// rhythm, a bounded number at once. What it finds goes to the cells that all threads look at.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { isIll, probed, tellAll, WHOLE_PORT } from '../balance/health-cells.ts'
import { probeText, type Probe } from '../model/probe.ts'
import type { Backend, Endpoint } from '../model/routing.ts'
import { cellKey, type EndpointCells } from './endpoint-cells.ts'
import { callProbe, type ProbeCall, type ProbeFunction } from './probe-call.ts'

export interface Prober {
  /** Checks the endpoints of these backends from now on, and no others. */
  update(backends: ReadonlyMap<string, Backend>): void
  close(): void
}

export interface ProberParts {
  readonly clock: Clock
  /** Like Math.random. */
  readonly random: () => number
  readonly log: Log
  readonly endpoints: Pick<EndpointCells, 'loads'>
  /** For tests. */
  readonly call?: ProbeFunction
}

interface Checked {
  readonly backend: Backend
  readonly endpoint: Endpoint
  readonly probe: Probe
  /** Results like the last one, in a row; negative: bad ones. */
  row: number
  cancelTimer: () => void
  call: ProbeCall | undefined
  stopped: boolean
}

const MOST_AT_ONCE = 64
/** A first check is not put off for longer, however long the interval. */
const LONGEST_START_MS = 1000
/** Of the interval, what chance adds or takes. */
const JITTER = 0.1

export function createProber({ clock, random, log, endpoints, call = callProbe }: ProberParts): Prober {
  const checks = new Map<string, Checked>()
  const queue: Checked[] = []
  let running = 0

  function wait(check: Checked, ms: number): void {
    check.cancelTimer = clock.after(ms, () => {
      queue.push(check)
      work()
    })
  }

  function work(): void {
    while (running < MOST_AT_ONCE) {
      const check = queue.shift()
      if (check === undefined) return
      if (!check.stopped) void run(check)
    }
  }

  async function run(check: Checked): Promise<void> {
    const { endpoint, probe, backend } = check
    running++
    check.call = call(endpoint, probe, backend.externalName ?? endpoint.id, backend.protocol)
    const trouble = await check.call.result
    check.call = undefined
    running--
    if (!check.stopped) {
      learn(check, trouble)
      wait(check, probe.interval * (1 - JITTER + 2 * JITTER * random()))
    }
    work()
  }

  function learn(check: Checked, trouble: string | undefined): void {
    const { probe } = check
    check.row = trouble === undefined ? Math.max(check.row, 0) + 1 : Math.min(check.row, 0) - 1
    if (check.row >= probe.healthyThreshold) tell(check, undefined)
    else if (-check.row >= probe.unhealthyThreshold) tell(check, trouble)
  }

  function tell({ backend, endpoint }: Checked, trouble: string | undefined): void {
    const loads = endpoints.loads(backend, endpoint.id)
    const port = endpoints.loads(backend, WHOLE_PORT)
    if (loads === undefined || port === undefined || !probed(loads, 0, trouble === undefined, clock.now())) return
    tellAll(port)
    const facts = { service: `${backend.namespace}/${backend.service}:${backend.port}`, endpoint: endpoint.id }
    if (isIll(loads, 0)) log('warn', 'endpoint is ill by its health check and out of use', { ...facts, reason: trouble })
    else log('info', 'endpoint is well by its health check and in use again', facts)
  }

  function stop(key: string, check: Checked): void {
    checks.delete(key)
    check.stopped = true
    check.cancelTimer()
    check.call?.cancel()
  }

  function start(key: string, backend: Backend, endpoint: Endpoint, probe: Probe): void {
    const check: Checked = { backend, endpoint, probe, row: 0, cancelTimer: () => undefined, call: undefined, stopped: false }
    checks.set(key, check)
    wait(check, random() * Math.min(probe.interval, LONGEST_START_MS))
  }

  return {
    update(backends) {
      const wanted = new Map<string, { readonly backend: Backend; readonly endpoint: Endpoint; readonly probe: Probe }>()
      for (const backend of [...backends.values()].filter(({ probe }) => probe !== undefined).sort((a, b) => (a.id < b.id ? -1 : 1))) {
        for (const endpoint of backend.endpoints) {
          const key = cellKey(backend, endpoint.id)
          if (backend.probe !== undefined && !wanted.has(key)) wanted.set(key, { backend, endpoint, probe: backend.probe })
        }
      }
      for (const [key, check] of checks) {
        const next = wanted.get(key)
        if (next !== undefined && probeText(next.probe) === probeText(check.probe) && next.backend.protocol?.id === check.backend.protocol?.id) continue
        stop(key, check)
        // Whom nobody asks any more is not held to what was found last; with another check it has another chance.
        tell(check, undefined)
      }
      for (const [key, { backend, endpoint, probe }] of wanted) if (!checks.has(key)) start(key, backend, endpoint, probe)
    },
    close() {
      for (const [key, check] of checks) stop(key, check)
      queue.length = 0
    },
  }
}
