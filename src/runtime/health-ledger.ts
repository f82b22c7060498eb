// What the supervisor knows of endpoints going out of use and coming back: health checks, states, counts for metrics, lines for the log.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Ejection } from '../balance/endpoint-health.ts'
import { stateOf, TICK } from '../balance/health-cells.ts'
import type { RoutingConfig } from '../model/routing.ts'
import type { EjectionCount, EndpointHealthFigure } from '../observe/endpoint-figures.ts'
import type { EndpointCells } from './endpoint-cells.ts'
import { createProber } from './prober.ts'

export interface HealthFigures {
  /** Endpoints that are not simply well. */
  readonly endpointHealth: readonly EndpointHealthFigure[]
  readonly ejections: readonly EjectionCount[]
}

export interface HealthLedger {
  ejected(ejection: Ejection): void
  /** Checks the endpoints that this configuration asks to be checked. */
  watch(config: RoutingConfig): void
  /** Of the Services of this configuration. */
  figures(config: RoutingConfig): HealthFigures
  close(): void
}

export interface HealthLedgerParts {
  readonly clock: Clock
  /** Like Math.random. */
  readonly random: () => number
  readonly log: Log
  readonly endpoints: Pick<EndpointCells, 'health' | 'loads'>
  /** Milliseconds. */
  readonly slowStart: number
}

export function createHealthLedger({ clock, random, log, endpoints, slowStart }: HealthLedgerParts): HealthLedger {
  const counts = new Map<string, { namespace: string; service: string; reason: string; count: number }>()
  const returns = new Set<() => void>()
  const prober = createProber({ clock, random, log, endpoints })

  function sayWhenBack(ejection: Ejection): void {
    // The cell counts in whole ticks: an ejection may end up to one later than its milliseconds say, and a timer may be early.
    const cancel = clock.after(ejection.ms + 2 * TICK, () => {
      returns.delete(cancel)
      const loads = endpoints.loads(ejection, ejection.endpoint)
      const state = loads === undefined ? undefined : stateOf(loads, 0, clock.now(), slowStart)
      if (state === 'slow-start' || state === 'well') log('info', 'endpoint is in use again', factsOf(ejection))
    })
    returns.add(cancel)
  }

  return {
    ejected(ejection) {
      const { namespace, service, reason, ms } = ejection
      const key = `${namespace}/${service} ${reason}`
      const entry = counts.get(key) ?? { namespace, service, reason, count: 0 }
      entry.count++
      counts.set(key, entry)
      log('warn', 'endpoint is out of use', { ...factsOf(ejection), reason, forMs: Math.round(ms) })
      sayWhenBack(ejection)
    },
    watch: ({ backends }) => prober.update(backends),
    figures({ backends }) {
      const services = new Set([...backends.values()].map(({ namespace, service }) => `${namespace}/${service}`))
      for (const [key, { namespace, service }] of counts) if (!services.has(`${namespace}/${service}`)) counts.delete(key)
      return { endpointHealth: endpoints.health(clock.now(), slowStart), ejections: [...counts.values()].map((entry) => ({ ...entry })) }
    },
    close() {
      prober.close()
      for (const cancel of returns) cancel()
      returns.clear()
    },
  }
}

function factsOf({ namespace, service, port, endpoint }: Ejection) {
  return { service: `${namespace}/${service}:${port}`, endpoint }
}
