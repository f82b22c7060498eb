// node bench/simulate.ts [--cost] [--write]
// Every scheduler over endpoints of different speed: latency, and with --cost what a pick costs. --write puts the tables into
// docs/balancing.md and the plot beside it.
import { cpus } from 'node:os'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { SCHEDULERS } from '../src/model/scheduler.ts'
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
  replace('latency', latency)
  writeFileSync('docs/balancing-latency.svg', plot(rows))
}
if (values.cost) {
  const cost = costTable()
  process.stdout.write(`${cost}\n`)
  if (values.write) replace('cost', cost)
}

function costTable(): string {
  const lines = SCHEDULERS.map((name) => `| \`${name}\` | ${COUNTS.map((count) => Math.round(costOf(name, count)).toLocaleString('en')).join(' | ')} |`)
  const machine = `Nanoseconds a pick, with the end of the request it was for. ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}.`
  return [machine, '', `| scheduler | ${COUNTS.map((count) => `${count.toLocaleString('en')} endpoints`).join(' | ')} |`, '|---|---|---|---|', ...lines].join('\n')
}

/** What stands between the two marks of this name. */
function replace(name: string, text: string): void {
  const document = readFileSync(DOCUMENT, 'utf8')
  const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- end of ${name} -->`]
  const [from, to] = [document.indexOf(begin) + begin.length, document.indexOf(end)]
  if (from < begin.length || to < from) throw new Error(`${DOCUMENT} lacks the marks of ${name}`)
  writeFileSync(DOCUMENT, `${document.slice(0, from)}${text}${document.slice(to)}`)
}
