// Sessions that stay with their endpoint, over real sockets: by the client's address, and by a cookie that curl keeps in its jar.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import type { CookieAffinity } from '../../src/model/policy.ts'
import type { Backend, RoutingConfig } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { fetchHost } from '../support/fetch-host.ts'
import { routing, startProxy, type TestProxy, type TestProxyOptions } from '../support/test-proxy.ts'

const exec = promisify(execFile)
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close()
})

interface Upstream {
  /** `127.0.0.1:port`, which is also what it answers. */
  readonly id: string
  stop(): Promise<void>
}

async function upstream(): Promise<Upstream> {
  const server = createServer((_, response) => response.end(id)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const id = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  closers.push(() => void server.close(), () => server.closeAllConnections())
  return { id, stop }
}

const upstreams = (count: number): Promise<Upstream[]> => Promise.all(Array.from({ length: count }, upstream))

function sticky(ids: readonly Pick<Upstream, 'id'>[], fields: Partial<Backend>, affinity?: CookieAffinity): RoutingConfig {
  const config = routing([{ host: 'a', backend: 'web', ...(affinity !== undefined && { policy: { affinity } }) }], { web: ids.map(({ id }) => id) })
  return { ...config, backends: new Map([...config.backends].map(([id, backend]) => [id, { ...backend, ...fields }])) }
}

async function start(config: RoutingConfig, options: TestProxyOptions = {}): Promise<TestProxy> {
  const proxy = await startProxy(config, options)
  closers.push(() => proxy.proxy.close())
  return proxy
}

describe('sessionAffinity ClientIP', () => {
  const TRUSTING: TestProxyOptions = { client: { ...DEFAULT_SETTINGS.client, trustedProxies: ['127.0.0.1'] } }
  const from = async ({ port }: TestProxy, client: string): Promise<string> => (await fetchHost({ port, host: 'a', headers: { 'x-forwarded-for': client } })).body
  const clients = Array.from({ length: 12 }, (_, i) => `198.51.100.${i}`)

  test('leads each client to the endpoint it had, whatever the others do', async () => {
    const proxy = await start(sticky(await upstreams(3), { affinitySeconds: 60 }), TRUSTING)
    const first = await Promise.all(clients.map((client) => from(proxy, client)))
    expect(new Set(first).size).toBe(3)
    for (let round = 0; round < 3; round++) expect(await Promise.all(clients.map((client) => from(proxy, client)))).toEqual(first)
  })

  test('is of who asks, not of the proxy in front, nor of what a stranger claims', async () => {
    const proxy = await start(sticky(await upstreams(3), { affinitySeconds: 60 }))
    const answers = await Promise.all(clients.map((client) => from(proxy, client)))
    expect(new Set(answers).size).toBe(1)
  })

  test('moves the clients of an endpoint that leaves, and no others', async () => {
    const all = await upstreams(3)
    const proxy = await start(sticky(all, { affinitySeconds: 60 }), TRUSTING)
    const before = await Promise.all(clients.map((client) => from(proxy, client)))
    const [gone, ...left] = all
    proxy.route(sticky(left, { affinitySeconds: 60 }))
    const after = await Promise.all(clients.map((client) => from(proxy, client)))
    expect(after.map((endpoint, i) => endpoint === before[i])).toEqual(before.map((endpoint) => endpoint !== gone?.id))
    proxy.route(sticky(all, { affinitySeconds: 60 }))
    expect(await Promise.all(clients.map((client) => from(proxy, client)))).toEqual(after)
  })

  test('ends when the client stays away for longer than the timeout', async () => {
    const clock = fakeClock(1_700_000_000_000)
    const proxy = await start(sticky(await upstreams(2), { affinitySeconds: 60 }), { ...TRUSTING, clock })
    const first = await from(proxy, '198.51.100.1')
    await clock.advance(59_000)
    expect(await from(proxy, '198.51.100.1')).toBe(first)
    await clock.advance(59_000)
    expect(await from(proxy, '198.51.100.1')).toBe(first)
    await clock.advance(61_000)
    expect(await from(proxy, '198.51.100.1')).not.toBe(first)
  })

  test('tries another endpoint when that of the client takes no connection', async () => {
    const all = await upstreams(2)
    const proxy = await start(sticky(all, { affinitySeconds: 60 }), TRUSTING)
    const first = await from(proxy, '198.51.100.1')
    await all.find(({ id }) => id === first)?.stop()
    expect(await from(proxy, '198.51.100.1')).toBe(all.find(({ id }) => id !== first)?.id)
  })

  test('counts for a scheduler that counts', async () => {
    const proxy = await start(sticky(await upstreams(3), { affinitySeconds: 60, scheduler: 'lc' }), TRUSTING)
    const first = await Promise.all(clients.map((client) => from(proxy, client)))
    expect(await Promise.all(clients.map((client) => from(proxy, client)))).toEqual(first)
  })
})

const COOKIE: CookieAffinity = { mode: 'persistent', name: 'route', path: '/' }
const UID = '5f0c1c5e-9a3b-4c7e-8f57-3f1d2b7a9c11'

/** One visitor: curl with a cookie jar. */
function visitor({ port }: TestProxy) {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-jar-'))
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const jar = join(folder, 'jar')
  return {
    async ask(...args: string[]): Promise<{ readonly body: string; readonly setCookie: string | undefined }> {
      const { stdout } = await exec('curl', ['-sS', '-i', '-c', jar, '-b', jar, '--resolve', `a:${port}:127.0.0.1`, ...args, `http://a:${port}/`])
      const [head = '', body = ''] = stdout.split('\r\n\r\n')
      return { body, setCookie: /^set-cookie: (.*)$/im.exec(head)?.[1]?.trim() }
    },
    /** The value of the cookie, or another one in its place. */
    value: () => /route\t(\S*)/.exec(readFileSync(jar, 'utf8'))?.[1] ?? '',
    replace: (value: string) => writeFileSync(jar, readFileSync(jar, 'utf8').replace(/route\t\S*/, `route\t${value}`)),
  }
}

describe.each(['persistent', 'balanced'] as const)('a %s session cookie', (mode) => {
  const affinity: CookieAffinity = { ...COOKIE, mode }

  test('is set once and leads back to its endpoint', async () => {
    const proxy = await start(sticky(await upstreams(3), { serviceUid: UID }, affinity))
    for (let i = 0; i < 4; i++) {
      const { ask } = visitor(proxy)
      const first = await ask()
      expect(first.setCookie).toMatch(/^route=[\w.-]+; Path=\/; HttpOnly$/)
      for (let j = 0; j < 4; j++) expect(await ask()).toEqual({ body: first.body, setCookie: undefined })
    }
  })

  test('that was bent, forged or belongs to another Service begins a new session', async () => {
    const all = await upstreams(2)
    const proxy = await start(sticky(all, { serviceUid: UID }, affinity))
    const { ask, value, replace } = visitor(proxy)
    await ask()
    const good = value()
    const bent = `${good.slice(0, -2)}${good.endsWith('xx') ? 'yy' : 'xx'}`
    for (const forged of [bent, '', 'x', all[0]?.id ?? '', 'x'.repeat(3000), `${good}x`, 'a.b', '%00', '.']) {
      replace(good)
      expect((await ask()).setCookie).toBeUndefined()
      replace(forged)
      expect((await ask()).setCookie, forged).toMatch(/^route=/)
    }
    replace(good)
    proxy.route(sticky(all, { serviceUid: 'another' }, affinity))
    expect((await ask()).setCookie).toMatch(/^route=/)
  })

  test('says nothing of where the endpoint is', async () => {
    const [one] = await upstreams(1)
    const proxy = await start(sticky(one === undefined ? [] : [one], { serviceUid: UID }, affinity))
    const { ask, value } = visitor(proxy)
    await ask()
    expect(`${value()} ${Buffer.from(value(), 'base64url').toString('latin1')}`).not.toMatch(/127|0\.0/)
  })

  test('whose endpoint is gone gets another, with a new cookie where the old one means nothing any more', async () => {
    const all = await upstreams(2)
    const proxy = await start(sticky(all, { serviceUid: UID }, affinity))
    const { ask } = visitor(proxy)
    const { body } = await ask()
    const left = all.filter(({ id }) => id !== body)
    proxy.route(sticky(left, { serviceUid: UID }, affinity))
    const moved = await ask()
    expect(moved.body).toBe(left[0]?.id)
    expect(moved.setCookie === undefined).toBe(mode === 'balanced')
    expect(await ask()).toEqual({ body: moved.body, setCookie: undefined })
  })

  test('is kept when its endpoint fails, which is tried again, unless a change is asked for', async () => {
    const all = await upstreams(2)
    const kept = await start(sticky(all, { serviceUid: UID }, affinity))
    const changing = await start(sticky(all, { serviceUid: UID }, { ...affinity, changeOnFailure: true }))
    const [loyal, mobile] = [visitor(kept), visitor(changing)]
    const { body } = await loyal.ask()
    while ((await mobile.ask()).body !== body) mobile.replace('x')
    await all.find(({ id }) => id === body)?.stop()
    expect((await loyal.ask()).setCookie).toBeUndefined()
    expect(kept.records.at(-1)).toMatchObject({ status: 502, endpoint: body })
    const moved = await mobile.ask()
    expect(moved.body).toBe(all.find(({ id }) => id !== body)?.id)
    expect(moved.setCookie).toMatch(/^route=/)
    expect(await mobile.ask()).toEqual({ body: moved.body, setCookie: undefined })
  })

  test('is not given by an endpoint that fails at once: a new session begins elsewhere', async () => {
    const all = await upstreams(2)
    const proxy = await start(sticky(all, { serviceUid: UID }, affinity))
    await all[0]?.stop()
    for (let i = 0; i < 4; i++) {
      const { ask } = visitor(proxy)
      expect((await ask()).body).toBe(all[1]?.id)
      expect(await ask()).toEqual({ body: all[1]?.id, setCookie: undefined })
    }
  })
})

test('new endpoints take over some balanced sessions and no persistent ones', async () => {
  const all = await upstreams(4)
  for (const mode of ['balanced', 'persistent'] as const) {
    const affinity: CookieAffinity = { ...COOKIE, mode }
    const proxy = await start(sticky(all.slice(0, 2), { serviceUid: UID }, affinity))
    const cookies = await Promise.all(Array.from({ length: 40 }, async () => (await fetchHost({ port: proxy.port, host: 'a' })).headers['set-cookie']?.[0]?.split(';')[0] ?? ''))
    const bodies = () => Promise.all(cookies.map(async (cookie) => (await fetchHost({ port: proxy.port, host: 'a', headers: { cookie } })).body))
    const before = await bodies()
    proxy.route(sticky(all, { serviceUid: UID }, affinity))
    const moved = (await bodies()).filter((body, i) => body !== before[i]).length
    if (mode === 'persistent') expect(moved).toBe(0)
    else expect(moved > 8 && moved < 32, String(moved)).toBe(true)
  }
})

test('a drained endpoint keeps its persistent sessions and gets no new ones', async () => {
  const all = await upstreams(2)
  const affinity: CookieAffinity = COOKIE
  const config = sticky(all, { serviceUid: UID }, affinity)
  const proxy = await start(config)
  const { ask } = visitor(proxy)
  const { body } = await ask()
  const backends = new Map([...config.backends].map(([id, backend]) => [id, { ...backend, endpoints: backend.endpoints.map((endpoint) => (endpoint.id === body ? { ...endpoint, weight: 0 } : endpoint)) }]))
  proxy.route({ ...config, backends })
  expect(await ask()).toEqual({ body, setCookie: undefined })
  for (let i = 0; i < 4; i++) expect((await visitor(proxy).ask()).body).not.toBe(body)
})

describe('the attributes of a session cookie', () => {
  const NONE: CookieAffinity = { ...COOKIE, sameSite: 'None', conditionalSameSiteNone: true }
  const lineOf = async (affinity: CookieAffinity, headers: Readonly<Record<string, string>> = {}, options: TestProxyOptions = {}): Promise<string> => {
    const proxy = await start(sticky(await upstreams(1), { serviceUid: UID }, affinity), options)
    const answer = await fetchHost({ port: proxy.port, host: 'a', headers })
    return answer.headers['set-cookie']?.join('|').replace(/^route=[^;]*; /, '') ?? ''
  }

  test('are those of the policy', async () => {
    const clock = fakeClock(Date.UTC(2026, 0, 1))
    expect(await lineOf({ ...COOKIE, path: '/app', domain: 'example.com', expires: 3600, maxAge: 60, sameSite: 'Lax', secure: true }, {}, { clock })).toBe('Expires=Thu, 01 Jan 2026 01:00:00 GMT; Max-Age=60; Domain=example.com; Path=/app; Secure; HttpOnly; SameSite=Lax')
    expect(await lineOf({ ...COOKIE, expires: -9_999_999_999 }, {}, { clock })).toBe('Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly')
  })

  test('have Secure where the client uses https, as a trusted proxy says', async () => {
    const client = { ...DEFAULT_SETTINGS.client, trustedProxies: ['127.0.0.1'] }
    expect(await lineOf(COOKIE, { 'x-forwarded-proto': 'https' }, { client })).toBe('Path=/; Secure; HttpOnly')
    expect(await lineOf(COOKIE, { 'x-forwarded-proto': 'https' })).toBe('Path=/; HttpOnly')
  })

  test.each([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/63.0.3239.84 Safari/537.36', false],
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36', true],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 12_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1', false],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Safari/605.1.15', false],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36', true],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15', true],
  ])('%s: SameSite=None %s', async (agent, has) => {
    expect((await lineOf(NONE, { 'user-agent': agent })).includes('SameSite=None')).toBe(has)
  })
})

test('of several cookies of the name the one that stands for an endpoint counts', async () => {
  const proxy = await start(sticky(await upstreams(3), { serviceUid: UID }, COOKIE))
  const first = await fetchHost({ port: proxy.port, host: 'a' })
  const good = first.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const again = await fetchHost({ port: proxy.port, host: 'a', headers: { cookie: `route=stale; xroute=1; ${good}; route=other` } })
  expect(again).toMatchObject({ body: first.body })
  expect(again.headers['set-cookie']).toBeUndefined()
})
