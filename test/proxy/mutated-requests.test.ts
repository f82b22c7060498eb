// The corpus, bent at random: whatever a client sends, what reaches the backend is well-formed, and nothing is left open behind it.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { routing, startProxy, type TestProxy } from '../support/test-proxy.ts'
import { CORPUS } from './malformed-request-corpus.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1200)
const AT_ONCE = 30

const PIECES = [
  '\r\n', '\n', '\r', ' ', '\t', ':', ',', ';', '0', '5', 'chunked', '\0', '\x80', '%2e', '/../', '_', 'Host: a\r\n', 'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n', 'Expect: 100-continue\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
]
const edit = fc.record({ at: fc.nat(500), remove: fc.nat(2), insert: fc.constantFrom(...PIECES) })
const mutated = fc.record({
  bytes: fc.constantFrom(...CORPUS.map(([, , bytes]) => bytes.slice(0, 400))),
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
  cut: fc.nat(500),
})

let upstream: ScriptedUpstream
let proxy: TestProxy

beforeAll(async () => {
  // The scripted upstream throws on anything that is not in canonical form.
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(routing([{ host: '*', backend: 'web' }], { web: [`127.0.0.1:${upstream.port}`] }))
})

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

it('forwards well-formed requests or none, and answers or waits', { timeout: 60_000 + RUNS * 10 }, async () => {
  const cases = fc.sample(mutated, { seed: 8, numRuns: RUNS })
  for (let first = 0; first < cases.length; first += AT_ONCE) {
    await Promise.all(
      cases.slice(first, first + AT_ONCE).map(async ({ bytes, edits, cut }) => {
        let text = bytes
        for (const { at, remove, insert } of edits) text = text.slice(0, at % (text.length + 1)) + insert + text.slice((at % (text.length + 1)) + remove)
        const client = await RawClient.connect(proxy.port)
        client.send(text.slice(0, cut))
        await new Promise((resolve) => setImmediate(resolve))
        client.send(text.slice(cut))
        const leave = setTimeout(() => client.close(), 60)
        const status = await client.response(text.startsWith('HEAD ')).then(
          (response) => response.status,
          () => 0,
        )
        expect([0, 100, 200, 400, 405, 413, 414, 417, 431]).toContain(status)
        clearTimeout(leave)
        client.close()
      }),
    )
  }
  while (proxy.proxy.connections().clients > 0) await new Promise((resolve) => setImmediate(resolve))
  const { upstream: open, idleUpstream } = proxy.proxy.connections()
  expect(open).toBe(idleUpstream)
})
