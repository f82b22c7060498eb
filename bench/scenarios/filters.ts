// What policies cost a route that has none, and one that has some.
import { COST_COLUMNS, costOf, costSeconds } from '../cost.ts'
import type { NarthexOptions } from '../peers/narthex.ts'
import { startNarthex } from '../peers/narthex.ts'
import type { Contender, Scenario } from '../scenario.ts'
import { wrk } from '../wrk.ts'

const OTHERS = 1000
const WITHOUT = 'no policy, nor on the others'
const BESIDE = 'no policy, every one on the others'

function variant(name: string, options: NarthexOptions): Contender {
  return { name, measure: costOf({ start: (work) => startNarthex(work, options) }, (work, seconds) => wrk(work, seconds, { path: '/' })) }
}

export const FILTERS: Scenario = {
  name: 'filters',
  title: 'A route without filters pays nothing for them',
  how: `120-byte GET over HTTP of a route in a table with ${OTHERS.toLocaleString('en')} other hosts. One filter: the redirect to https, which runs and lets all requests go on; every policy: session cookies as well.`,
  needs: ['wrk'],
  columns: COST_COLUMNS.map((column) => (column.of === undefined ? column : { ...column, title: '× without', of: WITHOUT })),
  // What two rounds of the same thing differ by on a quiet machine.
  goals: [{ contender: BESIDE, figure: 'cpu', over: WITHOUT, most: 1.03, unit: '× without', digits: 2 }],
  contenders: () => [
    variant(WITHOUT, { others: { count: OTHERS, policies: false } }),
    variant(BESIDE, { others: { count: OTHERS, policies: true } }),
    variant('one filter', { others: { count: OTHERS, policies: true }, policy: 'filter' }),
    variant('every policy', { others: { count: OTHERS, policies: true }, policy: 'every' }),
  ],
  lasts: costSeconds,
}
