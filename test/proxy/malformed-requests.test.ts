// Every case of the corpus over a real socket, with a backend that records what reached it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream, type UpstreamRequest } from '../support/scripted-upstream.ts'
import { routing, startProxy, type TestProxy } from '../support/test-proxy.ts'
import { CORPUS, FURTHER, type Expectation } from './malformed-request-corpus.ts'

const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'te', 'upgrade', 'http2-settings', 'proxy']

let upstream: ScriptedUpstream
let proxy: TestProxy

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(routing(['a', 'b'].map((host) => ({ host, backend: 'web' })), { web: [`127.0.0.1:${upstream.port}`] }))
})

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

describe('a client that sends', () => {
  for (const [id, what, bytes, expected] of [...CORPUS, ...FURTHER]) {
    it(`${id} ${what}: ${meaning(expected)}`, async () => {
      const before = upstream.requests.length
      const connections = upstream.connections.length
      const client = await RawClient.connect(proxy.port)
      client.send(bytes)
      const response = await client.response(bytes.startsWith('HEAD'))
      if (expected === 'N') {
        expect(response.status).toBe(200)
        expect(upstream.requests.length).toBe(before + 1)
        framedOnce(upstream.requests.at(-1))
      } else {
        expect(response.status).toBe(expected === 'R' ? 400 : Number(expected))
        expect(response.field('connection')).toBe('close')
        await client.finished()
        expect(client.received.length).toBe(0)
        expect(upstream.requests.length).toBe(before)
        // Where the fault was in the body a backend may have seen the head: that connection is never used again.
        await upstream.until(() => upstream.connections.slice(connections).every((side) => side.ended || side.closed))
      }
      client.close()
    })
  }
})

it('covers the whole corpus', () => {
  expect(CORPUS.length).toBe(148)
})

function meaning(expected: Expectation): string {
  if (expected === 'N') return 'one request is forwarded'
  return expected === 'R' ? 'refused with 400' : `refused with ${expected}`
}

function framedOnce(request: UpstreamRequest | undefined): void {
  expect(request).toBeDefined()
  if (request === undefined) return
  expect(request.count('content-length') + request.count('transfer-encoding')).toBeLessThanOrEqual(1)
  expect(request.count('host')).toBe(1)
  expect(request.fields.filter(([name]) => HOP_BY_HOP.includes(name.toLowerCase()) || name.includes('_'))).toEqual([])
  expect(request.field('connection')).toBeUndefined()
  expect(request.target).not.toBe('/smuggled')
}
