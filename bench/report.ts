// Medians of the rounds as a table, with the ratio to nginx; optionally into docs/benchmarks.md.
import { cpus } from 'node:os'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Peer } from './peer.ts'
import type { Measured, Scenario } from './scenarios.ts'

export interface Row {
  readonly peer: string
  readonly scenario: string
  /** Microseconds of CPU (user and system) a request. */
  readonly cpu: number
  /** Bytes, after the load. */
  readonly resident: number
  readonly measured: Measured
}

const DOCUMENT = 'docs/benchmarks.md'
const MARK = '<!-- figures -->'

export function report(rows: readonly Row[], scenarios: readonly Scenario[], peers: readonly Peer[], write: boolean): void {
  const text = scenarios.map((scenario) => tableOf(rows, scenario, peers)).join('\n')
  const machine = `Machine: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores; Node ${process.version}; ${peers.map((peer) => `${peer.name} ${peer.version()}`).join(', ')}; ${new Date().toISOString().slice(0, 10)}.`
  process.stdout.write(`\n${machine}\n\n${text}\n`)
  if (write) {
    const document = readFileSync(DOCUMENT, 'utf8')
    writeFileSync(DOCUMENT, `${document.slice(0, document.indexOf(MARK) + MARK.length)}\n\n${machine}\n\n${text}`)
  }
}

function tableOf(rows: readonly Row[], scenario: Scenario, peers: readonly Peer[]): string {
  const of = (peer: string): Row[] => rows.filter((row) => row.peer === peer && row.scenario === scenario.name)
  const nginx = median(of('nginx').map((row) => row.cpu))
  const lines = [
    `### ${scenario.what}${scenario.goal === undefined ? '' : ` (goal: ${scenario.goal.toFixed(2)} × nginx)`}`,
    '',
    '| proxy | CPU µs/request | × nginx | requests/s | p50 ms | p99 ms | RSS MiB | errors |',
    '|---|---|---|---|---|---|---|---|',
  ]
  for (const { name } of peers) {
    const own = of(name)
    if (own.length === 0) continue
    const cpu = median(own.map((row) => row.cpu))
    const middle = (pick: (row: Row) => number): number => median(own.map(pick))
    lines.push(
      `| ${name} | ${cpu.toFixed(1)} | ${(cpu / nginx).toFixed(2)} | ${middle((row) => row.measured.requestsPerSecond).toFixed(0)} | ${middle((row) => row.measured.p50).toFixed(2)} | ${middle((row) => row.measured.p99).toFixed(2)} | ${(middle((row) => row.resident) / 1024 ** 2).toFixed(0)} | ${own.reduce((sum, row) => sum + row.measured.errors, 0)} |`,
    )
  }
  return `${lines.join('\n')}\n`
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}
