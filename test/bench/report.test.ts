// The tables that a run writes: medians, ratios, verdicts; what could not be measured is said to be so.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { replaceBetween } from '../../bench/document.ts'
import { section, summary } from '../../bench/report.ts'
import { judge, type Results } from '../../bench/results.ts'
import type { Goal, Sample, Scenario } from '../../bench/scenario.ts'

const GOAL: Goal = { contender: 'narthex', figure: 'cpu', over: 'nginx', most: 1.1, unit: '× nginx', digits: 2 }

const SCENARIO: Scenario = {
  name: 'get',
  title: '120-byte GET',
  how: 'One after another.',
  columns: [
    { title: 'CPU µs/request', figure: 'cpu', digits: 1 },
    { title: '× nginx', figure: 'cpu', digits: 2, of: 'nginx' },
    { title: 'errors', figure: 'errors', digits: 0, sum: true },
  ],
  goals: [GOAL],
  contenders: () => [],
  lasts: () => 1,
}

/** CPU of Narthex and of nginx, a round each. */
function rounds(...pairs: readonly (readonly [narthex: number | undefined, nginx: number | undefined])[]): Results['rounds'] {
  return pairs.map(([narthex, nginx]) => {
    const round = new Map<string, Sample>()
    if (narthex !== undefined) round.set('narthex', { cpu: narthex, errors: 2 })
    if (nginx !== undefined) round.set('nginx', { cpu: nginx, errors: 0 })
    return round
  })
}

test('a goal is judged by the median of the ratios of each round, not by the ratio of medians', () => {
  expect(judge(GOAL, rounds([10, 10], [30, 20], [44, 40]))).toEqual({ figure: 1.1, lowest: 1, highest: 1.5, isMet: true, isClear: false })
})

test('a round without one of the two counts for nothing', () => {
  expect(judge(GOAL, rounds([undefined, 10], [12, 10], [9, undefined]))).toMatchObject({ figure: 1.2, lowest: 1.2, highest: 1.2, isMet: false, isClear: true })
})

test('what reads as the goal meets it', () => {
  expect(judge(GOAL, rounds([11.04, 10]))).toMatchObject({ isMet: true })
  expect(judge(GOAL, rounds([11.06, 10]))).toMatchObject({ isMet: false })
})

test('a goal may be a least', () => {
  const goal: Goal = { contender: 'narthex', figure: 'cpu', least: 1.7, unit: '× one thread', digits: 2 }
  expect(judge(goal, rounds([1.8, undefined]))).toMatchObject({ isMet: true })
  expect(judge(goal, rounds([1.6, undefined]))).toMatchObject({ isMet: false })
})

test('the summary', () => {
  const all: Results[] = [
    { scenario: SCENARIO, rounds: rounds([10, 10], [10.5, 10], [10.8, 10]) },
    { scenario: { ...SCENARIO, name: 'grpc', title: 'gRPC' }, rounds: rounds([10, 10], [13, 10], [12, 10]) },
    { scenario: { ...SCENARIO, name: 'get-h2', title: 'HTTP/2' }, rounds: rounds([undefined, 10]) },
    {
      scenario: { ...SCENARIO, name: 'lookup', title: 'Finding a route', goals: ['1 host', '1,000 hosts'].map((contender) => ({ contender, figure: 'ns', most: 1000, unit: 'ns', digits: 0 })) },
      rounds: [new Map([['1 host', { ns: 65.2 }], ['1,000 hosts', { ns: 1200 }]])],
    },
  ]
  expect(summary(all)).toBe(
    `| scenario | goal | measured | rounds |  |
|---|---|---|---|---|
| 120-byte GET (\`get\`) | ≤ 1.10 × nginx | 1.05 | 1.00 to 1.08 | met |
| gRPC (\`grpc\`) | ≤ 1.10 × nginx | 1.20 | 1.00 to 1.30 | **missed**, not in every round |
| HTTP/2 (\`get-h2\`) | ≤ 1.10 × nginx | - | - | not measured |
| Finding a route: 1 host (\`lookup\`) | ≤ 1000 ns | 65 | 65 | met |
| Finding a route: 1,000 hosts (\`lookup\`) | ≤ 1000 ns | 1200 | 1200 | **missed** |`,
  )
})

test('the table of a scenario: medians, ratios, and errors of all rounds together', () => {
  expect(section({ scenario: SCENARIO, rounds: rounds([10, 10], [12, 10], [11, undefined]) })).toBe(
    `### 120-byte GET

\`get\`: One after another.

|  | CPU µs/request | × nginx | errors |
|---|---|---|---|
| narthex | 11.0 | 1.10 | 6 |
| nginx | 10.0 | 1.00 | 0 |`,
  )
})

test('a scenario of which nothing could be measured', () => {
  expect(section({ scenario: SCENARIO, rounds: rounds([undefined, undefined]) })).toContain('Nothing was measured.')
})

test('the document has a place for both', () => {
  const document = readFileSync('docs/benchmarks.md', 'utf8')
  for (const name of ['goals', 'figures']) expect(replaceBetween(document, name, 'NEW')).toContain(`<!-- ${name} -->\nNEW\n<!-- end of ${name} -->`)
  expect(() => replaceBetween(document, 'nothing', '')).toThrow('lacks the marks')
})
