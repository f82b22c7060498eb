// docs/balancing.md describes every scheduler, and its latencies are those of the simulation.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { plot } from '../../bench/simulate-plot.ts'
import { simulatedRows, simulationTable } from '../../bench/simulate-table.ts'
import { SCHEDULERS } from '../../src/model/scheduler.ts'

const document = readFileSync('docs/balancing.md', 'utf8')

function section(name: string): string {
  return document.split(`<!-- ${name} -->\n`)[1]?.split(`\n<!-- end of ${name} -->`)[0] ?? ''
}

function firstColumn(text: string): string[] {
  return [...text.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1] ?? '')
}

test('every scheduler has a line of each table, in one order', () => {
  const described = document.split('## The schedulers')[1]?.split('\n### ')[0] ?? ''
  for (const text of [described, section('latency'), section('cost')]) expect(firstColumn(text)).toEqual(SCHEDULERS)
})

test('the latencies and the plot are those of the simulation', () => {
  const rows = simulatedRows()
  expect(section('latency')).toBe(simulationTable(rows))
  expect(readFileSync('docs/balancing-latency.svg', 'utf8')).toBe(plot(rows))
})

test('those whose pick hardly grows with the endpoints cost at most 1 µs at 1,000', () => {
  const growth = new Map([...document.matchAll(/^\| `(\w+)` \|.*\| (O\([^|]*) \|$/gm)].map(([, name = '', text = '']) => [name, text]))
  expect([...growth.keys()]).toEqual(SCHEDULERS)
  const costs = [...section('cost').matchAll(/^\| `(\w+)` \| [\d,]+ \| ([\d,]+) \|/gm)].map(([, name = '', text = '']) => [name, Number(text.replace(',', ''))] as const)
  expect(costs).toHaveLength(SCHEDULERS.length)
  for (const [name, nanoseconds] of costs) {
    if (growth.get(name) !== 'O(n)') expect(nanoseconds, name).toBeLessThanOrEqual(1000)
  }
})
