// What finding a route costs as the table grows, and what a route costs in memory.
import { PROXY_CORE } from '../cores.ts'
import { runPinned } from '../process.ts'
import type { Contender, Goal, Scenario } from '../scenario.ts'

const SIZES = [
  [1, 1],
  [1000, 1],
  [100_000, 1],
  [1, 1000],
  [1000, 10],
] as const

const nameOf = (hosts: number, paths: number): string => `${hosts.toLocaleString('en')} ${hosts === 1 ? 'host' : 'hosts'}, ${paths.toLocaleString('en')} ${paths === 1 ? 'path' : 'paths'} each`

function lookups(hosts: number, paths: number): Contender {
  const args = ['--expose-gc', 'bench/programs/lookup.ts', String(hosts), String(paths)]
  return {
    name: nameOf(hosts, paths),
    measure: async () => JSON.parse(await runPinned(PROXY_CORE, process.execPath, args, 60)) as { readonly nanoseconds: number; readonly bytes: number },
  }
}

export const LOOKUP: Scenario = {
  name: 'lookup',
  title: 'Finding a route',
  how: 'A lookup by host and path in a table of that size, 1,024 different ones in turn; memory of the compiled table with its routes, by route.',
  columns: [
    { title: 'ns a lookup', figure: 'nanoseconds', digits: 0 },
    { title: 'bytes a route', figure: 'bytes', digits: 0 },
  ],
  goals: SIZES.map(([hosts, paths]): Goal => ({ contender: nameOf(hosts, paths), figure: 'nanoseconds', most: 1000, unit: 'ns', digits: 0 })),
  contenders: () => SIZES.map(([hosts, paths]) => lookups(hosts, paths)),
  lasts: () => 1.5,
}
