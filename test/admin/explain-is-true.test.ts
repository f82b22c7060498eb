// What explain says would happen is held against what the proxy does, for every combination of host and path below.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { explain } from '../../src/admin/explain.ts'
import { hostName } from '../../src/http/http1/host.ts'
import { normalisePath } from '../../src/http/http1/path.ts'
import type { RoutingConfig } from '../../src/model/routing.ts'
import { fetchHost } from '../support/fetch-host.ts'
import { routing, settingsWith, startProxy, type TestProxy } from '../support/test-proxy.ts'

const SETTINGS = { publicHttpsPort: 8443 }
const HOSTS = ['a.example', 'A.EXAMPLE', 'a.example.', 'a.example:8080', 'b.example', 'x.b.example', 'other.org', 'tls.example', '-bad-', 'a_b.example']
const PATHS = ['/', '/foo', '/foo/', '/foobar', '/foo/bar?x=/', '/FOO', '//foo', '/x/../foo', '/../foo', '/f%6fo', '/foo%2Fbar', '/foo/..;/x', '/%zz', '/.well-known/acme-challenge/x', '/empty', '/missing', '/resource/x']

const backends: Server[] = []
let config: RoutingConfig
let proxy: TestProxy

beforeAll(async () => {
  const [one, two] = await Promise.all(['one', 'two'].map(backend))
  config = {
    ...routing(
      [
        { host: 'a.example', path: '/foo', pathType: 'Exact', backend: 'one' },
        { host: 'a.example', path: '/foo', backend: 'two' },
        { host: 'a.example', path: '/empty', backend: 'empty' },
        { host: 'a.example', path: '/missing', status: 503 },
        { host: 'a.example', path: '/resource', status: 404 },
        { host: '*.example', path: '/', backend: 'two' },
        { host: 'tls.example', path: '/', backend: 'one', policy: { tlsRedirect: { status: 308 } } },
        { host: '*', path: '/foo', backend: 'one' },
      ],
      { one: [`127.0.0.1:${one}`], two: [`127.0.0.1:${two}`], empty: [] },
    ),
  }
  proxy = await startProxy(config, SETTINGS)
})

afterAll(() => {
  proxy.proxy.close()
  for (const server of backends) {
    server.closeAllConnections()
    server.close()
  }
})

async function backend(name: string): Promise<number> {
  const server = createServer((_request, response) => response.end(name)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  backends.push(server)
  return (server.address() as AddressInfo).port
}

/** Status, Location and backend as one line. */
function said(host: string, path: string): string {
  try {
    const { status, location, backend } = explain({ url: `http://${host}${path}`, method: 'GET', headers: [] }, { config, settings: settingsWith(SETTINGS), hostName, normalisePath, endpointFor: () => undefined, diagnostics: () => [] })
    return status === null ? `200 from ${backend?.id}` : `${status}${location === null ? '' : ` ${location}`}`
  } catch (error) {
    return error instanceof RangeError ? '400' : String(error)
  }
}

async function done(host: string, path: string): Promise<string> {
  const { status, headers, body } = await fetchHost({ port: proxy.port, host, path })
  return status === 200 ? `200 from ${body}` : `${status}${headers.location === undefined ? '' : ` ${headers.location}`}`
}

test.each(HOSTS)('host %s', async (host) => {
  const all = await Promise.all(PATHS.map(async (path) => [path, said(host, path), await done(host, path)] as const))
  expect(all.map(([path, explained]) => `${path}: ${explained}`)).toEqual(all.map(([path, , answered]) => `${path}: ${answered}`))
})

test('the combinations above meet every kind of answer', () => {
  const all = HOSTS.flatMap((host) => PATHS.map((path) => said(host, path)))
  expect([...new Set(all.map((answer) => answer.replace(/ https.*/, ' Location')))].sort()).toEqual(['200 from one', '200 from two', '308 Location', '400', '404', '503'])
})
