// How tunnels end, each side on its own, how one side holds up the other, and what they outlive.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeClock, type FakeClock } from '../support/fake-clock.ts'
import { closedBy, fill, openTunnel, SWITCHING, type RawTunnel } from '../support/raw-tunnel.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { routing, startProxy, toUpstream, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

const MIB = 1024 * 1024

let upstream: ScriptedUpstream
let proxy: TestProxy
let clock: FakeClock
let tunnels: RawTunnel[]

async function start(settings: SettingsOverrides = {}): Promise<void> {
  proxy = await startProxy(toUpstream(upstream.port), { clock, ...settings })
}

async function open(): Promise<RawTunnel> {
  const tunnel = await openTunnel(proxy.port, upstream)
  tunnels.push(tunnel)
  return tunnel
}

/** Bytes pass both ways. */
async function works({ client, backend }: RawTunnel): Promise<void> {
  const before = client.received.length
  backend.received = ''
  client.send('ping')
  await upstream.until(() => backend.received === 'ping')
  backend.socket.write('pong')
  await client.until(() => client.received.length === before + 4)
}

beforeEach(async () => {
  clock = fakeClock(1_700_000_000_000)
  tunnels = []
  upstream = await ScriptedUpstream.start(SWITCHING)
})

afterEach(async () => {
  for (const { client } of tunnels) client.close()
  proxy.proxy.close()
  await upstream.stop()
})

describe('ends', () => {
  beforeEach(() => start())

  it('of the client leave the other direction open', async () => {
    const { client, backend } = await open()
    client.socket.end('last words')
    await upstream.until(() => backend.ended)
    expect(backend.received).toBe('last words')
    for (const piece of ['many ', 'words ', 'later']) backend.socket.write(piece)
    await client.until(() => client.text() === 'many words later')
    backend.socket.end()
    expect(await closedBy(client.socket)).toBeUndefined()
  })

  it('of the backend leave the other direction open', async () => {
    const { client, backend } = await open()
    backend.socket.end('last words')
    await client.finished()
    expect(client.text()).toBe('last words')
    client.send('an answer')
    await upstream.until(() => backend.received === 'an answer')
    client.socket.end()
    await upstream.until(() => backend.closed)
    expect(proxy.proxy.connections()).toMatchObject({ tunnels: 0, upstream: 0 })
  })

  it('come after everything that was said before', async () => {
    const { client, backend } = await open()
    const much = Buffer.alloc(4 * MIB, 'x')
    client.socket.end(much)
    backend.socket.end(much)
    await upstream.until(() => backend.ended)
    await client.finished()
    expect([backend.received.length, client.received.length]).toEqual([much.length, much.length])
  })

  it('by reset of the client reset the backend', async () => {
    const { client, backend } = await open()
    const closed = closedBy(backend.socket)
    client.socket.resetAndDestroy()
    expect(await closed).toBe('ECONNRESET')
    expect((await proxy.recorded(() => true)).status).toBe(101)
  })

  it('by reset of the backend reset the client', async () => {
    const { client, backend } = await open()
    const closed = closedBy(client.socket)
    backend.socket.resetAndDestroy()
    expect(await closed).toBe('ECONNRESET')
    expect(client.ended).toBe(false)
  })

  it('of a backend that hears nothing any more let the client have what it said', async () => {
    const { client, backend } = await open()
    backend.socket.end('last words')
    backend.socket.destroySoon()
    await client.finished()
    expect(client.text()).toBe('last words')
    // Its kernel answers with a reset what the client sends now, who is out, too, in a while.
    const gone = closedBy(client.socket)
    const talk = setInterval(() => client.send('hello?'), 20)
    while (!client.closed) await clock.advance(500)
    clearInterval(talk)
    await gone
    expect(proxy.proxy.connections()).toMatchObject({ clients: 0, tunnels: 0, upstream: 0 })
  })
})

describe('a side that takes nothing', () => {
  const PIECE = Buffer.alloc(MIB, 'piece')
  /** The kernel's buffers of two connections, and little else. */
  const MOST_AHEAD = 96 * MIB

  for (const from of ['client', 'backend'] as const) {
    it(`holds up the ${from === 'client' ? 'client' : 'backend'}, and loses nothing`, async () => {
      await start({ timeouts: { read: 300, tunnel: 60_000 } })
      const { client, backend } = await open()
      const [writer, reader] = from === 'client' ? [client.socket, backend.socket] : [backend.socket, client.socket]
      reader.removeAllListeners('data')
      reader.pause()
      const sent = await fill(writer, PIECE)
      expect(sent).toBeLessThan(MOST_AHEAD)
      let received = 0
      let exact = true
      reader.on('data', (chunk: Buffer) => {
        for (let at = 0; at < chunk.length && exact; at += 4099) exact = chunk[at] === PIECE[(received + at) % PIECE.length]
        received += chunk.length
      })
      reader.resume()
      writer.end()
      await new Promise((resolve) => reader.once('end', resolve))
      expect([exact, received % PIECE.length, received >= sent]).toEqual([true, 0, true])
      // The backend's own deadlines mean nothing here.
      await clock.advance(5000)
      expect(proxy.proxy.connections().tunnels).toBe(1)
    })
  }

  it('is cut when none of it went out within the time for silence', async () => {
    await start({ timeouts: { tunnel: 1000 } })
    const { client, backend } = await open()
    client.socket.pause()
    await fill(backend.socket, PIECE)
    const closed = closedBy(backend.socket)
    await clock.advance(4000)
    expect(['ECONNRESET', 'EPIPE']).toContain(await closed)
  })
})

describe('silence', () => {
  it('ends a tunnel, with an end and not a reset', async () => {
    await start({ timeouts: { read: 50, tunnel: 10_000 } })
    const { client, backend } = await open()
    await clock.advance(9500)
    await works({ client, backend })
    await clock.advance(9500)
    expect(proxy.proxy.connections().tunnels).toBe(1)
    await clock.advance(1000)
    await client.finished()
    await upstream.until(() => backend.ended)
    expect([client.error, proxy.proxy.connections().tunnels]).toEqual([undefined, 0])
  })

  it('of one direction alone ends nothing', async () => {
    await start({ timeouts: { tunnel: 1000 } })
    const { client, backend } = await open()
    for (let second = 1; second <= 5; second++) {
      backend.socket.write('.')
      await client.until(() => client.received.length === second)
      await clock.advance(900)
    }
    expect(proxy.proxy.connections().tunnels).toBe(1)
  })
})

describe('an open tunnel outlives', () => {
  const CHANGES: readonly (readonly [string, () => void])[] = [
    ['its endpoint', () => proxy.route(routing([{ host: 'a', backend: 'web' }], { web: ['127.0.0.1:9'] }))],
    ['all endpoints of its backend', () => proxy.route(routing([{ host: 'a', backend: 'web' }], { web: [] }))],
    ['a change of its route', () => proxy.route(routing([{ host: 'a', path: '/other', backend: 'other' }], { other: ['127.0.0.1:9'] }))],
    ['its host and everything else', () => proxy.route(routing([], {}))],
  ]
  for (const [what, change] of CHANGES) {
    it(what, async () => {
      await start()
      const tunnel = await open()
      change()
      await works(tunnel)
      const next = await RawClient.connect(proxy.port)
      next.send('GET /ws HTTP/1.1\r\nHost: a\r\n\r\n')
      expect((await next.response()).status).toBeGreaterThanOrEqual(404)
      next.close()
      await works(tunnel)
      // What it was counted as goes with it.
      tunnel.client.socket.end()
      await upstream.until(() => tunnel.backend.ended)
      tunnel.backend.socket.end()
      await proxy.recorded(({ status }) => status === 101)
      expect(proxy.proxy.connections()).toMatchObject({ tunnels: 0, upstream: 0 })
    })
  }

  it('the beginning of a drain, and is cut at its end', async () => {
    await start()
    const tunnel = await open()
    const drained = proxy.proxy.drain(10_000)
    await clock.advance(9000)
    await works(tunnel)
    await clock.advance(2000)
    expect(await drained).toBe(1)
    await tunnel.client.finished()
    await upstream.until(() => tunnel.backend.closed || tunnel.backend.ended)
  })
})
