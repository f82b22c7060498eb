// The ConfigMap of --configmap: what its keys set, what goes before it, what becomes of mistakes.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CONFIG_MAP_KEY, CONFIG_MAP_KEYS } from '../../src/config/config-map-keys.ts'
import { createConfigMapReader, type ConfigMapObject, type ConfigMapReading } from '../../src/config/config-map.ts'
import type { Config } from '../../src/config/options.ts'
import { parseConfig } from '../../src/config/parse.ts'

const of = (data: Readonly<Record<string, string>>, deleting = false): ConfigMapObject => ({ meta: { namespace: 'narthex', name: 'settings', uid: '1', deleting }, data })
const reader = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => createConfigMapReader(parseConfig('run', args, env), 'narthex/settings')
const read = (data: Readonly<Record<string, string>>, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): ConfigMapReading => reader(args, env)(of(data))
const said = ({ diagnostics }: ConfigMapReading): string[] => diagnostics.map(({ severity, reason, field }) => `${severity} ${reason} ${field}`)

describe('a key sets an option', () => {
  const cases: readonly (readonly [key: string, value: string, expected: Partial<Config>])[] = [
    ['load-balance', 'round_robin', { scheduler: 'rr' }],
    ['load-balance', 'ewma', { scheduler: 'ewma' }],
    ['load-balance', 'sed', { scheduler: 'sed' }],
    ['hsts', 'false', { hsts: false }],
    ['ssl-protocols', 'TLSv1.3', { sslProtocols: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } }],
    ['ssl-ciphers', 'ECDHE+AESGCM', { sslCiphers: 'ECDHE+AESGCM' }],
    ['ssl-prefer-server-ciphers', 'false', { sslPreferServerCiphers: false }],
    ['enable-ocsp', 'false', { ocspStapling: false }],
    ['hsts-max-age', '60', { hstsMaxAge: 60 }],
    ['hsts-include-subdomains', 'False', { hstsIncludeSubdomains: false }],
    ['hsts-preload', 'true', { hstsPreload: true }],
    ['ssl-redirect', 'false', { sslRedirect: false }],
    ['force-ssl-redirect', 'true', { forceSslRedirect: true }],
    ['http-redirect-code', '301', { httpRedirectCode: 301 }],
    ['no-tls-redirect-locations', '/a, /b', { noTlsRedirectLocations: ['/a', '/b'] }],
    ['proxy-real-ip-cidr', '10.0.0.0/8,192.0.2.1', { proxyRealIpCidr: ['10.0.0.0/8', '192.0.2.1'] }],
    ['compute-full-forwarded-for', 'true', { computeFullForwardedFor: true }],
    ['forwarded-for-header', 'CF-Connecting-IP', { forwardedForHeader: 'cf-connecting-ip' }],
    ['proxy-protocol-header-timeout', '2s', { proxyProtocolHeaderTimeout: 2000 }],
    ['client-header-timeout', '5', { requestHeadTimeout: 5000 }],
    ['client-body-timeout', '6', { requestBodyTimeout: 6000 }],
    ['keep-alive', '7', { keepAliveTimeout: 7000 }],
    ['keep-alive-requests', '8', { maxRequestsPerConnection: 8 }],
    ['proxy-body-size', '8m', { maxBody: 8 * 1024 ** 2 }],
    ['proxy-body-size', '0', { maxBody: 0 }],
    ['large-client-header-buffers', '8 16k', { maxRequestLine: 16_384, maxHead: 131_072 }],
    ['proxy-connect-timeout', '1', { connectTimeout: 1000 }],
    ['proxy-read-timeout', '2', { readTimeout: 2000 }],
    ['proxy-send-timeout', '3', { sendTimeout: 3000 }],
    ['proxy-next-upstream-tries', '2', { tries: 2 }],
    ['upstream-keepalive-connections', '16', { maxIdlePerEndpoint: 16 }],
    ['upstream-keepalive-time', '30m', { maxEndpointConnectionAge: 1_800_000 }],
    ['upstream-keepalive-requests', '100', { maxRequestsPerEndpointConnection: 100 }],
    ['upstream-keepalive-timeout', '9', { idleTimeout: 9000 }],
    ['proxy-stream-timeout', '30s', { streamIdleTimeout: 30_000, udpIdleTimeout: 30_000 }],
    ['server-tokens', 'false', { serverHeader: '' }],
    ['server-tokens', 'true', { serverHeader: 'narthex' }],
    ['use-http2', 'false', { http2: false }],
    ['http2-max-concurrent-streams', '16', { http2MaxStreams: 16 }],
    ['worker-shutdown-timeout', '10s', { drainTimeout: 10_000 }],
  ]
  it.each(cases)('%s: %s', (key, value, expected) => {
    const reading = read({ [key]: value })
    expect(said(reading)).toEqual([])
    expect(reading.config).toMatchObject(expected)
  })

  it('every one of them is tried above, or together with another below', () => {
    const tried = new Set([...cases.map(([key]) => key), 'use-forwarded-headers', 'use-proxy-protocol'])
    const setting = [...CONFIG_MAP_KEY.values()].filter(({ kind }) => kind === 'sets').map(({ key }) => key)
    expect(setting.filter((key) => !tried.has(key))).toEqual([])
  })

  it('no key is described twice', () => {
    expect(CONFIG_MAP_KEY.size).toBe(Object.values(CONFIG_MAP_KEYS).flat().length)
  })
})

describe('two keys that need each other', () => {
  it.each([
    ['use-forwarded-headers', 'useForwardedHeaders'],
    ['use-proxy-protocol', 'useProxyProtocol'],
  ] as const)('%s is refused where nobody is trusted', (key, option) => {
    const alone = read({ [key]: 'true', hsts: 'false' })
    expect(said(alone)).toEqual([`error SettingInvalid data[${key}]`])
    expect([alone.config[option], alone.config.hsts]).toEqual([false, false])
    const together = read({ [key]: 'true', 'proxy-real-ip-cidr': '10.0.0.0/8' })
    expect(said(together)).toEqual([])
    expect(together.config[option]).toBe(true)
    expect(read({ [key]: 'true' }, ['--proxy-real-ip-cidr=10.0.0.0/8']).config[option]).toBe(true)
  })
})

describe('what goes before it', () => {
  it('a flag, and a variable: the key is named', () => {
    for (const reading of [read({ 'proxy-body-size': '8m' }, ['--max-body=2m']), read({ 'proxy-body-size': '8m' }, [], { NARTHEX_MAX_BODY: '2m' })]) {
      expect(reading.config.maxBody).toBe(2 * 1024 ** 2)
      expect(said(reading)).toEqual(['warning SettingOverruled data[proxy-body-size]'])
    }
  })

  it('not a default', () => {
    expect(read({ 'proxy-body-size': '8m' }).config.maxBody).toBe(8 * 1024 ** 2)
  })
})

describe('mistakes', () => {
  it.each([
    ['load-balance', 'fastest'],
    ['hsts', 'yes'],
    ['ssl-protocols', 'TLSv1.1 TLSv1.3'],
    ['ssl-ciphers', 'NO-SUCH-CIPHER'],
    ['hsts-max-age', '-1'],
    ['http-redirect-code', '200'],
    ['no-tls-redirect-locations', 'a'],
    ['proxy-real-ip-cidr', '10.0.0.0/8 192.0.2.1'],
    ['forwarded-for-header', 'Host'],
    ['client-header-timeout', '0'],
    ['keep-alive', '75 s'],
    ['proxy-body-size', '1x'],
    ['large-client-header-buffers', '8k'],
    ['large-client-header-buffers', '4 8m'],
    ['large-client-header-buffers', '4 8k 1'],
    ['proxy-next-upstream-tries', '0'],
  ])('%s: %s leaves the default', (key, value) => {
    const reading = read({ [key]: value })
    expect(said(reading)).toEqual([`error SettingInvalid data[${key}]`])
    expect(reading.diagnostics[0]?.message).toMatch(/; its default holds\.$/)
    expect(reading.config).toEqual(parseConfig('run', [], {}).config)
  })

  it('a bad value in place of a good one leaves the good one, until the key goes', () => {
    const next = reader()
    expect(next(of({ 'proxy-body-size': '8m' })).config.maxBody).toBe(8 * 1024 ** 2)
    const bad = next(of({ 'proxy-body-size': 'much' }))
    expect(bad.config.maxBody).toBe(8 * 1024 ** 2)
    expect(bad.diagnostics[0]?.message).toBe('proxy-body-size wants a size such as 512, 8k or 1m, got "much"; the value before it stays.')
    expect(next(of({})).config.maxBody).toBe(1024 ** 2)
    expect(next(of({ 'proxy-body-size': 'much' })).config.maxBody).toBe(1024 ** 2)
  })

  it('an unknown key is named with the one that was meant', () => {
    const { diagnostics } = read({ 'proxy-bodysize': '8m' })
    expect(diagnostics[0]).toMatchObject({ severity: 'warning', reason: 'SettingUnknown', message: 'Narthex knows no key "proxy-bodysize" (did you mean proxy-body-size?); it is ignored.' })
  })

  it('what is not supported is a warning, a snippet an error, and a protection closes everything', () => {
    const ignored = read({ 'use-gzip': 'true', 'worker-processes': '4' })
    expect([said(ignored), ignored.closed]).toEqual([['warning SettingUnsupported data[use-gzip]', 'warning SettingUnsupported data[worker-processes]'], false])
    const refused = read({ 'http-snippet': 'more_set_headers "A: b";', 'allow-snippet-annotations': 'true' })
    expect([said(refused), refused.closed]).toEqual([['error SettingUnsupported data[allow-snippet-annotations]', 'error SettingUnsupported data[http-snippet]'], false])
    for (const key of ['whitelist-source-range', 'denylist-source-range', 'block-cidrs', 'block-user-agents', 'block-referers', 'global-auth-url', 'enable-modsecurity']) {
      const closing = read({ [key]: 'true' })
      expect([said(closing), closing.closed]).toEqual([[`error SettingUnsupported data[${key}]`], true])
    }
  })

  it('values that ask for nothing else say nothing', () => {
    const idle = { 'use-gzip': 'false', 'proxy-buffering': 'off', 'ssl-protocols': 'TLSv1.2 TLSv1.3', 'allow-snippet-annotations': 'false', 'block-cidrs': '', hsts: '', 'limit-rate': '0' }
    expect(said(read(idle))).toEqual([])
  })

  it('thousands of them are a bounded list', () => {
    const data = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key-${i}`, 'x'.repeat(20)]))
    expect(read(data).diagnostics.length).toBe(100)
  })
})

describe('there is none', () => {
  it('says so, and the options hold', () => {
    const { config, diagnostics } = reader(['--max-body=2m'])(undefined)
    expect([config.maxBody, diagnostics[0]?.reason, diagnostics[0]?.object.name]).toEqual([2 * 1024 ** 2, 'ConfigMapNotFound', 'settings'])
  })

  it('says nothing where none is asked for', () => {
    expect(createConfigMapReader(parseConfig('run', [], {}), '')(undefined).diagnostics).toEqual([])
  })

  it('is as if it were not there while it is being deleted', () => {
    const next = reader()
    next(of({ 'proxy-body-size': '8m' }))
    expect(next(of({ 'proxy-body-size': '8m' }, true)).config.maxBody).toBe(1024 ** 2)
  })
})

it('the configuration is the same object while it says the same', () => {
  const next = reader()
  const first = next(of({ 'proxy-body-size': '8m', 'no-tls-redirect-locations': '/a' }))
  expect(next(of({ 'proxy-body-size': '8192k', 'no-tls-redirect-locations': '/a', 'use-gzip': 'true' })).config).toBe(first.config)
})

it('never throws, and every option keeps a value of its kind, whatever the ConfigMap holds', () => {
  const key = fc.oneof(fc.constantFrom(...CONFIG_MAP_KEY.keys()), fc.string())
  const value = fc.oneof(fc.string(), fc.constantFrom('true', 'false', '0', '1', '60', '8k', '4 8k', '10.0.0.0/8', '/a,/b', '9'.repeat(40)))
  const base = parseConfig('run', [], {}).config
  const next = reader()
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 8 }), (data) => {
      const { config, diagnostics } = next(of(data))
      for (const [name, before] of Object.entries(base)) expect(typeof Reflect.get(config, name)).toBe(typeof before)
      for (const { message, fix } of diagnostics) expect([message, fix].every((text) => /^[^\n]+\.$/.test(text))).toBe(true)
    }),
    { seed: 4, numRuns: 2000 },
  )
})
