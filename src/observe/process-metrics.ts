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
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const register = new Registry()
  collectDefaultMetrics({ register })
  return register
}
