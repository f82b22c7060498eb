// The client role against a server that breaks the rules: what RFC 9113 demands of a client, judged by Python's hyperframe and hpack.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { startAsking, type Response } from './asking-client.ts'
import { isVerdict, type Verdict } from './judge.ts'
import { wires } from './answering-server.ts'

const shared = wires()
const answers: (Response | undefined)[][] = []
const verdicts = await run()
shared.wheel.stop()

async function run(): Promise<Verdict[]> {
  const python = spawn('/usr/bin/python3', ['test/http2/judge/hostile_server.py'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } })
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value))
  const { port, cases } = shape(await next())
  for (let i = 0; i < cases; i++) answers.push(await provoke(port))
  const made = await next()
  if (!Array.isArray(made) || !made.every(isVerdict)) throw new Error('no verdicts')
  return made
}

function shape(value: unknown): { port: number; cases: number } {
  if (typeof value === 'object' && value !== null && 'port' in value && 'cases' in value) return { port: Number(value.port), cases: Number(value.cases) }
  throw new Error('no server')
}

/** Two requests, and then whatever comes, until the server has closed. */
async function provoke(port: number): Promise<(Response | undefined)[]> {
  const client = await startAsking(port, undefined, shared)
  const asked = [client.ask({ path: '/' }), client.ask({ path: '/' })]
  await client.ended
  return Promise.all(asked)
}

describe('client role', () => {
  it('is judged by these cases', () => {
    expect(verdicts.length).toBeGreaterThan(40)
  })

  for (const { name, problem } of verdicts) it(name, () => expect(problem).toBe(''))

  it('tells every request how it ended', () => {
    expect(answers.length).toBe(verdicts.length)
    for (const [first, second] of answers) {
      expect(first).toBeDefined()
      // Nothing ever answers the second: it ends with its connection.
      expect(second?.code).toBeGreaterThanOrEqual(0)
    }
  })
})
