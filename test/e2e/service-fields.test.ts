// What the fields of a Service and the state of its endpoints mean for requests: kubectl, real pods, three threads.
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, fetchHost, podOf, type Answer } from '../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'

const curl = promisify(execFile)
const SANDBOX = 'sandbox.narthex.ingress.kubernetes.io'

let narthex: Narthex
let kubectl: Kubectl
let pods: readonly { readonly name: string; readonly address: string }[] = []

const ask = (name: string, path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Answer> => fetchHost({ port: narthex.ports['http'] ?? 0, host: `${name}.example`, path, headers })
const seenFrom = async (name: string, count = 12): Promise<readonly string[]> => [...new Set(await Promise.all(Array.from({ length: count }, async () => podOf(await ask(name)))))].sort()
const admin = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${narthex.ports['admin']}${path}`)).text()
const names = (...indices: readonly number[]): readonly string[] => indices.map((i) => pods[i]?.name ?? '').sort()

const service = (name: string, spec: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: ${spec}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}}
spec:
  ingressClassName: narthex
  rules: [{host: ${name}.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${name}, port: {number: 80}}}}]}}]
---`

const slice = (name: string, endpoints: readonly string[], port = 8080): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: "", port: ${port}}]
endpoints: [${endpoints.join(', ')}]
---`

const deployment = (name: string, replicas: number, annotations = '{}', ports = '[{containerPort: 8080}]'): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: ${annotations}}
    spec: {containers: [{name: web, image: 'web:1', ports: ${ports}}]}
---`

const apply = (text: string): Promise<string> => ok(kubectl('apply -f -', text))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

beforeAll(async () => {
  narthex = await startNarthex(['sandbox', '--threads=3', '--zone=zone-a', '--eject-on-5xx', '--eject-after-bad-answers=3', '--use-forwarded-headers', '--proxy-real-ip-cidr=127.0.0.1', '--tcp-services-configmap=default/tcp', '--udp-services-configmap=default/udp'])
  kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
  await apply(deployment('web', 3))
  await ok(kubectl('rollout status deploy/web --timeout=20s'))
  const rows = await ok(kubectl('get pods -l app=web --no-headers -o custom-columns=N:.metadata.name,A:.status.podIP'))
  pods = rows.trim().split('\n').map((row) => row.split(/\s+/)).map(([name = '', address = '']) => ({ name, address }))
})
afterAll(() => narthex.stop())

describe('endpoints', () => {
  it('of a headless Service are used by its targetPort', async () => {
    await apply(service('headless', '{clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}'))
    await eventually(() => seenFrom('headless'), (seen) => seen.join() === names(0, 1, 2).join())
  })

  it('made by hand for a Service without a selector: the old Endpoints, and slices', async () => {
    await apply(`${service('byhand', '{ports: [{port: 80}]}')}
apiVersion: v1
kind: Endpoints
metadata: {name: byhand}
subsets: [{addresses: [{ip: ${pods[0]?.address}}], ports: [{port: 8080}]}]
`)
    await eventually(() => seenFrom('byhand'), (seen) => seen.join() === names(0).join())
    await apply(slice('byhand', pods.slice(1).map(({ address }) => `{addresses: [${address}]}`)))
    await eventually(() => seenFrom('byhand'), (seen) => seen.join() === names(0, 1, 2).join())
  })

  it('that are not ready are left out, unless publishNotReadyAddresses', async () => {
    await apply(service('ready', '{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}'))
    await eventually(() => seenFrom('ready'), (seen) => seen.length === 3)
    await ok(kubectl(`annotate pod ${pods[0]?.name} ${SANDBOX}/ready=false`))
    await eventually(() => seenFrom('ready'), (seen) => seen.join() === names(1, 2).join())
    await apply(service('ready', '{publishNotReadyAddresses: true, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}'))
    await eventually(() => seenFrom('ready'), (seen) => seen.length === 3)
    await ok(kubectl(`annotate pod ${pods[0]?.name} ${SANDBOX}/ready-`))
  })

  it('of our zone go first where the Service prefers near ones, by the zones or the hints of its slices', async () => {
    const zones = (fields: (zone: string) => string): string => slice('near', pods.map(({ address }, i) => `{addresses: [${address}], ${fields(i === 1 ? 'zone-a' : 'zone-b')}}`))
    await apply(`${service('near', '{trafficDistribution: PreferClose, ports: [{port: 80}]}')}${zones((zone) => `zone: ${zone}, hints: {forZones: [{name: ${zone}}]}`)}`)
    await eventually(() => seenFrom('near'), (seen) => seen.join() === names(1).join())
    await apply(service('near', '{internalTrafficPolicy: Cluster, ports: [{port: 80}]}'))
    await apply(zones((zone) => `zone: ${zone}`))
    await eventually(() => seenFrom('near'), (seen) => seen.length === 3)
  })

  it('that terminate are used while no other is there', async () => {
    await apply(`${deployment('last', 1, `{${SANDBOX}/drain: "60000"}`)}${service('last', '{selector: {app: last}, ports: [{port: 80, targetPort: 8080}]}')}`)
    await eventually(() => ask('last'), ({ status }) => status === 200)
    await ok(kubectl('scale deploy last --replicas=0'))
    await eventually(() => ok(kubectl('get endpointslices -l kubernetes.io/service-name=last -o jsonpath={.items[0].endpoints[0].conditions}')), (text) => text.includes('"terminating":true'))
    for (let i = 0; i < 5; i++) expect((await ask('last')).status).toBe(200)
    await ok(kubectl('scale deploy last --replicas=1'))
    await eventually(() => ok(kubectl('get deploy last -o jsonpath={.status.readyReplicas}')), (ready) => ready === '1')
    const pod = (await ok(kubectl('get pods -l app=last --field-selector=status.phase=Running -o name'))).trim().split('\n')
    await eventually(() => seenFrom('last', 4), (seen) => seen.length === 1 && pod.some((each) => each.endsWith(seen[0] ?? '-')))
  })

  it('none at all: 503 and an Event, nothing else disturbed', async () => {
    await apply(service('empty', '{selector: {app: nobody}, ports: [{port: 80}]}'))
    await eventually(() => ask('empty'), ({ status }) => status === 503)
    await eventually(() => ok(kubectl('get events --field-selector involvedObject.name=empty')), (text) => text.includes('NoReadyEndpoints'))
    expect((await ask('headless')).status).toBe(200)
  })
})

describe('endpoints that fail', () => {
  it('by refusing connections are ejected by the first one, and no client sees it', async () => {
    await apply(`${service('dead', '{ports: [{port: 80}]}')}${slice('dead', [...pods.map(({ address }) => `{addresses: [${address}]}`), '{addresses: [127.0.0.66]}'])}`)
    await eventually(() => ask('dead'), ({ status }) => status === 200)
    expect(new Set(await Promise.all(Array.from({ length: 40 }, async () => (await ask('dead')).status)))).toEqual(new Set([200]))
    await eventually(() => admin('/api/routes'), (text) => /"address":"127\.0\.0\.66"[^}]*"state":"ejected"/.test(text))
    expect(await admin('/metrics')).toMatch(/^narthex_ejections_total\{[^}]*service="dead"[^}]*\} [1-9]/m)
  })

  it('by 5xx are ejected where the option says so, but never too many: then all are used', async () => {
    await apply(service('ill', '{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}'))
    await eventually(() => ask('ill'), ({ status }) => status === 200)
    for (let i = 0; i < 30; i++) expect((await ask('ill', '/status/503')).status).toBe(503)
    await eventually(() => admin('/api/routes'), (text) => text.includes('"state":"ejected"'))
    expect((await ask('ill')).status).toBe(200)
  })
})

describe('sessionAffinity ClientIP', () => {
  it('holds until the client stays away for its time, or its endpoint leaves', async () => {
    const held = async (): Promise<string | null> => (JSON.parse(await admin('/api/explain?url=http://sticky.example/&from=198.51.100.9')) as { endpoint: { id: string | null } }).endpoint.id
    const mine = async (): Promise<string> => podOf(await ask('sticky', '/', { 'x-forwarded-for': '198.51.100.9' }))
    const spec = (seconds: number): string => service('sticky', `{selector: {app: web}, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: ${seconds}}}, ports: [{port: 80, targetPort: 8080}]}`)
    await apply(spec(2))
    await eventually(() => ask('sticky'), ({ status }) => status === 200)
    const first = await mine()
    for (let i = 0; i < 8; i++) expect(await mine()).toBe(first)
    expect(await held()).not.toBeNull()
    await eventually(held, (endpoint) => endpoint === null)
    await apply(spec(600))
    const second = await eventually(mine, () => true)
    await eventually(held, (endpoint) => endpoint !== null)
    await ok(kubectl(`annotate pod ${second} ${SANDBOX}/ready=false`))
    await eventually(mine, (pod) => pod !== second)
    await ok(kubectl(`annotate pod ${second} ${SANDBOX}/ready-`))
  })
})

describe('layer 4', () => {
  it('TCP services, with the PROXY protocol on both sides, and a port that is taken: told, tried again, nothing else disturbed', async () => {
    const [plain, proxied] = [await freePort(), await freePort()]
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port: busy } = taken.address() as AddressInfo
    await apply(service('tcp', '{selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}'))
    const data = { [plain]: 'default/tcp:80', [proxied]: 'default/tcp:80:PROXY', [busy]: 'default/tcp:80' }
    await apply(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'tcp' }, data }))
    const get = async (...args: readonly string[]): Promise<string> => (await curl('curl', ['-sS', '--max-time', '5', ...args]).catch(() => ({ stdout: '' }))).stdout
    await eventually(() => get(`http://127.0.0.1:${plain}/`), (text) => text.startsWith('web-'))
    expect(await get('--haproxy-protocol', `http://127.0.0.1:${proxied}/`)).toMatch(/^web-/)
    expect(await get(`http://127.0.0.1:${proxied}/`)).toBe('')
    await eventually(() => ok(kubectl('get events --field-selector involvedObject.kind=ConfigMap,involvedObject.name=tcp')), (text) => text.includes('StreamPortUnavailable') && text.includes(String(busy)))
    taken.close()
    await eventually(() => get(`http://127.0.0.1:${busy}/`), (text) => text.startsWith('web-'), { within: 20_000 })
  })

  it('UDP services: pods echo, by the port of Narthex and at the ClusterIP', async () => {
    const port = await freePort()
    await apply(`${deployment('echo', 2, '{}', '[{containerPort: 8080}, {containerPort: 9053, protocol: UDP}]')}
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{name: dns, port: 5353, targetPort: 9053, protocol: UDP}]}
`)
    await ok(kubectl('rollout status deploy/echo --timeout=20s'))
    await apply(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'udp' }, data: { [port]: 'default/echo:dns' } }))
    const clusterIP = (await ok(kubectl('get service echo -o jsonpath={.spec.clusterIP}'))).trim()
    const said = async (to: number, host: string): Promise<string> => {
      const client = createSocket('udp4')
      const reply = once(client, 'message', { signal: AbortSignal.timeout(300) }).then(([data]) => String(data)).catch(() => '')
      client.send('hello', to, host)
      const text = await reply
      client.close()
      return text
    }
    for (const [to, host] of [[port, '127.0.0.1'], [5353, clusterIP]] as const) {
      const seen = new Set<string>()
      await eventually(async () => seen.add(await said(to, host)), () => [...seen].filter((text) => /^echo-\S+ hello$/.test(text)).length === 2)
    }
  })
})
