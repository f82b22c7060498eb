// The simulation's figures as the table of docs/balancing.md.
import { SCHEDULERS } from '../src/model/scheduler.ts'
import type { PlotRow } from './simulate-plot.ts'
import { simulate, SPEEDS, type Simulated } from './simulate-queue.ts'

export const REQUESTS = 40_000
const SEED = 20_26
/** The smallest integers in proportion to the speeds. */
const WEIGHTS = SPEEDS.map((speed) => speed * 4)

export function simulatedRows(): PlotRow[] {
  return SCHEDULERS.map((name) => ({
    name,
    even: simulate(name, SPEEDS.map(() => 1), REQUESTS, SEED),
    bySpeed: simulate(name, WEIGHTS, REQUESTS, SEED),
  }))
}

export function simulationTable(rows: readonly PlotRow[]): string {
  const lines = rows.map(({ name, even, bySpeed }) => `| \`${name}\` | ${cells(even)} | ${cells(bySpeed)} |`)
  return [
    '| scheduler | p50 | p99 | spread | refused | p50, weighted | p99, weighted | spread, weighted | refused, weighted |',
    '|---|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

function cells({ p50, p99, busiest, idlest, refused }: Simulated): string {
  return [p50.toFixed(0), p99.toFixed(0), `${(idlest * 100).toFixed(0)}-${(busiest * 100).toFixed(0)} %`, refused === 0 ? '-' : `${(refused * 100).toFixed(1)} %`].join(' | ')
}
