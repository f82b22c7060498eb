// gRPC from end to end, with @grpc/grpc-js on both sides: every kind of call, what goes with it, and how it ends.
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import type { BackendProtocol } from '../../src/model/backend-protocol.ts'
import { H2C, overTls, spoken } from '../support/backend-protocol.ts'
import { eventually } from '../support/fetch-host.ts'
import { credentials, EchoClient, Metadata, SERVING, ServerCredentials, startGrpcServer, status, type EchoHandlers, type GrpcServer } from '../support/grpc.ts'
import { CLEARTEXT, makePair, testContexts } from '../support/secure.ts'
import { routing, startProxy, type TestProxy, type TestProxyOptions } from '../support/test-proxy.ts'

const HOST = 'grpc.example'
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function server(handlers: Partial<EchoHandlers> = {}, port = 0, how?: ServerCredentials): Promise<GrpcServer> {
  const made = await startGrpcServer(handlers, how, port)
  ends.push(() => made.server.forceShutdown())
  return made
}

async function front(ports: readonly number[], options: TestProxyOptions = {}, protocol: BackendProtocol = H2C): Promise<TestProxy> {
  const config = routing([{ host: HOST, path: '/test.Echo', backend: 'web' }, { host: HOST, path: '/grpc.health.v1.Health', backend: 'web' }], { web: ports.map((port) => `127.0.0.1:${port}`) })
  const proxy = await startProxy(spoken(config, protocol), { http2: CLEARTEXT, ...options })
  ends.push(() => proxy.proxy.close())
  return proxy
}

function client(proxy: TestProxy): EchoClient {
  const made = new EchoClient(`127.0.0.1:${proxy.port}`, credentials.createInsecure(), { 'grpc.default_authority': HOST })
  ends.push(() => made.close())
  return made
}

describe('the kinds of calls', () => {
  test('unary, with metadata both ways, binary too', async () => {
    const asking = client(await front([(await server()).port]))
    const metadata = new Metadata()
    metadata.set('x-text', 'some text')
    metadata.set('x-bytes-bin', Buffer.from([0, 255, 10, 13]))
    const { error, value, trailers } = await asking.unary(Buffer.from('hello'), metadata)
    expect([error, value?.toString()]).toEqual([undefined, 'hello'])
    expect(trailers.get('seen-x-text')).toEqual(['some text'])
    expect(trailers.get('seen-x-bytes-bin')).toEqual([Buffer.from([0, 255, 10, 13])])
  })

  test('client, server and bidirectional streaming', async () => {
    const asking = client(await front([(await server()).port]))
    const collected = new Promise<string>((resolve, reject) => {
      const call = asking.collect((error, value) => (error === null ? resolve(String(value)) : reject(error)))
      for (const word of ['a', 'b', 'c']) call.write(Buffer.from(word))
      call.end()
    })
    expect(await collected).toBe('abc')
    const repeated: string[] = []
    for await (const part of asking.repeat(Buffer.from('xyz'))) repeated.push(String(part))
    expect(repeated).toEqual(['x', 'y', 'z'])
    const talk = asking.talk()
    const answers = talk[Symbol.asyncIterator]()
    // One after the other: nothing of a stream waits for its end.
    for (const word of ['one', 'two', 'three']) {
      talk.write(Buffer.from(word))
      expect(String((await answers.next()).value)).toBe(word)
    }
    talk.end()
    expect((await answers.next()).done).toBe(true)
  })

  test('large messages', async () => {
    const proxy = await front([(await server()).port], { limits: { bodyBytes: 0 } })
    const message = Buffer.from(Array.from({ length: 8_000_000 }, (_, i) => i % 253))
    const { error, value } = await client(proxy).unary(message)
    expect(error).toBeUndefined()
    expect(value?.equals(message)).toBe(true)
  })

  test('the health service', async () => {
    expect((await client(await front([(await server()).port])).health()).value).toEqual(SERVING)
  })

  test('over TLS on both sides', async () => {
    const pair = makePair('backend.example')
    const { port } = await server({}, 0, ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(pair.certificate), private_key: Buffer.from(pair.privateKey) }]))
    const own = makePair(HOST)
    const proxy = await front([port], { contexts: testContexts(own) }, overTls({ verify: { ca: { certificates: pair.certificate }, depth: 0 }, sendName: true }, { version: 2 }))
    const asking = new EchoClient(`127.0.0.1:${proxy.port}`, credentials.createSsl(Buffer.from(own.certificate)), { 'grpc.default_authority': HOST, 'grpc.ssl_target_name_override': HOST })
    ends.push(() => asking.close())
    const { error, value } = await asking.unary(Buffer.from('hello'))
    expect([error, value?.toString()]).toEqual([undefined, 'hello'])
    expect(proxy.records[0]).toMatchObject({ tls: true, protocol: '2', status: 200 })
  })
})

describe('errors', () => {
  test('of the service are its own, with their metadata: trailers-only and behind messages', async () => {
    const { port } = await server({
      Unary: (_call, answer) => {
        const metadata = new Metadata()
        metadata.set('reason-bin', Buffer.from([1, 2]))
        answer({ code: status.FAILED_PRECONDITION, details: 'not so % ü', metadata })
      },
      Repeat: (call) => {
        call.write(Buffer.from('first'))
        call.emit('error', { code: status.DATA_LOSS, details: 'gone' })
      },
    })
    const asking = client(await front([port]))
    const { error } = await asking.unary(Buffer.from('x'))
    expect([error?.code, error?.details, error?.metadata.get('reason-bin')]).toEqual([status.FAILED_PRECONDITION, 'not so % ü', [Buffer.from([1, 2])]])
    const parts: string[] = []
    const call = asking.repeat(Buffer.from('x')).on('data', (part: Buffer) => parts.push(String(part)))
    const [failure] = await once(call, 'error')
    expect([parts, failure.code, failure.details]).toEqual([['first'], status.DATA_LOSS, 'gone'])
  })

  test('of ours are in words of gRPC', async () => {
    const { port } = await server()
    const proxy = await front([port])
    const none = await front([])
    const dead = await front([1])
    expect((await client(none).unary(Buffer.from('x'))).error).toMatchObject({ code: status.UNAVAILABLE, details: 'The backend has no ready endpoint.' })
    expect((await client(dead).unary(Buffer.from('x'))).error).toMatchObject({ code: status.UNAVAILABLE, details: 'The backend could not be reached.' })
    const elsewhere = new EchoClient(`127.0.0.1:${proxy.port}`, credentials.createInsecure(), { 'grpc.default_authority': 'else.example' })
    ends.push(() => elsewhere.close())
    expect((await elsewhere.unary(Buffer.from('x'))).error).toMatchObject({ code: status.UNIMPLEMENTED, details: 'No route takes this host and path.' })
    expect(none.records[0]).toMatchObject({ status: 200, failure: 'no-endpoints' })
  })

  test('too slow a service is UNAVAILABLE, as the specification reads 504', async () => {
    const { port } = await server({ Unary: () => undefined })
    const { error } = await client(await front([port], { timeouts: { read: 200 } })).unary(Buffer.from('x'))
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'The backend did not answer in time.' })
  })
})

describe('cancellation', () => {
  test('a deadline of the client ends the call at the service', async () => {
    let cancelled = 0
    const { port } = await server({ Unary: (call) => void call.on('cancelled', () => cancelled++) })
    const asking = client(await front([port]))
    expect((await asking.unary(Buffer.from('x'), new Metadata(), 200)).error?.code).toBe(status.DEADLINE_EXCEEDED)
    await eventually(async () => cancelled, (count) => count === 1)
  })

  test('a client that cancels, or goes, ends its stream alone', async () => {
    let cancelled = 0
    const { port } = await server({ Talk: (call) => void call.on('cancelled', () => cancelled++).on('data', (part) => call.write(part)) })
    const proxy = await front([port])
    const asking = client(proxy)
    const [stays, goes] = [asking.talk(), asking.talk()]
    for (const call of [stays, goes]) call.on('error', () => undefined).write(Buffer.from('x'))
    await Promise.all([once(stays, 'data'), once(goes, 'data')])
    goes.cancel()
    await eventually(async () => cancelled, (count) => count === 1)
    stays.write(Buffer.from('y'))
    expect(String((await once(stays, 'data'))[0])).toBe('y')
    expect(proxy.proxy.connections().upstream).toBe(1)
  })

  test('a service that goes is UNAVAILABLE to the calls that it had, and one that resets says why', async () => {
    const { port, server: grpc } = await server({ Talk: (call) => void call.write(Buffer.from('begun')) })
    const asking = client(await front([port]))
    const call = asking.talk()
    const failed = once(call, 'error')
    await once(call, 'data')
    grpc.forceShutdown()
    const [error] = await failed
    expect([status.UNAVAILABLE, status.INTERNAL, status.CANCELLED]).toContain(error.code)
  })
})

test('many calls at once share few connections', async () => {
  const { port } = await server()
  const proxy = await front([port])
  const asking = client(proxy)
  const outcomes = await Promise.all(Array.from({ length: 300 }, (_, i) => asking.unary(Buffer.from(String(i)))))
  expect(outcomes.map(({ value }) => String(value))).toEqual(Array.from({ length: 300 }, (_, i) => String(i)))
  expect(proxy.proxy.connections().clients).toBe(1)
  expect(proxy.proxy.connections().upstream).toBeLessThanOrEqual(4)
})

test('calls of one connection are balanced over the endpoints', async () => {
  const servers = await Promise.all([server(), server(), server()])
  const asking = client(await front(servers.map(({ port }) => port)))
  for (let i = 0; i < 30; i++) expect((await asking.unary(Buffer.from('x'))).error).toBeUndefined()
  expect(servers.map(({ calls }) => calls.length)).toEqual([10, 10, 10])
})

test('a service that shuts down in good order under load loses no call', async () => {
  const handlers: Partial<EchoHandlers> = { Unary: ({ request }, answer) => void setTimeout(() => answer(null, request), 5) }
  const servers = await Promise.all([server(handlers), server(handlers), server(handlers)])
  const proxy = await front(servers.map(({ port }) => port))
  const asking = client(proxy)
  const errors: unknown[] = []
  let done = 0
  const over = { yet: false }
  const callers = Array.from({ length: 20 }, async () => {
    while (!over.yet) {
      const { error } = await asking.unary(Buffer.from('x'))
      if (error !== undefined) errors.push(`${error.code} ${error.details}`)
      done++
    }
  })
  for (const { server: grpc } of servers.slice(0, 2)) {
    const before = done
    await eventually(async () => done, (count) => count > before + 200)
    await new Promise<void>((resolve) => grpc.tryShutdown(() => resolve()))
  }
  const before = done
  await eventually(async () => done, (count) => count > before + 200)
  over.yet = true
  await Promise.all(callers)
  expect(errors).toEqual([])
})

test('services that die without a word leave no call hanging, and are used again when they are back', async () => {
  const ports: number[] = []
  let servers: readonly GrpcServer[] = await Promise.all([server(), server()])
  ports.push(...servers.map(({ port }) => port))
  const proxy = await front(ports, { health: { firstEjection: 100, longestEjection: 200 } })
  const asking = client(proxy)
  const codes = new Map<number, number>()
  const over = { yet: false }
  let done = 0
  const callers = Array.from({ length: 10 }, async () => {
    while (!over.yet) {
      const { error } = await asking.unary(Buffer.from('x'))
      codes.set(error?.code ?? status.OK, (codes.get(error?.code ?? status.OK) ?? 0) + 1)
      done++
    }
  })
  for (let round = 0; round < 6; round++) {
    const before = done
    await eventually(async () => done, (count) => count > before + 50)
    const index = round % 2
    servers[index]?.server.forceShutdown()
    const back = await server({}, ports[index])
    servers = servers.map((each, i) => (i === index ? back : each))
  }
  const calls = servers.map(({ calls: { length } }) => length)
  await eventually(async () => servers.every(({ calls: { length } }, i) => length > (calls[i] ?? 0) + 5), Boolean)
  over.yet = true
  await Promise.all(callers)
  expect([...codes.keys()].filter((code) => code !== status.OK && code !== status.UNAVAILABLE && code !== status.INTERNAL && code !== status.CANCELLED)).toEqual([])
  expect((codes.get(status.OK) ?? 0) > 300).toBe(true)
  expect(proxy.proxy.connections().upstream).toBeLessThanOrEqual(4)
})
