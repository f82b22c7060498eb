// Services of type ExternalName, from the DNS server to the backend: several addresses, changes while requests run, names that go away.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { bareService, deployment, ingress, service } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { ScriptedDns } from '../support/scripted-dns.ts'

let dns: ScriptedDns
const servers: Server[] = []
let port = 0

/** Answers with its own address. */
async function startBackend(address: string): Promise<void> {
  const server = createServer((_, response) => response.end(address)).listen(port, address)
  await once(server, 'listening')
  servers.push(server)
  port = (server.address() as AddressInfo).port
}

const outside = (name: string, externalName = `${name}.example.net`): string =>
  bareService(name, `type: ExternalName, externalName: ${externalName}, ports: [{port: 80, targetPort: ${port}}]`) + ingress(name, { host: `${name}.example.com` })

beforeAll(async () => {
  dns = await ScriptedDns.start()
  for (const address of ['127.0.0.21', '127.0.0.22', '127.0.0.23', '::1']) await startBackend(address)
})
afterAll(async () => {
  for (const server of servers) server.close()
  await dns.close()
})

describe('an external name', () => {
  let sandbox: Sandbox
  const answerOf = (name: string) => sandbox.ask(`${name}.example.com`)
  const bodiesOf = async (name: string, count: number): Promise<string[]> => {
    const bodies = new Set<string>()
    for (let i = 0; i < count; i++) {
      const { status, body } = await answerOf(name)
      bodies.add(status === 200 ? body : String(status))
    }
    return [...bodies].sort()
  }
  beforeAll(async () => {
    sandbox = await startSandbox(`--dns-server=${dns.address}`, '--dns-min-ttl=200ms', '--threads=2')
  })
  afterAll(() => sandbox.stop())

  it('is served by all its addresses in turn', async () => {
    dns.names.set('db.example.net', { a: ['127.0.0.21', '127.0.0.22'], ttl: 0 })
    await sandbox.apply(outside('db'))
    await eventually(() => answerOf('db'), ({ status }) => status === 200)
    expect(await bodiesOf('db', 6)).toEqual(['127.0.0.21', '127.0.0.22'])
  })

  it('moves to new addresses within its TTL, without a failed request', async () => {
    dns.names.set('db.example.net', { cname: 'other.example.net', a: ['127.0.0.23'], ttl: 0 })
    const seen = new Set<string>()
    await eventually(async () => {
      const bodies = await bodiesOf('db', 4)
      for (const body of bodies) seen.add(body)
      return bodies.join()
    }, (bodies) => bodies === '127.0.0.23')
    expect([...seen].filter((body) => !body.startsWith('127.0.0.2'))).toEqual([])
  })

  it('may have IPv6 addresses alone', async () => {
    dns.names.set('six.example.net', { aaaa: ['::1'], ttl: 60 })
    await sandbox.apply(outside('six'))
    await eventually(() => answerOf('six'), ({ status }) => status === 200)
    expect(await bodiesOf('six', 2)).toEqual(['::1'])
  })

  it('keeps its addresses while the DNS server fails, and says so', async () => {
    dns.names.set('db.example.net', 'SERVFAIL')
    await sandbox.event('db', /ExternalNameUnresolved\s.*"db.example.net" of Service default\/db .*SERVFAIL/)
    expect(await bodiesOf('db', 4)).toEqual(['127.0.0.23'])
  })

  it('that is gone answers 503, and comes back with its record', async () => {
    dns.names.set('db.example.net', 'NXDOMAIN')
    await eventually(() => answerOf('db'), ({ status }) => status === 503)
    await sandbox.event('db', /ExternalNameUnresolved\s.*"db.example.net" of Service default\/db has no address in DNS/)
    dns.names.set('db.example.net', { a: ['127.0.0.21'], ttl: 60 })
    await eventually(() => answerOf('db'), ({ status }) => status === 200, { within: 20_000 })
  })

  it('that a slow server does not answer holds up nothing else', async () => {
    dns.names.set('slow.example.net', 'silence')
    await sandbox.apply(outside('slow'))
    expect((await eventually(() => answerOf('slow'), ({ status }) => status !== 404)).status).toBe(503)
    expect(await bodiesOf('db', 4)).toEqual(['127.0.0.21'])
  })

  it('of the cluster itself leads to that Service', async () => {
    await sandbox.apply(deployment('web') + service('web', { port }) + outside('alias', 'web.default.svc.cluster.local'))
    const answer = await eventually(() => answerOf('alias'), ({ status }) => status === 200, { within: 20_000 })
    expect(answer.body).toMatch(/^web-/)
  })
})

describe('an external name that resolves to this machine', () => {
  it('is refused where loopback endpoints are not allowed, with the address in the event', async () => {
    dns.names.set('inner.example.net', { a: ['127.0.0.21'], ttl: 60 })
    const sandbox = await startSandbox(`--dns-server=${dns.address}`, '--allow-loopback-endpoints=false', '--threads=1')
    try {
      await sandbox.apply(outside('inner'))
      await sandbox.event('inner', /ExternalNameInvalid\s.*127\.0\.0\.21/)
      expect((await sandbox.ask('inner.example.com')).status).toBe(503)
    } finally {
      await sandbox.stop()
    }
  })
})
