// TCP services over real sockets: bytes both ways, ends, cuts, limits and time.
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { fakeClock } from '../support/fake-clock.ts'
import { deadPort, dial, tcpBackend, until, type TcpBackend } from '../support/stream-peers.ts'
import { startStreams, streamConfig, type TestStreams, type TestStreamsOptions, type StreamSpec } from './support.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

async function backend(...args: Parameters<typeof tcpBackend>): Promise<TcpBackend> {
  const made = await tcpBackend(...args)
  open.push(made)
  return made
}

async function serve(spec: StreamSpec, options: TestStreamsOptions = {}): Promise<TestStreams> {
  const made = await startStreams(streamConfig({ tcp: spec }), options)
  open.push(made.streams)
  return made
}

describe('ends', () => {
  test('a client that has said all it wants still gets the answer', async () => {
    const { port } = await backend((socket) => {
      let asked = ''
      socket.on('data', (chunk) => (asked += chunk))
      socket.on('end', () => socket.end(`heard ${asked}`))
    })
    const { port: at } = await serve({ endpoints: [port] })
    const client = await dial(at('tcp'))
    client.socket.end('question')
    expect(await client.ended).toBe('heard question')
    expect(await client.closed).toBe('end')
  })

  test('a backend that has said all it wants still hears the client', async () => {
    const heard = Promise.withResolvers<string>()
    const { port } = await backend((socket) => {
      let all = ''
      socket.on('data', (chunk) => (all += chunk))
      socket.on('end', () => heard.resolve(all))
      socket.end('bye')
    })
    const { port: at } = await serve({ endpoints: [port] })
    const client = await dial(at('tcp'))
    expect(await client.ended).toBe('bye')
    client.socket.write('more ')
    client.socket.end('and more')
    expect(await heard.promise).toBe('more and more')
  })

  test('a connection that is cut by the backend is cut, not ended, for the client', async () => {
    const { port } = await backend((socket) => {
      socket.write('half of', () => socket.resetAndDestroy())
    })
    const { port: at, figures } = await serve({ endpoints: [port] })
    const client = await dial(at('tcp'))
    expect(await client.closed).toBe('ECONNRESET')
    await until(() => figures('tcp').open === 0)
  })

  test('a connection that is cut by the client is cut for the backend', async () => {
    const cause = Promise.withResolvers<string | undefined>()
    const upstream = await backend((socket) => {
      socket.resume()
      socket.on('error', (error: NodeJS.ErrnoException) => cause.resolve(error.code))
      socket.on('end', () => cause.resolve('a clean end'))
    })
    const { port: at } = await serve({ endpoints: [upstream.port] })
    const client = await dial(at('tcp'))
    client.socket.write('x')
    await until(() => (upstream.connections[0]?.bytesRead ?? 0) === 1)
    client.socket.resetAndDestroy()
    expect(await cause.promise).toBe('ECONNRESET')
  })
})

describe('bytes', () => {
  test('arrive whole and in order both ways, however large, and are counted', async () => {
    const size = 8 * 1024 * 1024
    const payload = Buffer.alloc(size, 'all work and no play makes jack a dull boy. ')
    const { port } = await backend()
    const { port: at, figures } = await serve({ endpoints: [port] })
    const client = await dial(at('tcp'))
    client.socket.end(payload)
    const text = await client.ended
    expect(Buffer.from(text, 'latin1').equals(payload)).toBe(true)
    expect(figures('tcp')).toMatchObject({ accepted: 1, bytesIn: size, bytesOut: size })
    await client.closed
    await until(() => figures('tcp').open === 0)
  })

  test('for a client that does not read wait at the backend, not here', async () => {
    const chunk = Buffer.alloc(64 * 1024)
    const { port, connections } = await backend((socket) => {
      const pour = (): void => {
        while (socket.write(chunk));
      }
      socket.on('drain', pour)
      pour()
    })
    const { port: at, figures } = await serve({ endpoints: [port] })
    const client = await dial(at('tcp'))
    client.socket.pause()
    let before = -1
    while (before !== figures('tcp').bytesOut) {
      before = figures('tcp').bytesOut
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const [socket] = connections
    // Kernel buffers hold some megabytes; here there is one write budget and one read beyond it. The backend would send for ever.
    expect(socket?.writableNeedDrain).toBe(true)
    expect(before).toBeLessThan(32 * 1024 * 1024)
    const atRest = before
    client.socket.resume()
    await client.received(atRest + 1024 * 1024)
    expect(figures('tcp').bytesOut).toBeGreaterThan(atRest)
  })
})

describe('time', () => {
  test('closes a connection that is silent for too long, and none that is not', async () => {
    const clock = fakeClock(1_000_000)
    const { port } = await backend()
    const { port: at, figures } = await serve({ endpoints: [port] }, { clock, idleTimeout: 10_000 })
    const [silent, lively] = [await dial(at('tcp')), await dial(at('tcp'))]
    silent.socket.write('x')
    await silent.received(1)
    for (let second = 1; second <= 9; second += 2) {
      lively.socket.write('x')
      await lively.received((second + 1) / 2)
      await clock.advance(2000)
    }
    await clock.advance(1000)
    expect(await silent.ended).toBe('x')
    lively.socket.write('x')
    await lively.received(6)
    expect(figures('tcp').open).toBe(1)
  })

  test('gives up an endpoint that does not answer, and takes the next one', async () => {
    // A listener whose queue is full answers no SYN; 192.0.2.0/24 is nobody's (RFC 5737) and may be refused at once: either is an endpoint that fails.
    const { port } = await backend()
    const { port: at, figures } = await serve({ endpoints: ['192.0.2.1:9', port] }, { connectTimeout: 200 })
    for (let i = 0; i < 2; i++) {
      const client = await dial(at('tcp'))
      client.socket.end('hello')
      expect(await client.ended).toBe('hello')
    }
    expect(figures('tcp').failed).toBe(0)
  })
})

describe('endpoints', () => {
  test('take turns', async () => {
    const backends = await Promise.all(['a', 'b', 'c'].map((name) => backend((socket) => socket.end(name))))
    const { port: at } = await serve({ endpoints: backends.map(({ port }) => port) })
    let names = ''
    for (let i = 0; i < 6; i++) names += await (await dial(at('tcp'))).ended
    expect(names).toBe('abcabc')
  })

  test('that refuse are passed over', async () => {
    const { port } = await backend((socket) => socket.end('alive'))
    const { port: at } = await serve({ endpoints: [await deadPort(), await deadPort(), port] })
    for (let i = 0; i < 3; i++) expect(await (await dial(at('tcp'))).ended).toBe('alive')
  })

  test('that all refuse cut the client, and so does an empty list', async () => {
    const { port: at, figures, streams } = await serve({ endpoints: [await deadPort()] })
    expect(await (await dial(at('tcp'))).closed).toBe('ECONNRESET')
    await streams.apply(streamConfig({ tcp: { endpoints: [] } }))
    expect(await (await dial(at('tcp'))).closed).toBe('ECONNRESET')
    expect(figures('tcp')).toMatchObject({ accepted: 2, failed: 2, open: 0 })
  })

  test('with the fewest connections are chosen by lc, and a closed one counts no more', async () => {
    const backends = await Promise.all(['a', 'b'].map((name) => backend((socket) => void socket.write(name))))
    const { port: at, figures } = await serve({ scheduler: 'lc', endpoints: backends.map(({ port }) => port) })
    const clients = []
    for (let i = 0; i < 4; i++) {
      const client = await dial(at('tcp'))
      await client.received(1)
      clients.push(client)
    }
    expect(clients.map((client) => client.text()).toSorted().join('')).toBe('aabb')
    const ofA = clients.filter((client) => client.text() === 'a')
    for (const client of ofA) client.socket.resetAndDestroy()
    await until(() => figures('tcp').open === 2)
    for (let i = 0; i < 2; i++) {
      const client = await dial(at('tcp'))
      expect(await client.received(1)).toBe('a')
    }
  })

  test('that are gone get no new connection and keep theirs; nothing is lost while they change under load', async () => {
    const backends = await Promise.all(['a', 'b', 'c', 'd'].map((name) => backend((socket) => {
      socket.on('data', (chunk) => socket.write(name + String(chunk)))
      socket.on('end', () => socket.end())
    })))
    const ports = backends.map(({ port }) => port)
    const made = await serve({ endpoints: ports.slice(0, 2) })
    const held = await dial(made.port('tcp'))
    held.socket.write('1')
    const [, name] = [await held.received(2), held.text()[0]]
    let failures = 0
    const load = new AbortController()
    const clients = Array.from({ length: 8 }, async () => {
      while (!load.signal.aborted) {
        const client = await dial(made.port('tcp'))
        client.socket.end('ping')
        const answer = await Promise.race([client.ended, client.closed])
        if (!/^[abcd]ping$/.test(answer)) failures++
        await client.closed
      }
    })
    for (let round = 0; round < 30; round++) {
      const from = round % 3
      await made.streams.apply({ ...streamConfig({ tcp: { port: made.port('tcp'), endpoints: ports.slice(from, from + 2) } }), streams: streamsOf(round) })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await made.streams.apply(streamConfig({ tcp: { endpoints: ports.slice(2) } }))
    load.abort()
    await Promise.all(clients)
    expect(failures).toBe(0)
    const before = backends.slice(0, 2).map(({ connections }) => connections.length)
    for (let i = 0; i < 4; i++) {
      const client = await dial(made.port('tcp'))
      client.socket.end('x')
      expect(await client.ended).toMatch(/^[cd]x$/)
    }
    expect(backends.slice(0, 2).map(({ connections }) => connections.length)).toEqual(before)
    held.socket.end('2')
    expect(await held.ended).toBe(`${name}1${name}2`)
  })

  /** The stream itself stays the same object in most rounds, and is another equal one in some. */
  const kept = streamConfig({ tcp: { endpoints: [] } }).streams
  const streamsOf = (round: number) => (round % 4 === 0 ? streamConfig({ tcp: { endpoints: [] } }).streams : kept)
})

describe('limits', () => {
  test('connections beyond the limit of a port are reset, and there is room again when one ends', async () => {
    const { port } = await backend()
    const { port: at, figures } = await serve({ endpoints: [port] }, { connectionsPerPort: 2 })
    const first = await dial(at('tcp'))
    const second = await dial(at('tcp'))
    second.socket.write('x')
    await second.received(1)
    const third = await dial(at('tcp'))
    expect(await third.closed).toBe('ECONNRESET')
    expect(figures('tcp')).toMatchObject({ open: 2, refused: 1 })
    first.socket.end()
    await first.closed
    await until(() => figures('tcp').open === 1)
    const fourth = await dial(at('tcp'))
    fourth.socket.end('room')
    expect(await fourth.ended).toBe('room')
  })
})

describe('listeners', () => {
  test('come and go without touching the connections of others, and one that goes keeps its own', async () => {
    const { port } = await backend()
    const both = streamConfig({ one: { endpoints: [port] }, two: { endpoints: [port] } })
    const made = await startStreams(both)
    open.push(made.streams)
    const [one, two] = [await dial(made.port('one')), await dial(made.port('two'))]
    for (const client of [one, two]) {
      client.socket.write('a')
      await client.received(1)
    }
    const gone = made.port('one')
    await made.streams.apply({ streams: new Map([...both.streams].filter(([id]) => id === 'two')), backends: both.backends })
    const refused = await dial(gone)
    expect(await refused.closed).toBe('ECONNREFUSED')
    for (const client of [one, two]) {
      client.socket.end('b')
      expect(await client.ended).toBe('ab')
    }
  })

  test('a port that someone else has is told with its code and had once it is free', async () => {
    const { port } = await backend()
    const other = await backend()
    const clock = fakeClock(0)
    const made = await startStreams(streamConfig({ tcp: { port: other.port, endpoints: [port] }, fine: { endpoints: [port] } }), { clock })
    open.push(made.streams)
    expect(made.troubles.toSorted()).toEqual([['fine', undefined], ['tcp', 'EADDRINUSE']])
    other.close()
    await once(other.server, 'close')
    await clock.advance(2000)
    await until(() => made.troubles.length > 2)
    expect(made.troubles.at(-1)).toEqual(['tcp', undefined])
    const client = await dial(other.port)
    client.socket.end('mine')
    expect(await client.ended).toBe('mine')
  })

  test('a drain waits for connections to end, then cuts what is left', async () => {
    const { port } = await backend()
    const clock = fakeClock(0)
    const made = await startStreams(streamConfig({ tcp: { endpoints: [port] } }), { clock })
    const [ends, stays] = [await dial(made.port('tcp')), await dial(made.port('tcp'))]
    for (const client of [ends, stays]) {
      client.socket.write('x')
      await client.received(1)
    }
    const drained = made.streams.drain(5000)
    ends.socket.end('y')
    expect(await ends.ended).toBe('xy')
    await until(() => made.streams.open() === 1)
    await clock.advance(5000)
    expect(await drained).toBe(1)
    expect(await stays.ended).toBe('x')
  })
})
