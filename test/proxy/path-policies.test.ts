// No way of writing a path leads around the policy of a route, or out of the prefix that was matched: random paths over real sockets,
// held against every reading of them that servers are known to have.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { NO_POLICY } from '../../src/model/policy.ts'
import { RawClient } from '../support/raw-client.ts'
import { ScriptedUpstream } from '../support/scripted-upstream.ts'
import { routing, startProxy, type TestProxy } from '../support/test-proxy.ts'

const RUNS = 3000
const GUARDED = { ...NO_POLICY, tlsRedirect: { status: 308 as const } }

const piece = fc.constantFrom(
  '/', '/', '/', '//', '/./', '/../', '%2f', '%2F', '%2e', '.', '..', '%2e%2e', '/..%2f', '%5c', '\\', ';', ';x=1', '%', '%00', '%61', '%41', '%25', '%252f', '?',
  'admin', 'ADMIN', '%61dmin', 'adm%69n', 'admi', 'n', 'exact', 'ex%61ct', 'public', 'a', 'x',
)
const start = fc.constantFrom('/', '/admin', '/admin/', '/public/', '/exact', '/public/../', '/%61dmin/', '/a/')
const target = fc.tuple(start, fc.array(piece, { maxLength: 7 })).map(([first, rest]) => first + rest.join(''))

let upstream: ScriptedUpstream
let proxy: TestProxy

beforeAll(async () => {
  upstream = await ScriptedUpstream.start()
  proxy = await startProxy(
    routing(
      [
        { host: 'a', path: '/', backend: 'web' },
        { host: 'a', path: '/admin', backend: 'web', policy: GUARDED },
        { host: 'a', path: '/exact', pathType: 'Exact', backend: 'web', policy: GUARDED },
        // Another host with one prefix alone.
        { host: 'b', path: '/public', backend: 'web' },
      ],
      { web: [`127.0.0.1:${upstream.port}`] },
    ),
    { limits: { requestsPerConnection: 0 } },
  )
})

afterAll(async () => {
  proxy.proxy.close()
  await upstream.stop()
})

/** Removes dot segments, RFC 3986 section 5.2.4, staying at the root where a path climbs above it. */
function resolve(path: string): string {
  const out: string[] = []
  const segments = path.split('/').slice(1)
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '..') out.pop()
    else if (segment !== '.') out.push(segment)
    if (last && (segment === '.' || segment === '..')) out.push('')
  }
  return `/${out.join('/')}`
}

function decode(path: string, which: RegExp): string {
  return path.replaceAll(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return which.test(character) ? character : escape
  })
}

/** RFC 3986 section 6.2.2.2: escaped or not, they are the same for everybody. */
const UNRESERVED = /^[A-Za-z0-9._~-]$/
const ALL_BUT_SLASH = /^[^/]$/
const ALL = /^/

const merge = (path: string): string => path.replaceAll(/\/{2,}/g, '/')

/** What servers take a path for: they take `%2F` for a slash or not, before or after they resolve, and `//` for one or two, likewise. */
function readings(path: string): string[] {
  return [UNRESERVED, ALL_BUT_SLASH, ALL].flatMap((which) => {
    const decoded = decode(path, which)
    const resolved = [resolve(decoded), resolve(merge(decoded))]
    // Nobody decodes twice, we hope.
    const decodedLate = which === UNRESERVED ? resolved.map((each) => merge(decode(each, ALL))) : []
    return [...resolved, ...resolved.map(merge), ...decodedLate]
  })
}

const isGuarded = (path: string): boolean => path === '/exact' || path === '/admin' || path.startsWith('/admin/')

async function ask(client: RawClient, host: string, path: string): Promise<number> {
  client.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  return (await client.response()).status
}

async function each(host: string, check: (path: string, status: number) => void): Promise<void> {
  let client = await RawClient.connect(proxy.port)
  await fc.assert(
    fc.asyncProperty(target, async (path) => {
      const before = upstream.requests.length
      const status = await ask(client, host, path)
      if (status === 200) expect(upstream.requests.at(-1)?.target).toBe(path)
      else expect(upstream.requests.length).toBe(before)
      check(path.split('?', 1)[0] ?? '', status)
      if (status !== 400) return
      client.close()
      client = await RawClient.connect(proxy.port)
    }),
    { seed: 3, numRuns: RUNS },
  )
  client.close()
}

it('whatever a server may take for a guarded path is guarded, or refused', async () => {
  let guarded = 0
  await each('a', (path, status) => {
    const dodges = readings(path).filter(isGuarded)
    if (dodges.length > 0) {
      guarded++
      expect([path, dodges, status]).not.toEqual([path, dodges, 200])
    }
  })
  expect(guarded).toBeGreaterThan(RUNS / 20)
})

it('what is forwarded below a prefix leads out of it in no reading, and goes on as it was written', async () => {
  let forwarded = 0
  await each('b', (path, status) => {
    if (status !== 200) return
    forwarded++
    // As in ingress-nginx an escaped slash is one for routing; whatever a server makes of it, no dots climb over it.
    for (const reading of readings(path)) expect([path, merge(reading.replaceAll(/%2f/gi, '/'))]).toEqual([path, expect.stringMatching(/^\/public(?:$|\/)/)])
  })
  expect(forwarded).toBeGreaterThan(RUNS / 20)
})
