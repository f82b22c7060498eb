// Whom the proxy believes where a request comes from: nobody, unless told so.
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { addressList } from '../../src/base/address-list.ts'
import { NO_POLICY } from '../../src/model/policy.ts'
import { clientAddress } from '../../src/proxy/trusted-proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream, type UpstreamRequest } from '../support/scripted-upstream.ts'
import { routing, startProxy, type SettingsOverrides, type TestProxy } from '../support/test-proxy.ts'

const LOOPBACK = { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', '2001:db8:1::/48'], forwardedForField: 'x-forwarded-for', fullForwardedFor: false, proxyProtocol: undefined }

let upstream: ScriptedUpstream
let proxy: TestProxy
let client: RawClient

async function start(settings: SettingsOverrides = { client: LOOPBACK }): Promise<void> {
  upstream = await ScriptedUpstream.start()
  const redirecting = { ...NO_POLICY, tlsRedirect: { status: 308 as const } }
  const config = routing([{ host: 'secure', backend: 'web', policy: redirecting }, { host: '*', backend: 'web' }], { web: [`127.0.0.1:${upstream.port}`] })
  proxy = await startProxy(config, settings)
  client = await RawClient.connect(proxy.port)
}

afterEach(async () => {
  client.close()
  proxy.proxy.close()
  await upstream.stop()
})

async function forwarded(fields: string): Promise<UpstreamRequest> {
  client.send(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)
  expect((await client.response()).status).toBe(200)
  const request = upstream.requests.at(-1)
  if (request === undefined) throw new Error('nothing reached the backend')
  return request
}

const NAMES = ['host', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto', 'x-forwarded-scheme', 'x-scheme', 'x-original-forwarded-for', 'x-original-forwarded-host']
const told = (request: UpstreamRequest) => NAMES.map((name) => request.field(name))

describe('a trusted proxy', () => {
  it('names the client, the host, the port and the scheme that it was asked with', async () => {
    await start()
    const request = await forwarded('X-Forwarded-For: 198.51.100.7, 10.1.1.1\r\nX-Forwarded-Host: shop.example:8443, other\r\nX-Forwarded-Port: 8443\r\nX-Forwarded-Proto: https\r\n')
    expect(told(request)).toEqual([
      'shop.example:8443', '198.51.100.7', '198.51.100.7', 'shop.example:8443', '8443', 'https', 'https', 'https',
      '198.51.100.7, 10.1.1.1', 'shop.example:8443, other',
    ])
    expect(NAMES.map((name) => request.count(name))).toEqual(NAMES.map(() => 1))
    expect((await proxy.recorded(() => true)).clientAddress).toBe('198.51.100.7')
  })

  it('that says nothing is a client', async () => {
    await start()
    expect(told(await forwarded(''))).toEqual(['a', '127.0.0.1', '127.0.0.1', 'a', String(proxy.port), 'http', 'http', 'http', undefined, undefined])
  })

  it('that asked with https is taken to have asked on 443 where it does not say', async () => {
    await start()
    expect((await forwarded('X-Forwarded-Proto: HTTPS\r\n')).field('x-forwarded-port')).toBe('443')
  })

  it('is not followed where it makes no sense', async () => {
    await start()
    const plain = ['a', '127.0.0.1', '127.0.0.1', 'a', String(proxy.port), 'http', 'http', 'http']
    for (const fields of [
      'X-Forwarded-For: unknown\r\nX-Forwarded-Host: a b\r\nX-Forwarded-Port: 0\r\nX-Forwarded-Proto: ftp\r\n',
      'X-Forwarded-For: \r\nX-Forwarded-Host: , shop\r\nX-Forwarded-Port: 65536\r\nX-Forwarded-Proto: https, http\r\n',
      'X-Forwarded-For: 198.51.100.7, <script>\r\nX-Forwarded-Host: u@shop\r\nX-Forwarded-Port: 80x\r\n',
      'X-Forwarded-Port: 81\r\nX-Forwarded-Port: 82\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n',
    ]) {
      expect(told(await forwarded(fields)).slice(0, 8)).toEqual(plain)
    }
  })

  it('serves many clients over one connection', async () => {
    await start()
    for (const address of ['198.51.100.1', '198.51.100.2', '2001:db8::5']) {
      expect((await forwarded(`X-Forwarded-For: ${address}\r\n`)).field('x-real-ip')).toBe(address)
    }
    expect((await forwarded('')).field('x-real-ip')).toBe('127.0.0.1')
  })

  it('can have its own address added to the chain', async () => {
    await start({ client: { ...LOOPBACK, fullForwardedFor: true } })
    const request = await forwarded('X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n')
    expect(told(request).slice(1, 3)).toEqual(['198.51.100.7', '192.0.2.1, 198.51.100.7, 127.0.0.1'])
    expect((await forwarded('')).field('x-forwarded-for')).toBe('127.0.0.1')
  })

  it('may name the client in another field', async () => {
    await start({ client: { ...LOOPBACK, forwardedForField: 'cf-connecting-ip' } })
    const request = await forwarded('CF-Connecting-IP: 198.51.100.7\r\nX-Forwarded-For: 192.0.2.1\r\n')
    expect(told(request).slice(1, 3)).toEqual(['198.51.100.7', '198.51.100.7'])
    expect(request.field('cf-connecting-ip')).toBe('198.51.100.7')
  })

  it('may name the client in X-Real-IP', async () => {
    await start({ client: { ...LOOPBACK, forwardedForField: 'x-real-ip' } })
    expect(told(await forwarded('X-Real-IP: 198.51.100.7\r\nX-Forwarded-For: 192.0.2.1\r\n')).slice(1, 3)).toEqual(['198.51.100.7', '198.51.100.7'])
    expect(told(await forwarded('X-Real-IP: 198.51.100.7\r\nX-Real-IP: 198.51.100.7\r\n')).slice(1, 3)).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('decides with its scheme and host about the redirect to https', async () => {
    await start()
    const ask = async (fields: string) => {
      client.send(`GET /x HTTP/1.1\r\nHost: secure\r\n${fields}\r\n`)
      const response = await client.response()
      return [response.status, response.field('location')]
    }
    expect(await ask('X-Forwarded-Proto: https\r\n')).toEqual([200, undefined])
    expect(await ask('X-Forwarded-Proto: http\r\n')).toEqual([308, 'https://secure/x'])
    expect(await ask('X-Forwarded-Host: shop.example\r\n')).toEqual([308, 'https://shop.example/x'])
    expect(await ask('X-Forwarded-Host: evil.example/\r\n')).toEqual([308, 'https://secure/x'])
  })

  it('does not choose the route', async () => {
    await start()
    client.send('GET /x HTTP/1.1\r\nHost: secure\r\nX-Forwarded-Host: open\r\n\r\n')
    expect((await client.response()).status).toBe(308)
  })
})

it('a client of a dual-stack socket has its IPv4 address, trusted or not', async () => {
  await start()
  const { port } = await proxy.proxy.listen({ port: 0, address: '::ffff:127.0.0.1', tls: false, reusePort: false })
  const other = await RawClient.connect(port)
  other.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await other.response()
  expect(upstream.requests.at(-1)?.field('x-real-ip')).toBe('127.0.0.1')
  other.send('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n')
  await other.response()
  expect(upstream.requests.at(-1)?.field('x-real-ip')).toBe('198.51.100.7')
  other.close()
})

describe('S16 anybody else', () => {
  const OTHERS = { client: { ...LOOPBACK, trustedProxies: ['10.0.0.0/8', '::/0'] } }
  const SPOOFED = 'X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 10.0.0.1\r\n'

  it('says what it likes in vain', async () => {
    await start(OTHERS)
    expect(told(await forwarded(SPOOFED))).toEqual(['a', '127.0.0.1', '127.0.0.1', 'a', String(proxy.port), 'http', 'http', 'http', '10.0.0.1', 'evil'])
    expect((await proxy.recorded(() => true)).clientAddress).toBe('127.0.0.1')
    client.send(`GET /x HTTP/1.1\r\nHost: secure\r\n${SPOOFED}\r\n`)
    expect((await client.response()).field('location')).toBe('https://secure/x')
  })

  it('does not get the field that trusted proxies use through to the backend', async () => {
    await start({ client: { ...OTHERS.client, forwardedForField: 'cf-connecting-ip' } })
    const request = await forwarded('X-A: 1\r\nCF-Connecting-IP: 10.0.0.1\r\nX-B: 2\r\n')
    expect([request.count('cf-connecting-ip'), request.field('x-a'), request.field('x-b')]).toEqual([0, '1', '2'])
  })

  it('has its address replace the chain even where chains are kept', async () => {
    await start({ client: { ...OTHERS.client, fullForwardedFor: true } })
    expect((await forwarded(SPOOFED)).field('x-forwarded-for')).toBe('127.0.0.1')
  })
})

describe('the client in a chain', () => {
  const trusted = addressList(LOOPBACK.trustedProxies)
  const find = (chain: string) => clientAddress(chain, '127.0.0.1', trusted)

  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['192.0.2.1, 198.51.100.7', '198.51.100.7'],
    ['192.0.2.1, 198.51.100.7, 10.0.0.1, 10.0.0.2', '198.51.100.7'],
    ['10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['192.0.2.1, evil, 10.0.0.2', '10.0.0.2'],
    ['192.0.2.1, evil', '127.0.0.1'],
    [',, 198.51.100.7 ,\t, 10.0.0.1,', '198.51.100.7'],
    [',', '127.0.0.1'],
    ['198.51.100.7:4711', '198.51.100.7'],
    ['[2001:db8::7]:4711, [2001:DB8:1::2]', '2001:db8::7'],
    ['2001:db8:0:0::7', '2001:db8::7'],
    ['::ffff:198.51.100.7, ::ffff:10.0.0.1', '198.51.100.7'],
    ['198.51.100.7:', '127.0.0.1'],
    ['fe80::1%eth0', '127.0.0.1'],
    ['for=198.51.100.7', '127.0.0.1'],
    ['198.51.100.7\xa0', '127.0.0.1'],
  ])('%s is %s', (chain, expected) => {
    expect(find(chain)).toBe(expected)
  })

  it('is the rightmost that is not trusted, whatever stands to its left', () => {
    const hop = fc.nat(255).map((n) => `10.0.0.${n}`)
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(hop, { maxLength: 20 }), (left, right) => {
        expect(find([...left, '198.51.100.7', ...right].join(', '))).toBe('198.51.100.7')
      }),
      { seed: 3 },
    )
  })

  it('is looked for in a chain of any length without going on for ever', () => {
    expect(find(Array.from({ length: 5000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join(','))).toBe('10.0.19.36')
  })
})
