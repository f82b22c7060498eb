// npm run bench: all scenarios and all proxies in one run. --help says the rest.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LOAD_CORE } from './cores.ts'
import { writeInto } from './document.ts'
import { disturbance, machine, quietness } from './machine.ts'
import { measureAll, messageOf, resultsOf } from './measure.ts'
import { help, readOptions, type Options } from './options.ts'
import { PEERS } from './peers.ts'
import type { Peer } from './peer.ts'
import { inWords, planOf, secondsLeft, type Step } from './plan.ts'
import { section, summary } from './report.ts'
import type { Sample } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { onStage } from './stage.ts'
import { obstacle, packageOf } from './tools.ts'

// Programs and documents are named from here.
process.chdir(fileURLToPath(new URL('..', import.meta.url)))

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
  const began = performance.now()
  say(`${steps.length} measurements, about ${inWords(secondsLeft(steps, 0, 0))}`)
  const outcomes = await onStage((stage) =>
    measureAll(steps, stage, seconds, ({ step, outcome, done, left }) => {
      const figures = typeof outcome === 'string' ? outcome : brief(step, outcome)
      say(`${`${done}/${steps.length}`.padStart(7)}  ${step.scenario.name} ${step.round + 1}/${rounds}  ${step.contender.name}: ${figures}  (${inWords(left)} left)`)
    }),
  )
  const results = resultsOf(scenarios, rounds, outcomes)
  const took = inWords((performance.now() - began) / 1000)
  const conditions = `Measured on ${new Date().toISOString().slice(0, 10)} in ${took}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s; ${disturbance(before, quietness())}. ${machine(peers)}.`
  const [goals, figures] = [`${summary(results)}\n\n${conditions}`, results.map(section).join('\n\n')]
  process.stdout.write(`${goals}\n\n${figures}\n`)
  if (write) writeInto(DOCUMENT, { goals, figures })
  const failures = outcomes.values().filter((outcome) => typeof outcome === 'string').toArray().length
  if (failures > 0) say(`${failures} of ${steps.length} measurements failed: see above`)
  return failures > 0 ? 1 : 0
}

function isOnThisMachine(peer: Peer): boolean {
  if (peer.version() !== undefined) return true
  const where = peer.tool === undefined ? 'npm ci' : `Debian: ${packageOf(peer.tool)}`
  say(`${peer.name} is not on this machine (${where}): left out`)
  return false
}

function brief({ scenario }: Step, sample: Sample): string {
  const own = scenario.columns.filter(({ of }) => of === undefined).slice(0, 2)
  return own.map(({ title, figure, digits }) => `${sample[figure]?.toFixed(digits)} ${title}`).join(', ')
}
