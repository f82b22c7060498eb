// Strict-Transport-Security: on every answer over TLS, ours and the backend's; on plain HTTP only what the backend says.
import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { createContexts } from '../../src/http/tls/contexts.ts'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'
import { ticketKeysAt } from '../../src/http/tls/ticket-keys.ts'
import { certificateLookup } from '../../src/runtime/certificate-lookup.ts'
import { EMPTY_TABLE } from '../../src/table/table.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { startProxy, toUpstream, type TestProxy } from '../support/test-proxy.ts'

let upstream: ScriptedUpstream
const proxies: Record<string, TestProxy> = {}

beforeAll(async () => {
  upstream = await ScriptedUpstream.start({
    onRequest: ({ connection }) => connection.socket.write('HTTP/1.1 200 OK\r\nstrict-transport-security: max-age=1\r\nContent-Length: 2\r\n\r\nok'),
  })
  const contexts = createContexts({
    lookup: certificateLookup(() => EMPTY_TABLE),
    defaultCertificate: await createDefaultCertificate(),
    ticketKeys: ticketKeysAt(Buffer.alloc(32), 0),
    log: silentLog,
  })
  const config = toUpstream(upstream.port)
  proxies['tls'] = await startProxy(config, { contexts })
  proxies['own'] = await startProxy(config, { contexts, hsts: 'max-age=5; preload' })
  proxies['off'] = await startProxy(config, { contexts, hsts: '' })
  proxies['plain'] = await startProxy(config)
})

afterAll(async () => {
  for (const { proxy } of Object.values(proxies)) proxy.close()
  await upstream.stop()
})

async function ask(name: string, host: string): Promise<readonly string[]> {
  const port = proxies[name]?.port ?? 0
  let client: RawClient
  if (name === 'plain') client = await RawClient.connect(port)
  else {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    client = new RawClient(socket)
  }
  client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Proto: https\r\n\r\n`)
  const { fields } = await client.response()
  client.close()
  return fields.filter(([field]) => field.toLowerCase() === 'strict-transport-security').map(([, value]) => value)
}

const DEFAULT = 'max-age=31536000; includeSubDomains'

test.each([
  ['tls', 'a', [DEFAULT]],
  ['tls', 'nowhere', [DEFAULT]],
  ['own', 'a', ['max-age=5; preload']],
  ['off', 'a', ['max-age=1']],
  ['off', 'nowhere', []],
  ['plain', 'a', ['max-age=1']],
  ['plain', 'nowhere', []],
] as const)('%s, host %s: %j', async (name, host, expected) => {
  expect(await ask(name, host)).toEqual(expected)
})
