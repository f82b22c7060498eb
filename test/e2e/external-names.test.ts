// Services of type ExternalName, from the DNS server to the backend: several addresses, changes while requests run, names that go away.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, fetchHost } from '../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { ingress } from '../support/manifests.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'
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

const outside = (name: string, externalName = `${name}.example.net`): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {type: ExternalName, externalName: ${externalName}, ports: [{port: 80, targetPort: ${port}}]}
${ingress(name, { host: `${name}.example.com` })}`

beforeAll(async () => {
  dns = await ScriptedDns.start()
  for (const address of ['127.0.0.21', '127.0.0.22', '127.0.0.23', '::1']) await startBackend(address)
})
afterAll(async () => {
  for (const server of servers) server.close()
  await dns.close()
})

describe('an external name', () => {
  let narthex: Narthex
  let kubectl: Kubectl
  const answerOf = (name: string) => fetchHost({ port: narthex.ports['http'] ?? 0, host: `${name}.example.com` })
  const bodiesOf = async (name: string, count: number): Promise<string[]> => {
    const bodies = new Set<string>()
    for (let i = 0; i < count; i++) {
      const { status, body } = await answerOf(name)
      bodies.add(status === 200 ? body : String(status))
    }
    return [...bodies].sort()
  }
  const eventOf = (name: string, pattern: RegExp): Promise<string> =>
    eventually(() => ok(kubectl(`get events --field-selector involvedObject.name=${name},involvedObject.kind=Ingress -o custom-columns=R:.reason,M:.message --no-headers`)), (text) => pattern.test(text))

  beforeAll(async () => {
    narthex = await startNarthex(['sandbox', `--dns-server=${dns.address}`, '--dns-min-ttl=200ms', '--threads=2'])
    kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
  })
  afterAll(() => narthex.stop())

  it('is served by all its addresses in turn', async () => {
    dns.names.set('db.example.net', { a: ['127.0.0.21', '127.0.0.22'], ttl: 0 })
    await ok(kubectl('apply -f -', outside('db')))
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
    await ok(kubectl('apply -f -', outside('six')))
    await eventually(() => answerOf('six'), ({ status }) => status === 200)
    expect(await bodiesOf('six', 2)).toEqual(['::1'])
  })

  it('keeps its addresses while the DNS server fails, and says so', async () => {
    dns.names.set('db.example.net', 'SERVFAIL')
    await eventOf('db', /ExternalNameUnresolved\s.*"db.example.net" of Service default\/db .*SERVFAIL/)
    expect(await bodiesOf('db', 4)).toEqual(['127.0.0.23'])
  })

  it('that is gone answers 503, and comes back with its record', async () => {
    dns.names.set('db.example.net', 'NXDOMAIN')
    await eventually(() => answerOf('db'), ({ status }) => status === 503)
    await eventOf('db', /ExternalNameUnresolved\s.*"db.example.net" of Service default\/db has no address in DNS/)
    dns.names.set('db.example.net', { a: ['127.0.0.21'], ttl: 60 })
    await eventually(() => answerOf('db'), ({ status }) => status === 200, { within: 20_000 })
  })

  it('that a slow server does not answer holds up nothing else', async () => {
    dns.names.set('slow.example.net', 'silence')
    await ok(kubectl('apply -f -', outside('slow')))
    expect((await eventually(() => answerOf('slow'), ({ status }) => status !== 404)).status).toBe(503)
    expect(await bodiesOf('db', 4)).toEqual(['127.0.0.21'])
  })

  it('of the cluster itself leads to that Service', async () => {
    await ok(kubectl('apply -f -', `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1", ports: [{containerPort: 8080}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: ${port}, targetPort: 8080}]}
---${outside('alias', 'web.default.svc.cluster.local')}`))
    const answer = await eventually(() => answerOf('alias'), ({ status }) => status === 200, { within: 20_000 })
    expect(answer.body).toMatch(/^web-/)
  })
})

describe('an external name that resolves to this machine', () => {
  it('is refused where loopback endpoints are not allowed, with the address in the event', async () => {
    dns.names.set('inner.example.net', { a: ['127.0.0.21'], ttl: 60 })
    const narthex = await startNarthex(['sandbox', `--dns-server=${dns.address}`, '--allow-loopback-endpoints=false', '--threads=1'])
    try {
      const kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
      await ok(kubectl('apply -f -', outside('inner')))
      await eventually(() => ok(kubectl('get events --field-selector involvedObject.name=inner,involvedObject.kind=Ingress -o custom-columns=R:.reason,M:.message --no-headers')), (text) => /ExternalNameInvalid\s.*127\.0\.0\.21/.test(text))
      expect((await fetchHost({ port: narthex.ports['http'] ?? 0, host: 'inner.example.com' })).status).toBe(503)
    } finally {
      await narthex.stop()
    }
  })
})
