// Which endpoint a client had, for how long, and for how many clients.
import { expect, it } from 'vitest'
import { createAffinity } from '../../../src/sandbox/kube-proxy/affinity.ts'
import { createOpenTroubles } from '../../../src/sandbox/kube-proxy/open-troubles.ts'
import type { VirtualServer } from '../../../src/sandbox/kube-proxy/virtual-servers.ts'
import { fakeClock } from '../../support/fake-clock.ts'

it('a client keeps its endpoint until it stays away for the time of the Service', async () => {
  const clock = fakeClock(0)
  const affinity = createAffinity(clock)
  affinity.remember('192.0.2.1', 'a')
  await clock.advance(9_999)
  expect(affinity.endpointOf('192.0.2.1', 10_000)).toBe('a')
  affinity.remember('192.0.2.1', 'a')
  await clock.advance(9_999)
  expect(affinity.endpointOf('192.0.2.1', 10_000)).toBe('a')
  await clock.advance(1)
  expect(affinity.endpointOf('192.0.2.1', 10_000)).toBeUndefined()
})

it('with too many clients the one that came longest ago is forgotten', () => {
  const affinity = createAffinity(fakeClock(0), 2)
  for (const client of ['a', 'b', 'a', 'c']) affinity.remember(client, `for ${client}`)
  expect(['a', 'b', 'c'].map((client) => affinity.endpointOf(client, 1000))).toEqual(['for a', undefined, 'for c'])
})

it('ports that may not be opened are told in one line, ports that are taken each in one, again after they were had', () => {
  const lines: string[] = []
  const troubles = createOpenTroubles((line) => lines.push(line))
  const server = (port: number): VirtualServer => ({ id: `TCP 127.96.0.1:${port}`, protocol: 'TCP', address: '127.96.0.1', port, kind: 'ClusterIP', service: 'dev/web', scheduler: 'rr', affinity: undefined, endpoints: [] })
  for (const port of [80, 443, 53]) troubles.failed(server(port), 'EACCES')
  for (const port of [8080, 8080, 8081]) troubles.failed(server(port), 'EADDRINUSE')
  troubles.opened(server(8080))
  troubles.failed(server(8080), 'EADDRINUSE')
  expect(lines.map((line) => /below 1024.*TCP 127\.96\.0\.1:80 |(TCP \S+) .*another program/.exec(line)?.slice(1).join('') ?? line)).toEqual(['', 'TCP 127.96.0.1:8080', 'TCP 127.96.0.1:8081', 'TCP 127.96.0.1:8080'])
})
