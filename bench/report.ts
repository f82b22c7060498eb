// The run as text: a table of goals, a table for each scenario, one line about the machine.
import { judge, type Results } from './results.ts'
import { median, type Column, type Goal, type Sample } from './scenario.ts'

const NONE = '-'

/** One row a goal. */
export function summary(all: readonly Results[]): string {
  const rows = all.flatMap(({ scenario, rounds }) =>
    scenario.goals.map((goal) => {
      const judged = judge(goal, rounds)
      const of = scenario.goals.some(({ contender }) => contender !== goal.contender) ? `: ${goal.contender}` : ''
      const name = `${scenario.title}${of} (\`${scenario.name}\`)`
      if (judged === undefined) return [name, bound(goal), NONE, NONE, 'not measured']
      const { figure, lowest, highest, isMet, isClear } = judged
      const verdict = `${isMet ? 'met' : '**missed**'}${isClear ? '' : ', not in every round'}`
      return [name, bound(goal), figure.toFixed(goal.digits), range(lowest, highest, goal.digits), verdict]
    }),
  )
  return table(['scenario', 'goal', 'measured', 'rounds', ''], rows)
}

function bound({ most, least, unit, digits }: Goal): string {
  return `${most === undefined ? `≥ ${least?.toFixed(digits)}` : `≤ ${most.toFixed(digits)}`} ${unit}`
}

function range(lowest: number, highest: number, digits: number): string {
  const [from, to] = [lowest.toFixed(digits), highest.toFixed(digits)]
  return from === to ? from : `${from} to ${to}`
}

/** Heading, how it is measured, a row for each contender that was measured. */
export function section({ scenario, rounds }: Results): string {
  const names = [...new Set(rounds.flatMap((round) => [...round.keys()]))]
  const rows = names.map((name) => [name, ...scenario.columns.map((column) => cell(column, name, rounds))])
  const figures = rows.length === 0 ? 'Nothing was measured.' : table(['', ...scenario.columns.map(({ title }) => title)], rows)
  return `### ${scenario.title}\n\n\`${scenario.name}\`: ${scenario.how}\n\n${figures}`
}

function cell({ figure, of, sum, digits }: Column, name: string, rounds: Results['rounds']): string {
  const samples = rounds.map((round): readonly [own: Sample | undefined, other: Sample | undefined] => [round.get(name), round.get(of ?? name)])
  const values = samples.flatMap(([own, other]) => {
    const [value, divisor] = [own?.[figure], of === undefined ? 1 : other?.[figure]]
    return value === undefined || divisor === undefined ? [] : [value / divisor]
  })
  if (values.length === 0) return NONE
  return (sum === true ? values.reduce((total, value) => total + value, 0) : median(values)).toFixed(digits)
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(titles), `|${titles.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}
