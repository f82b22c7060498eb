// What RFC 9113, RFC 7541 and RFC 8441 demand of a server, a case each, judged by Python's hyperframe and hpack over real sockets.
import { afterAll, describe, expect, it } from 'vitest'
import { startAnswering } from './answering-server.ts'
import { judge } from './judge.ts'

const server = await startAnswering()
const verdicts = await judge('conformance', server.port)
afterAll(() => server.close())

describe('server role', () => {
  it('is judged by more than a hundred cases', () => {
    expect(verdicts.length).toBeGreaterThan(180)
  })

  for (const { name, problem } of verdicts) it(name, () => expect(problem).toBe(''))
})
