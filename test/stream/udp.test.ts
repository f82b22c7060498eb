// UDP services over real sockets: each client its endpoint and its replies, for as long as it is not silent.
import { afterEach, expect, test } from 'vitest'
import type { Scheduler } from '../../src/model/scheduler.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { udpPeer, until, type UdpPeer } from '../support/stream-peers.ts'
import { startStreams, streamConfig, type TestStreams, type TestStreamsOptions } from './support.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

async function peer(answer?: (text: string) => string): Promise<UdpPeer> {
  const made = await udpPeer(answer)
  open.push(made.socket)
  return made
}

async function serve(endpoints: readonly number[], options: TestStreamsOptions = {}, scheduler: Scheduler = 'rr'): Promise<TestStreams & { readonly at: number }> {
  const made = await startStreams(streamConfig({ udp: { protocol: 'UDP', scheduler, endpoints } }), options)
  open.push(made.streams)
  return { ...made, at: made.port('udp') }
}

test('two clients talk to a backend each, and get their own replies', async () => {
  const backends = [await peer((text) => `a ${text}`), await peer((text) => `b ${text}`)]
  const { at, figures } = await serve(backends.map(({ port }) => port))
  const [one, two] = [await peer(), await peer()]
  const answers: string[][] = [[], []]
  for (let i = 0; i < 3; i++) {
    one.send(at, `one ${i}`)
    answers[0]?.push(await one.next())
    two.send(at, `two ${i}`)
    answers[1]?.push(await two.next())
  }
  expect(answers).toEqual([['a one 0', 'a one 1', 'a one 2'], ['b two 0', 'b two 1', 'b two 2']])
  // The backend tells clients apart by their port, as without a proxy.
  expect(new Set(backends.flatMap(({ senders }) => senders)).size).toBe(2)
  expect(figures('udp')).toMatchObject({ open: 2, accepted: 2, bytesIn: 30, bytesOut: 42 })
})

test('an empty datagram and one of 60,000 bytes pass as they are', async () => {
  const backend = await peer((text) => text)
  const { at } = await serve([backend.port])
  const client = await peer()
  client.send(at, '')
  expect(await client.next()).toBe('')
  const large = 'x'.repeat(60_000)
  client.send(at, large)
  expect(await client.next()).toBe(large)
})

test('a client that was silent for too long is forgotten, one that was not is not', async () => {
  const clock = fakeClock(0)
  const backends = [await peer((text) => `a${text}`), await peer((text) => `b${text}`)]
  const { at, figures } = await serve(backends.map(({ port }) => port), { clock, udpIdleTimeout: 5000 })
  const [silent, lively] = [await peer(), await peer()]
  silent.send(at, '1')
  expect(await silent.next()).toBe('a1')
  lively.send(at, '1')
  expect(await lively.next()).toBe('b1')
  await clock.advance(4000)
  lively.send(at, '2')
  expect(await lively.next()).toBe('b2')
  await clock.advance(2000)
  expect(figures('udp')).toMatchObject({ open: 1, accepted: 2 })
})

test('more clients than the limit are dropped and counted', async () => {
  const backend = await peer((text) => text)
  const { at, figures } = await serve([backend.port], { udpClientsPerPort: 2 })
  const clients = [await peer(), await peer(), await peer()]
  for (const client of clients.slice(0, 2)) {
    client.send(at, 'x')
    await client.next()
  }
  clients[2]?.send(at, 'x')
  await until(() => figures('udp').refused === 1)
  expect(figures('udp').open).toBe(2)
})

test('an endpoint that is gone gets nothing new; its late replies still arrive', async () => {
  const first = await peer()
  const second = await peer((text) => `second ${text}`)
  const made = await serve([first.port])
  const client = await peer()
  client.send(made.at, 'slow question')
  expect(await first.next()).toBe('slow question')
  const change = streamConfig({ udp: { protocol: 'UDP', endpoints: [second.port] } })
  await made.streams.apply(change)
  client.send(made.at, 'hello')
  expect(await client.next()).toBe('second hello')
  first.send(first.senders[0] ?? 0, 'late answer')
  expect(await client.next()).toBe('late answer')
  expect(made.figures('udp').open).toBe(2)
})

test('where nobody listens the next datagram tries another endpoint', async () => {
  const dead = await udpPeer()
  const { port } = dead
  await new Promise<void>((resolve) => dead.socket.close(resolve))
  const alive = await peer((text) => text)
  const { at, figures } = await serve([port, alive.port])
  const client = await peer()
  client.send(at, 'lost')
  await until(() => figures('udp').accepted === 1 && figures('udp').open === 0)
  client.send(at, 'found')
  expect(await client.next()).toBe('found')
})

test.each(['sh', 'mh', 'dh'] as const)('and with %s, which would send every client there again, since the endpoint is out of use', async (scheduler) => {
  const dead = await udpPeer()
  const { port } = dead
  await new Promise<void>((resolve) => dead.socket.close(resolve))
  const alive = await peer((text) => text)
  for (const endpoints of [[port, alive.port], [alive.port, port]]) {
    const { at, figures } = await serve(endpoints, { onEjected: () => undefined }, scheduler)
    const client = await peer()
    const answer = client.next()
    client.send(at, 'first')
    await until(() => figures('udp').bytesOut > 0 || (figures('udp').accepted === 1 && figures('udp').open === 0))
    client.send(at, 'second')
    expect(['first', 'second']).toContain(await answer)
  }
})
