// CPU, memory, event loop and garbage collection of the process, from prom-client. Loaded at the first scrape: a start is not
// slowed by it.
import type { Registry } from 'prom-client'

let registry: Promise<Registry> | undefined

/** In the text format, with the names that all Node dashboards know (`process_cpu_seconds_total`, `nodejs_eventloop_lag_seconds` …). */
export async function renderProcessMetrics(): Promise<string> {
  registry ??= load()
  return (await registry).metrics()
}

async function load(): Promise<Registry> {
  const { collectDefaultMetrics, Counter, Registry } = await import('prom-client')
  const register = new Registry()
  const before = process.cpuUsage()
  collectDefaultMetrics({ register })
  // prom-client counts from here on; what the process used before it was loaded belongs to it too.
  const micros = { user: before.user, system: before.system, '': before.user + before.system }
  for (const [part, used] of Object.entries(micros)) {
    const counter = register.getSingleMetric(`process_cpu_${part === '' ? '' : `${part}_`}seconds_total`)
    if (counter instanceof Counter) counter.inc(used / 1e6)
  }
  return register
}
