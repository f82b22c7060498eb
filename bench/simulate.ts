// node bench/simulate.ts [--cost] [--write]
// Every scheduler over endpoints of different speed: latency, and with --cost what a pick costs. --write puts the tables into
// docs/balancing.md and the plot beside it.
import { cpus } from 'node:os'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { SCHEDULERS } from '../src/model/scheduler.ts'
import { writeInto } from './document.ts'
import { costOf } from './simulate-cost.ts'
import { plot } from './simulate-plot.ts'
import { simulationTable, simulatedRows } from './simulate-table.ts'

const DOCUMENT = 'docs/balancing.md'
const COUNTS = [10, 1000, 10_000] as const

const { values } = parseArgs({ options: { cost: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } } })

const rows = simulatedRows()
const latency = simulationTable(rows)
process.stdout.write(`${latency}\n`)
if (values.write) {
  writeInto(DOCUMENT, { latency })
  writeFileSync('docs/balancing-latency.svg', plot(rows))
}
if (values.cost) {
  const cost = costTable()
  process.stdout.write(`${cost}\n`)
  if (values.write) writeInto(DOCUMENT, { cost })
}

function costTable(): string {
  const lines = SCHEDULERS.map((name) => `| \`${name}\` | ${COUNTS.map((count) => Math.round(costOf(name, count)).toLocaleString('en')).join(' | ')} |`)
  const machine = `Nanoseconds a pick, with the end of the request it was for. ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}.`
  return [machine, '', `| scheduler | ${COUNTS.map((count) => `${count.toLocaleString('en')} endpoints`).join(' | ')} |`, '|---|---|---|---|', ...lines].join('\n')
}
