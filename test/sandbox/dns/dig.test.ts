// The sandbox's DNS server, asked by dig: what a cluster's DNS answers for Services, headless sets, ports, pods and external names.
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Service } from '../../../src/sandbox/controllers/object-shapes.ts'
import { startSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts'

const exec = promisify(execFile)
let home: string
let sandbox: Sandbox

const service = (name: string, spec: Record<string, unknown>): unknown => sandbox.registry.create('services', { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'dev' }, spec })
const slice = (name: string, endpoints: readonly unknown[], ports: readonly unknown[]): unknown =>
  sandbox.registry.create('endpointslices', { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: `${name}-1`, namespace: 'dev', labels: { 'kubernetes.io/service-name': name } }, addressType: 'IPv4', endpoints, ports })

async function dig(...args: string[]): Promise<string> {
  return (await exec('dig', ['@127.0.0.1', '-p', String(sandbox.dnsPort), '+tries=1', '+time=3', ...args])).stdout
}
const short = async (...args: string[]): Promise<string[]> => (await dig('+short', ...args)).trim().split('\n').filter((line) => line !== '')
const status = async (...args: string[]): Promise<string> => /status: (\w+)/.exec(await dig(...args))?.[1] ?? ''

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'narthex-dns-'))
  sandbox = await startSandbox({ apiPort: 0, dnsPort: 0, kubeProxy: false, address: '127.0.0.1', kubeconfigPath: join(home, 'kubeconfig'), apply: [], log: () => undefined })
  sandbox.registry.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'dev' } })
  service('web', { clusterIP: '127.96.7.7', ports: [{ name: 'http', port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }] })
  service('set', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] })
  slice('set', [
    { addresses: ['127.10.0.1'], conditions: { ready: true }, hostname: 'set-0' },
    { addresses: ['127.10.0.2'], conditions: { ready: true } },
    { addresses: ['127.10.0.3'], conditions: { ready: false } },
  ], [{ name: 'sql', port: 15_432, protocol: 'TCP' }])
  service('empty', { clusterIP: 'None', ports: [{ port: 80 }] })
  service('outside', { type: 'ExternalName', externalName: 'db.example.com' })
  service('inside', { type: 'ExternalName', externalName: 'web.dev.svc.cluster.local' })
  service('loop', { type: 'ExternalName', externalName: 'loop.dev.svc.cluster.local' })
  service('large', { clusterIP: 'None', ports: [{ port: 80 }] })
  slice('large', Array.from({ length: 60 }, (_, i) => ({ addresses: [`127.10.9.${i + 1}`], conditions: { ready: true } })), [{ name: '', port: 80, protocol: 'TCP' }])
})
afterAll(async () => {
  await sandbox.close()
  rmSync(home, { recursive: true })
})

describe('a Service', () => {
  it('has its ClusterIP, in any case of its name, with authority', async () => {
    const text = await dig('WeB.dev.svc.cluster.local')
    expect(text).toMatch(/flags: qr aa rd;/)
    expect(text).toMatch(/^WeB\.dev\.svc\.cluster\.local\.\s+30\s+IN\s+A\s+127\.96\.7\.7$/im)
    const api = sandbox.registry.get('services', 'default', 'kubernetes') as Service
    expect(await short('kubernetes.default.svc.cluster.local')).toEqual([api.spec.clusterIP])
  })

  it('has no AAAA, which is no error', async () => {
    const text = await dig('web.dev.svc.cluster.local', 'AAAA')
    expect(text).toMatch(/status: NOERROR.*\n.*ANSWER: 0, AUTHORITY: 1/)
    expect(text).toMatch(/^cluster\.local\.\s+30\s+IN\s+SOA\s+ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. /m)
  })

  it('has its ports as SRV, with the address along', async () => {
    const text = await dig('_http._tcp.web.dev.svc.cluster.local', 'SRV')
    expect(text).toMatch(/^_http\._tcp\.web\.dev\.svc\.cluster\.local\.\s+30\s+IN\s+SRV\s+0 100 80 web\.dev\.svc\.cluster\.local\.$/m)
    expect(text).toMatch(/ADDITIONAL SECTION:\nweb\.dev\.svc\.cluster\.local\.\s+30\s+IN\s+A\s+127\.96\.7\.7/)
    expect((await short('web.dev.svc.cluster.local', 'SRV')).toSorted()).toEqual(['0 50 53 web.dev.svc.cluster.local.', '0 50 80 web.dev.svc.cluster.local.'])
    expect(await status('_http._udp.web.dev.svc.cluster.local', 'SRV')).toBe('NXDOMAIN')
  })

  it('is found by its address', async () => {
    expect(await short('-x', '127.96.7.7')).toEqual(['web.dev.svc.cluster.local.'])
    expect(await short('-x', '127.10.0.1')).toEqual(['set-0.set.dev.svc.cluster.local.'])
    expect(await status('-x', '127.96.255.1')).toBe('NXDOMAIN')
  })
})

describe('a headless Service', () => {
  it('has the addresses of its ready endpoints, each with a name of its own', async () => {
    expect((await short('set.dev.svc.cluster.local')).toSorted()).toEqual(['127.10.0.1', '127.10.0.2'])
    expect(await short('set-0.set.dev.svc.cluster.local')).toEqual(['127.10.0.1'])
    expect(await short('127-10-0-2.set.dev.svc.cluster.local')).toEqual(['127.10.0.2'])
    expect(await status('127-10-0-3.set.dev.svc.cluster.local')).toBe('NXDOMAIN')
  })

  it('has an SRV record for each endpoint, with the port of the pods', async () => {
    expect((await short('_sql._tcp.set.dev.svc.cluster.local', 'SRV')).toSorted()).toEqual(['0 50 15432 127-10-0-2.set.dev.svc.cluster.local.', '0 50 15432 set-0.set.dev.svc.cluster.local.'])
  })

  it('without endpoints exists and has no address', async () => {
    expect(await dig('empty.dev.svc.cluster.local')).toMatch(/status: NOERROR.*\n.*ANSWER: 0/)
  })

  it('too large for a datagram is truncated there and whole over TCP', async () => {
    expect(await dig('+noedns', '+ignore', 'large.dev.svc.cluster.local')).toMatch(/flags: qr aa tc /)
    expect(await short('large.dev.svc.cluster.local')).toHaveLength(60)
    expect(await short('+tcp', 'large.dev.svc.cluster.local')).toHaveLength(60)
  })
})

describe('other names', () => {
  it('an external name is an alias, followed inside the cluster only', async () => {
    expect(await short('outside.dev.svc.cluster.local')).toEqual(['db.example.com.'])
    expect(await short('inside.dev.svc.cluster.local')).toEqual(['web.dev.svc.cluster.local.', '127.96.7.7'])
    expect(await short('loop.dev.svc.cluster.local')).toEqual(['loop.dev.svc.cluster.local.'])
  })

  it('a pod is its address with dashes', async () => {
    expect(await short('127-10-0-1.dev.pod.cluster.local')).toEqual(['127.10.0.1'])
    expect(await status('127-10-0-1.nowhere.pod.cluster.local')).toBe('NXDOMAIN')
    expect(await status('127-10-0-256.dev.pod.cluster.local')).toBe('NXDOMAIN')
  })

  it.each([
    ['nobody.dev.svc.cluster.local', 'NXDOMAIN'],
    ['web.nowhere.svc.cluster.local', 'NXDOMAIN'],
    ['a.b.c.web.dev.svc.cluster.local', 'NXDOMAIN'],
    ['web.dev.cluster.local', 'NXDOMAIN'],
    ['dev.svc.cluster.local', 'NOERROR'],
    ['cluster.local', 'NOERROR'],
    ['example.com', 'REFUSED'],
  ])('%s is %s', async (name, expected) => {
    expect(await status(name)).toBe(expected)
  })

  it('types and classes that nobody knows are answered, and the version of the schema is told', async () => {
    expect(await status('web.dev.svc.cluster.local', 'TYPE65')).toBe('NOERROR')
    expect(await short('dns-version.cluster.local', 'TXT')).toEqual(['"1.1.0"'])
  })
})

it('garbage, answers and odd requests leave it answering', async () => {
  const socket = createSocket('udp4')
  const send = (bytes: Buffer): void => socket.send(bytes, sandbox.dnsPort ?? 0, '127.0.0.1')
  let replies = 0
  socket.on('message', () => replies++)
  send(Buffer.alloc(0))
  send(Buffer.alloc(5000, 0xff))
  for (let i = 0; i < 200; i++) send(Buffer.from(Array.from({ length: 40 }, (_, at) => (at * 31 + i * 17) % 256)))
  // A pointer that points at itself, and an answer: whoever answers answers makes loops.
  send(Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 1, 0, 1]))
  send(Buffer.from([0, 2, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]))
  // Two questions: FORMERR.
  const before = replies
  send(Buffer.from([0, 3, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1]))
  const [answer] = (await once(socket, 'message')) as [Buffer]
  expect(replies).toBeGreaterThanOrEqual(before)
  expect(answer.length).toBeGreaterThanOrEqual(12)
  expect(await short('web.dev.svc.cluster.local')).toEqual(['127.96.7.7'])
  socket.close()
})
