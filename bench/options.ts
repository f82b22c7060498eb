// The command line of the benchmark.
import { parseArgs } from 'node:util'
import type { Peer } from './peer.ts'
import type { Scenario } from './scenario.ts'

export interface Options {
  readonly scenarios: readonly Scenario[]
  readonly peers: readonly Peer[]
  readonly rounds: number
  readonly seconds: number
  readonly write: boolean
  readonly help: boolean
}

/** Throws with what is wrong, in words. */
export function readOptions(args: readonly string[], scenarios: readonly Scenario[], peers: readonly Peer[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      peer: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.write && (values.scenario !== undefined || values.peer !== undefined)) {
    throw new Error('--write is for a whole run, since figures of different runs can not be compared: leave --scenario and --peer out')
  }
  return {
    scenarios: chosen(scenarios, 'scenario', values.scenario),
    peers: chosen(peers, 'peer', values.peer),
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    write: values.write,
    help: values.help,
  }
}

function chosen<T extends { readonly name: string }>(all: readonly T[], option: string, names: string | undefined): readonly T[] {
  if (names === undefined) return all
  const wanted = names.split(',')
  const unknown = wanted.filter((name) => !all.some((one) => one.name === name))
  if (unknown.length > 0) throw new Error(`--${option}: there is no ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`)
  return all.filter(({ name }) => wanted.includes(name))
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw new Error(`--${option} ${text}: a whole number from 1 to 1000`)
  return value
}

export function help(scenarios: readonly Scenario[], peers: readonly Peer[]): string {
  return `npm run bench -- [--scenario NAME,…] [--peer NAME,…] [--rounds N] [--seconds N] [--write]

Narthex beside other proxies: what a request costs, and what else it promises.

  --scenario  which of the scenarios below; all
  --peer      which of ${peers.map(({ name }) => name).join(', ')}; all
  --rounds    how often each is measured, in turn with the others; 3. The median counts
  --seconds   of load a measurement; 3
  --write     put the tables into docs/benchmarks.md

Tables go to standard output, progress to standard error. Two cores are needed, and a machine that does nothing else.

${scenarios.map(({ name, title }) => `  ${name.padEnd(20)}${title}`).join('\n')}
`
}
