// node:http2 on the other side, in either role: bodies, trailers, windows, resets, pings, going away.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, constants, createServer, type ClientHttp2Session, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Http2Stream } from '../../src/http/http2/stream.ts'
import { DEFAULT_HTTP2_SETTINGS } from '../../src/model/http2-settings.ts'
import { BODY, startAnswering, wires, type AnsweringServer } from './answering-server.ts'
import { startAsking, type AskingClient } from './asking-client.ts'

/** On a busy machine. */
const PATIENT = { timeout: 15_000 }

/** node:http2 as the client: one request. */
async function ask(session: ClientHttp2Session, headers: Record<string, string>, body?: Buffer): Promise<{ status: number; body: Buffer; trailers: Record<string, unknown> }> {
  const stream = session.request(headers, { endStream: body === undefined })
  let status = 0
  let trailers: Record<string, unknown> = {}
  stream.on('response', (fields) => (status = Number(fields[':status'])))
  stream.on('trailers', (fields) => (trailers = { ...fields }))
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  if (body !== undefined) stream.end(body)
  await once(stream, 'close')
  return { status, body: Buffer.concat(parts), trailers }
}

describe('our server role with node:http2 as client', () => {
  let server: AnsweringServer
  let session: ClientHttp2Session
  beforeAll(async () => {
    server = await startAnswering()
    session = connect(`http://127.0.0.1:${server.port}`)
  })
  afterAll(async () => {
    session.destroy()
    await server.close()
  })

  it('answers many requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(session, { ':path': `/${i}`, 'x-number': String(i), 'cookie': 'a=b' })))
    expect(answers.every(({ status, body }) => status === 200 && body.toString() === BODY)).toBe(true)
  })

  it('carries bodies both ways beyond every window', async () => {
    // Of all together node:http2 keeps less than 10 MB.
    const body = randomBytes(1_500_000)
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(session, { ':path': '/echo', ':method': 'POST' }, body)))
    for (const answer of answers) expect(answer.body.equals(body)).toBe(true)
  })

  it('carries trailers both ways', async () => {
    const stream = session.request({ ':path': '/trailers', ':method': 'POST' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }))
    const trailers = once(stream, 'trailers')
    stream.end('body')
    stream.resume()
    expect((await trailers)[0]).toMatchObject({ 'x-sum': '42', 'x-checksum': 'abc' })
    await once(stream, 'close')
  })

  it('answers pings', async () => {
    const payload = Buffer.from('12345678')
    const echoed = await new Promise((resolve, reject) => session.ping(payload, (error, _duration, bytes) => (error ? reject(error) : resolve(bytes))))
    expect(echoed).toEqual(payload)
  })

  it('goes on after the client has cancelled streams', async () => {
    for (let i = 0; i < 20; i++) {
      const stream = session.request({ ':path': '/large/10000000' })
      stream.on('error', () => undefined)
      await once(stream, 'data')
      stream.close(constants.NGHTTP2_CANCEL)
      await once(stream, 'close')
    }
    expect((await ask(session, { ':path': '/' })).status).toBe(200)
  })

  it('takes a smaller window in the middle of a body', async () => {
    const other = connect(`http://127.0.0.1:${server.port}`, { settings: { initialWindowSize: 1_000_000 } })
    const stream = other.request({ ':path': '/large/5000000' })
    let size = 0
    stream.on('data', (part: Buffer) => {
      if (size === 0) other.settings({ initialWindowSize: 1000 })
      size += part.length
    })
    await once(stream, 'end')
    expect(size).toBe(5_000_000)
    other.destroy()
  })

  it('goes away in two steps: what was on its way is answered', async () => {
    const other = connect(`http://127.0.0.1:${server.port}`)
    const goAways: number[] = []
    other.on('goaway', (code, lastId) => goAways.push(code, lastId))
    const closed = once(other, 'close')
    const stream = other.request({ ':path': '/large/2000000' })
    let size = 0
    stream.on('data', (part: Buffer) => {
      if (size === 0) for (const connection of server.connections) if (connection.streams > 0) connection.goAway()
      size += part.length
    })
    await once(stream, 'end')
    await closed
    expect(size).toBe(2_000_000)
    expect(goAways).toEqual([0, 2 ** 31 - 1, 0, 1])
  })
})

describe('our client role with node:http2 as server', () => {
  const shared = wires()
  let server: Http2Server
  let client: AskingClient
  let port = 0
  let onStream: (stream: ServerHttp2Stream) => void = () => undefined
  beforeAll(async () => {
    server = createServer({ settings: { maxConcurrentStreams: 10 } })
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined)
      onStream(stream)
    })
    server.on('sessionError', () => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })
  const dial = async (settings = DEFAULT_HTTP2_SETTINGS): Promise<AskingClient> => (client = await startAsking(port, settings, shared))
  afterEach(() => client.close())
  afterAll(async () => {
    shared.wheel.stop()
    await new Promise((resolve) => server.close(resolve))
  })

  it('gets answers with bodies, trailers and interim heads', async () => {
    onStream = (stream) => {
      stream.additionalHeaders({ ':status': 103, 'link': '</a>' })
      stream.respond({ ':status': 200, 'x-a': 'b' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end('hello')
    }
    await dial()
    const answer = await client.ask({ path: '/' })
    expect(answer).toMatchObject({ status: 200, interim: [103], body: 'hello', trailers: 'grpc-status: 0\r\n', code: -1 })
    expect(answer?.fields).toContain('x-a: b\r\n')
  })

  it('keeps to the number of streams that the server allows', async () => {
    const waiting: ServerHttp2Stream[] = []
    onStream = (stream) => void waiting.push(stream)
    await dial()
    await new Promise<void>((resolve) => (client.available = resolve))
    const answers = Array.from({ length: 12 }, () => client.ask({ path: '/' }))
    expect(answers.map((answer) => answer !== undefined)).toEqual([...Array.from({ length: 10 }, () => true), false, false])
    const freed = new Promise<void>((resolve) => (client.available = resolve))
    while (waiting.length < 10) await once(server, 'stream')
    waiting[0]?.respond({ ':status': 204 }, { endStream: true })
    expect((await answers[0])?.status).toBe(204)
    await freed
    expect(client.connection.available).toBe(true)
  })

  it('sends bodies beyond every window', async () => {
    onStream = (stream) => {
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    }
    await dial()
    const body = randomBytes(2_000_000)
    const answer = await client.ask({ method: 'POST', path: '/', body, fields: [['content-length', String(body.length)]] })
    expect(Buffer.from(answer?.body ?? '', 'latin1').equals(body)).toBe(true)
  })

  it('holds a response back while its reader is paused, and delivers it afterwards', async () => {
    let served = 0
    onStream = (stream) => {
      stream.respond({ ':status': 200 })
      stream.end(Buffer.alloc(1_000_000, 'z'), () => served++)
    }
    await dial()
    let pauses = 0
    const answer = await client.ask({ path: '/' }, (stream) => {
      if (++pauses > 20) return
      stream.pauseReading()
      setImmediate(() => stream.resumeReading())
    })
    expect(answer?.body.length).toBe(1_000_000)
    expect(served).toBe(1)
  })

  it('delivers a response that came in whole before the server stopped the request', async () => {
    onStream = (stream) => {
      stream.respond({ ':status': 200 })
      stream.end(Buffer.alloc(100_000, 'z'), () => stream.close(constants.NGHTTP2_NO_ERROR))
    }
    await dial()
    let paused: Http2Stream | undefined
    const answer = client.ask({ method: 'POST', path: '/', body: Buffer.from('and so on'), unfinished: true }, (stream) => {
      if (paused === undefined) stream.pauseReading()
      paused ??= stream
    })
    await expect.poll(() => paused?.closed, PATIENT).toBe(true)
    paused?.resumeReading()
    expect(await answer).toMatchObject({ status: 200, code: -1 })
    expect((await answer)?.body.length).toBe(100_000)
  })

  it('tells which streams the server did not act on when it goes away', async () => {
    onStream = (stream) => {
      if (stream.id === 1) {
        stream.session?.goaway(0, 1)
        stream.respond({ ':status': 200 })
        stream.end('first')
      }
    }
    await dial()
    const [first, second] = [client.ask({ path: '/' }), client.ask({ path: '/' })]
    expect(await second).toMatchObject({ code: constants.NGHTTP2_REFUSED_STREAM, unprocessed: true })
    expect(await first).toMatchObject({ body: 'first', code: -1 })
    expect(client.connection.usable).toBe(false)
    expect(client.ask({ path: '/' })).toBeUndefined()
    expect(await client.ended).toBe(0)
  })

  it('hears of a reset', async () => {
    onStream = (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    await dial()
    expect(await client.ask({ path: '/' })).toMatchObject({ code: 2, unprocessed: false })
  })

  it('takes a response to HEAD with a length and no body', async () => {
    onStream = (stream) => stream.respond({ ':status': 200, 'content-length': '5' }, { endStream: true })
    await dial()
    expect(await client.ask({ method: 'HEAD', path: '/' })).toMatchObject({ status: 200, code: -1 })
    expect(await client.ask({ path: '/' })).toMatchObject({ code: 1 })
  })
})
