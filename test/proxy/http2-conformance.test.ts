// The corpora that the codec is held against, now against the whole proxy, with TLS and without, a backend of HTTP/1.1 behind it.
import { createServer } from 'node:http'
import { afterAll, describe, expect, it } from 'vitest'
import { judge } from '../http2/judge.ts'
import { CLEARTEXT, makePair, testContexts } from '../support/secure.ts'
import { startProxy, toUpstream } from '../support/test-proxy.ts'

const upstream = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    if (request.url !== '/hang') response.end('x'.repeat(120))
  })
})
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
const address = upstream.address()
const config = toUpstream(typeof address === 'object' && address !== null ? address.port : 0)

const limits = { bodyBytes: 0, requestsPerConnection: 0 }
const cleartext = await startProxy(config, { http2: CLEARTEXT, limits })
const secure = await startProxy(config, { contexts: testContexts(makePair('a')), limits })

afterAll(() => {
  cleartext.proxy.close()
  secure.proxy.close()
  upstream.closeAllConnections()
  upstream.close()
})

const suites = [
  ['conformance in cleartext', await judge('conformance', cleartext.port, 'a', 'both')],
  ['conformance over TLS', await judge('conformance', secure.port, 'a', 'tls')],
  ['abuse in cleartext', await judge('abuse', cleartext.port, 'a')],
] as const

for (const [suite, verdicts] of suites) {
  describe(suite, () => {
    for (const { name, problem } of verdicts) it(name, () => expect(problem).toBe(''))
  })
}
