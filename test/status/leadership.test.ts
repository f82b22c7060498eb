// How long a leader takes itself for one when it can't renew.
import { afterEach, expect, test } from 'vitest'
import { connectToUrl } from '../../src/kube/connection.ts'
import { startLeadership } from '../../src/status/leadership.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { failure, ScriptedApi, type Reply } from '../kube/scripted-api.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** What was sent, as the API server would have it. */
const made: Reply = (response, asked) => {
  const sent: object = JSON.parse(asked.body)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ ...sent, metadata: { resourceVersion: '1' } }))
}

test('ends before another may begin, though the attempt to renew goes on', async () => {
  const api = await ScriptedApi.start(failure(404, 'NotFound'), made, () => undefined)
  const connection = connectToUrl(api.url)
  const clock = fakeClock(Date.parse('2026-11-20T12:00:00Z'))
  const changes: boolean[] = []
  const ttl = 15_000
  let took: () => void = () => undefined
  const leads = new Promise<void>((resolve) => (took = resolve))
  const leadership = startLeadership({ connection, lease: { namespace: 'infra', name: 'narthex' }, ttl, log: () => undefined, clock, random: () => 0, onChange: (now) => {
    changes.push(now)
    took()
  } })
  ends.push(() => api.close(), () => connection.close(), () => leadership.stop())
  await leads
  await clock.advance(ttl / 2)
  // The third request never gets an answer.
  await api.calls(3)
  expect(leadership.leads()).toBe(true)
  await clock.advance(ttl / 2 - 1)
  expect([leadership.leads(), changes]).toEqual([false, [true, false]])
})
