// The corpus of malformed requests turned round: the same field lines and chunks in a response, which no client may get as whole.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { OK, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'
import { CORPUS } from './malformed-request-corpus.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
/** Requests that are refused for what responses may have, and the other way round. */
const NOT_MIRRORED: Readonly<Record<string, string>> = {
  F35: 'Expect is a field of requests',
}

const FIELDS = CORPUS.filter(([id, , , expected]) => /^[FLH]/.test(id) && expected !== 'N' && NOT_MIRRORED[id] === undefined)
const CHUNKS = CORPUS.filter(([id, , , expected]) => id.startsWith('K') && expected !== 'N' && NOT_MIRRORED[id] === undefined)

/** Fields and body of the request behind a status line. */
const mirrored = (bytes: string): string => bytes.replace(/^\S+ \S+ (HTTP\/1\.[01])/, '$1 200 OK')

let upstream: ScriptedUpstream
let proxy: TestProxy

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(toUpstream(upstream.port), { pool: { tries: 1 } })
})

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

/** Answers what a client got, once it is sure that the backend's connection serves nobody else. */
async function outcome(bytes: string): Promise<{ readonly client: RawClient; readonly before: number }> {
  const before = upstream.connections.length
  upstream.script = {
    // It stays open: to end it is the proxy's part.
    onRequest: ({ connection }) => void connection.socket.write(Buffer.from(bytes, 'latin1')),
  }
  const client = await RawClient.connect(proxy.port)
  client.send(GET)
  return { client, before }
}

async function servesOn(before: number): Promise<void> {
  await upstream.until(() => upstream.connections.slice(before).every((side) => side.closed || side.ended))
  upstream.script = { onRequest: ({ connection }) => connection.socket.end(OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')) }
  const next = await RawClient.connect(proxy.port)
  next.send(GET)
  expect((await next.response()).body).toBe('ok')
  next.close()
}

describe('field lines: 502', () => {
  it.each(FIELDS)('%s %s', async (_id, _what, bytes) => {
    const { client, before } = await outcome(mirrored(bytes))
    const response = await client.response()
    expect([response.status, response.field('transfer-encoding'), response.body.includes('hello')]).toEqual([502, undefined, false])
    client.close()
    await servesOn(before)
  })
})

describe('chunks: 502, or a response that is visibly cut', () => {
  it.each(CHUNKS)('%s %s', async (_id, _what, bytes) => {
    const { client, before } = await outcome(mirrored(bytes))
    const response = await client.response().catch(() => undefined)
    if (response !== undefined) expect(response.status).toBe(502)
    else expect(client.text()).not.toMatch(/\n0\r\n/)
    client.close()
    await servesOn(before)
  })
})

it('mirrors every case that is refused, but those that say why not', () => {
  expect([FIELDS.length, CHUNKS.length]).toEqual([70, 26])
})
