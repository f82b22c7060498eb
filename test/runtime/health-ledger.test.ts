import { expect, it } from 'vitest'
import { eject } from '../../src/balance/health-cells.ts'
import { loadsOf, localCells } from '../../src/balance/loads.ts'
import { createHealthLedger } from '../../src/runtime/health-ledger.ts'
import { fakeClock } from '../support/fake-clock.ts'

const SERVICE = { namespace: 'dev', service: 'web', port: '80' }

it.each([0, 1, 50, 99])('says that an endpoint is in use again, %i ms into a tick of the cells', async (into) => {
  const clock = fakeClock(1_000_000 + into)
  const loads = loadsOf([{ id: '10.0.0.1:80', address: '10.0.0.1', port: 80, weight: 1 }], localCells())
  const lines: string[] = []
  const ledger = createHealthLedger({
    clock,
    random: () => 0.5,
    log: (_level, message) => lines.push(message),
    endpoints: { loads: () => loads, health: () => [] },
    slowStart: 1000,
  })
  const ms = eject(loads, 0, clock.now(), { firstEjection: 3001, longestEjection: 60_000 }, () => 0.37)
  ledger.ejected({ ...SERVICE, endpoint: '10.0.0.1:80', reason: 'bad-answers', ms })
  await clock.advance(ms + 500)
  expect(lines).toEqual(['endpoint is out of use', 'endpoint is in use again'])
  ledger.close()
})
