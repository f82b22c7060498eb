// What a run of the benchmark does in which order, how long it says that takes, and what it refuses.
import { expect, test } from 'vitest'
import { measureAll, resultsOf } from '../../bench/measure.ts'
import { help, readOptions } from '../../bench/options.ts'
import { PEERS } from '../../bench/peers.ts'
import { inWords, planOf, secondsLeft } from '../../bench/plan.ts'
import type { Contender, Scenario } from '../../bench/scenario.ts'
import { SCENARIOS } from '../../bench/scenarios.ts'
import type { Stage } from '../../bench/stage.ts'
import { obstacle } from '../../bench/tools.ts'

const STAGE: Stage = { backendPorts: [], grpcPorts: [], certificate: '', privateKey: '', folder: '' }

const contender = (name: string, once = false): Contender => ({ name, once, measure: () => Promise.resolve({}) })

function scenario(name: string, contenders: readonly Contender[]): Scenario {
  return { name, title: name, how: '', columns: [], goals: [], contenders: () => contenders, lasts: (seconds) => seconds + 1 }
}

test('rounds are interleaved; what is measured once is in the first', () => {
  const steps = planOf([scenario('a', [contender('x'), contender('y', true)]), scenario('b', [contender('x')])], [], 2, 3)
  expect(steps.map((step) => `${step.scenario.name} ${step.round} ${step.contender.name}`)).toEqual(['a 0 x', 'a 0 y', 'a 1 x', 'b 0 x', 'b 1 x'])
})

test('what is left is planned at first, then goes by what the steps before took', () => {
  const steps = planOf([scenario('a', [contender('x'), contender('y')])], [], 2, 4)
  expect(secondsLeft(steps, 0, 0)).toBe(20)
  expect(secondsLeft(steps, 2, 30)).toBe(30)
  expect([inWords(89.2), inWords(90), inWords(600)]).toEqual(['90 s', '2 min', '10 min'])
})

/** Fails so many times first. */
function failing(name: string, times: number): Contender {
  let left = times
  return { name, measure: () => (left-- > 0 ? Promise.reject(new Error(`${name} ended with 1`)) : Promise.resolve({})) }
}

test('a measurement that fails twice leaves a gap and ends nothing', async () => {
  const both = [scenario('a', [contender('x'), failing('y', 2)]), scenario('b', [failing('x', 1)])]
  const said: unknown[] = []
  const outcomes = await measureAll(planOf(both, [], 2, 1), STAGE, 1, ({ outcome, done }) => said.push([done, outcome]))
  expect(said).toEqual([[1, {}], [2, 'failed twice: y ended with 1'], [3, {}], [4, {}], [5, {}], [6, {}]])
  expect(resultsOf(both, 2, outcomes).map(({ rounds }) => rounds.map((round) => [...round.keys()]))).toEqual([[['x'], ['x', 'y']], [['x'], ['x']]])
})

test('a whole run takes twenty minutes at most', () => {
  const { rounds, seconds, scenarios, peers } = readOptions([], SCENARIOS, PEERS)
  expect(secondsLeft(planOf(scenarios, peers, rounds, seconds), 0, 0)).toBeLessThanOrEqual(20 * 60)
})

test('each goal names contenders of its scenario, and one bound', () => {
  for (const { name, contenders, goals } of SCENARIOS) {
    const names = contenders(PEERS).map((one) => one.name)
    for (const { contender: own, over, most, least } of goals) {
      expect(names, name).toContain(own)
      if (over !== undefined) expect(names, name).toContain(over)
      expect([most, least].filter((bound) => bound !== undefined), name).toHaveLength(1)
    }
  }
})

test('scenarios and peers are chosen by name', () => {
  const { scenarios, peers, write } = readOptions(['--scenario', 'idle,get', '--peer', 'nginx'], SCENARIOS, PEERS)
  expect([scenarios.map(({ name }) => name), peers.map(({ name }) => name), write]).toEqual([['get', 'idle'], ['nginx'], false])
})

test.for([
  [['--scenario', 'get,got'], 'there is no got; there are get, get-tls'],
  [['--peer', 'envoy'], 'there is no envoy; there are narthex, nginx'],
  [['--rounds', '0'], '--rounds 0: a whole number'],
  [['--seconds', '1.5'], '--seconds 1.5: a whole number'],
  [['--write', '--peer', 'nginx'], '--write is for a whole run'],
  [['--fast'], '--fast'],
] as const)('%s is refused', ([args, message]) => {
  expect(() => readOptions(args, SCENARIOS, PEERS)).toThrow(message)
})

test('help names every option, scenario and peer', () => {
  const text = help(SCENARIOS, PEERS)
  for (const word of ['--scenario', '--peer', '--rounds', '--seconds', '--write', ...SCENARIOS.map(({ name }) => name), ...PEERS.map(({ name }) => name)]) expect(text).toContain(word)
})

test('what is missing is named with the Debian package that has it', () => {
  expect(obstacle(['wrk', 'h2load'], (tool) => tool !== 'h2load' && tool !== 'nginx', 2)).toBe(
    'not found: nginx (Debian: nginx-light), h2load (Debian: nghttp2-client); apt-get install nginx-light nghttp2-client',
  )
  expect(obstacle(['wrk'], () => true, 2)).toBeUndefined()
  expect(obstacle([], () => true, 1)).toContain('two cores')
})
