// npm run bench: all scenarios and all proxies in one run. --help says the rest.
import { spawnSync } from 'node:child_process'
import { LOAD_CORE } from './cores.ts'
import { writeInto } from './document.ts'
import { disturbance, machine, quietness } from './machine.ts'
import { help, readOptions, type Options } from './options.ts'
import { PEERS } from './peers.ts'
import type { Peer } from './peer.ts'
import { inWords, planOf, secondsLeft, type Step } from './plan.ts'
import { section, summary } from './report.ts'
import type { Results } from './results.ts'
import type { Sample } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { onStage, type Stage } from './stage.ts'
import { obstacle, packageOf } from './tools.ts'

const DOCUMENT = 'docs/benchmarks.md'

const say = (text: string): boolean => process.stderr.write(`bench: ${text}\n`)

process.exitCode = await main()

async function main(): Promise<number> {
  let options: Options
  try {
    options = readOptions(process.argv.slice(2), SCENARIOS, PEERS)
  } catch (error) {
    say(`${messageOf(error)}; --help says more`)
    return 2
  }
  if (options.help) {
    process.stdout.write(help(SCENARIOS, PEERS))
    return 0
  }
  const problem = obstacle(options.scenarios.flatMap(({ needs = [] }) => needs))
  if (problem !== undefined) {
    say(problem)
    return 2
  }
  // A signal ends it as `process.exit` does, and with it all that it started.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  // The proxy under test has its core to itself.
  spawnSync('taskset', ['-acp', LOAD_CORE, String(process.pid)], { stdio: 'ignore' })
  return run(options)
}

async function run({ scenarios, peers: asked, rounds, seconds, write }: Options): Promise<number> {
  const before = quietness()
  const peers = asked.filter(isOnThisMachine)
  const steps = planOf(scenarios, peers, rounds, seconds)
  const samples = new Map<Step, Sample>()
  const began = performance.now()
  let failures = 0
  say(`${steps.length} measurements, about ${inWords(secondsLeft(steps, 0, 0))}`)
  await onStage(async (stage) => {
    for (const [done, step] of steps.entries()) {
      const outcome = await attempt(step, stage, seconds)
      if (typeof outcome === 'string') failures++
      else samples.set(step, outcome)
      const left = secondsLeft(steps, done + 1, (performance.now() - began) / 1000)
      say(`${`${done + 1}/${steps.length}`.padStart(7)}  ${step.scenario.name} ${step.round + 1}/${rounds}  ${step.contender.name}: ${typeof outcome === 'string' ? outcome : brief(step, outcome)}  (${inWords(left)} left)`)
    }
  })
  const results = scenarios.map((scenario): Results => ({ scenario, rounds: Array.from({ length: rounds }, (_, round) => roundOf(steps, samples, scenario.name, round)) }))
  const conditions = `Measured on ${new Date().toISOString().slice(0, 10)} in ${inWords((performance.now() - began) / 1000)}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s; ${disturbance(before, quietness())}. ${machine(peers)}.`
  const [goals, figures] = [`${summary(results)}\n\n${conditions}`, results.map(section).join('\n\n')]
  process.stdout.write(`${goals}\n\n${figures}\n`)
  if (write) writeInto(DOCUMENT, { goals, figures })
  if (failures > 0) say(`${failures} of ${steps.length} measurements failed: see above`)
  return failures > 0 ? 1 : 0
}

function isOnThisMachine(peer: Peer): boolean {
  if (peer.version() !== undefined) return true
  const where = peer.tool === undefined ? 'npm ci' : `Debian: ${packageOf(peer.tool)}`
  say(`${peer.name} is not on this machine (${where}): left out`)
  return false
}

/** What failed, in words, does not end the run: nobody may be there to start it again. */
async function attempt({ contender }: Step, stage: Stage, seconds: number): Promise<Sample | string> {
  try {
    return await contender.measure(stage, seconds)
  } catch (error) {
    return `failed: ${messageOf(error)}`
  }
}

function brief({ scenario }: Step, sample: Sample): string {
  const own = scenario.columns.filter(({ of }) => of === undefined).slice(0, 2)
  return own.map(({ title, figure, digits }) => `${sample[figure]?.toFixed(digits)} ${title}`).join(', ')
}

function roundOf(steps: readonly Step[], samples: ReadonlyMap<Step, Sample>, name: string, round: number): Map<string, Sample> {
  const found = new Map<string, Sample>()
  for (const step of steps) {
    const sample = samples.get(step)
    if (sample !== undefined && step.scenario.name === name && step.round === round) found.set(step.contender.name, sample)
  }
  return found
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
