// What the fields of a Service and the state of its endpoints mean for requests: kubectl, real pods, three threads.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, podOf } from '../support/fetch-host.ts'
import { bareService, deployment, ingress, slice } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

const exec = promisify(execFile)
const SANDBOX = 'sandbox.narthex.ingress.kubernetes.io'

let sandbox: Sandbox
let pods: readonly { readonly name: string; readonly address: string }[] = []

const names = (...indices: readonly number[]): readonly string[] => indices.map((i) => pods[i]?.name ?? '').sort()
/** Of the Service of that name. */
const seen = (name: string, count = 12): Promise<readonly string[]> => sandbox.seen(`${name}.example`, count)
/** A Service and its Ingress. */
const served = (name: string, spec: string): string => bareService(name, spec) + ingress(name, { host: `${name}.example` })
const sliced = (name: string, endpoints: readonly string[]): string => slice(name, 8080, endpoints)

beforeAll(async () => {
  sandbox = await startSandbox('--threads=3', '--zone=zone-a', '--use-forwarded-headers', '--proxy-real-ip-cidr=127.0.0.1')
  await sandbox.apply(deployment('web', { replicas: 3 }))
  await sandbox.rolledOut('web')
  const rows = await sandbox.kube('get pods -l app=web --no-headers -o custom-columns=N:.metadata.name,A:.status.podIP')
  pods = rows.trim().split('\n').map((row) => row.split(/\s+/)).map(([name = '', address = '']) => ({ name, address }))
})
afterAll(() => sandbox.stop())

describe('endpoints', () => {
  it('of a headless Service are used by its targetPort', async () => {
    await sandbox.apply(served('headless', 'clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]'))
    await eventually(() => seen('headless'), (found) => found.join() === names(0, 1, 2).join())
  })

  it('made by hand for a Service without a selector: the old Endpoints, and slices', async () => {
    await sandbox.apply(`${served('byhand', 'ports: [{port: 80}]')}---
apiVersion: v1
kind: Endpoints
metadata: {name: byhand}
subsets: [{addresses: [{ip: ${pods[0]?.address}}], ports: [{port: 8080}]}]
`)
    await eventually(() => seen('byhand'), (found) => found.join() === names(0).join())
    await sandbox.apply(sliced('byhand', pods.slice(1).map(({ address }) => address)))
    await eventually(() => seen('byhand'), (found) => found.join() === names(0, 1, 2).join())
  })

  it('that are not ready are left out, unless publishNotReadyAddresses', async () => {
    await sandbox.apply(served('ready', 'selector: {app: web}, ports: [{port: 80, targetPort: 8080}]'))
    await eventually(() => seen('ready'), (found) => found.length === 3)
    await sandbox.kube(`annotate pod ${pods[0]?.name} ${SANDBOX}/ready=false`)
    await eventually(() => seen('ready'), (found) => found.join() === names(1, 2).join())
    await sandbox.apply(served('ready', 'publishNotReadyAddresses: true, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]'))
    await eventually(() => seen('ready'), (found) => found.length === 3)
    await sandbox.kube(`annotate pod ${pods[0]?.name} ${SANDBOX}/ready-`)
  })

  it('of our zone go first where the Service prefers near ones, by the zones or the hints of its slices', async () => {
    const zones = (fields: (zone: string) => string): string => sliced('near', pods.map(({ address }, i) => `addresses: [${address}], ${fields(i === 1 ? 'zone-a' : 'zone-b')}`))
    await sandbox.apply(served('near', 'trafficDistribution: PreferClose, ports: [{port: 80}]') + zones((zone) => `zone: ${zone}, hints: {forZones: [{name: ${zone}}]}`))
    await eventually(() => seen('near'), (found) => found.join() === names(1).join())
    await sandbox.apply(served('near', 'internalTrafficPolicy: Cluster, ports: [{port: 80}]'))
    await sandbox.apply(zones((zone) => `zone: ${zone}`))
    await eventually(() => seen('near'), (found) => found.length === 3)
  })

  it('that terminate are used while no other is there', async () => {
    await sandbox.apply(deployment('last', { podAnnotations: `${SANDBOX}/drain: "60000"` }) + served('last', 'selector: {app: last}, ports: [{port: 80, targetPort: 8080}]'))
    await eventually(() => sandbox.ask('last.example'), ({ status }) => status === 200)
    await sandbox.kube('scale deploy last --replicas=0')
    await eventually(() => sandbox.kube('get endpointslices -l kubernetes.io/service-name=last -o jsonpath={.items[0].endpoints[0].conditions}'), (text) => text.includes('"terminating":true'))
    for (let i = 0; i < 5; i++) expect((await sandbox.ask('last.example')).status).toBe(200)
    await sandbox.kube('scale deploy last --replicas=1')
    await eventually(() => sandbox.kube('get deploy last -o jsonpath={.status.readyReplicas}'), (ready) => ready === '1')
    const pod = (await sandbox.kube('get pods -l app=last --field-selector=status.phase=Running -o name')).trim().split('\n')
    await eventually(() => seen('last', 4), (found) => found.length === 1 && pod.some((each) => each.endsWith(found[0] ?? '-')))
  })

  it('none at all: 503 and an Event, nothing else disturbed', async () => {
    await sandbox.apply(served('empty', 'selector: {app: nobody}, ports: [{port: 80}]'))
    await eventually(() => sandbox.ask('empty.example'), ({ status }) => status === 503)
    await sandbox.event('empty', /NoReadyEndpoints/)
    expect((await sandbox.ask('headless.example')).status).toBe(200)
  })
})

describe('sessionAffinity ClientIP', () => {
  it('holds until the client stays away for its time, or its endpoint leaves', async () => {
    const held = async (): Promise<string | null> => (JSON.parse(await sandbox.admin('/api/explain?url=http://sticky.example/&from=198.51.100.9')) as { endpoint: { id: string | null } }).endpoint.id
    const mine = async (): Promise<string> => podOf(await sandbox.ask('sticky.example', { headers: { 'x-forwarded-for': '198.51.100.9' } }))
    const spec = (seconds: number): string => served('sticky', `selector: {app: web}, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: ${seconds}}}, ports: [{port: 80, targetPort: 8080}]`)
    await sandbox.apply(spec(2))
    await eventually(() => sandbox.ask('sticky.example'), ({ status }) => status === 200)
    const first = await mine()
    for (let i = 0; i < 8; i++) expect(await mine()).toBe(first)
    expect(await held()).not.toBeNull()
    await eventually(held, (endpoint) => endpoint === null)
    await sandbox.apply(spec(600))
    const second = await eventually(mine, () => true)
    await eventually(held, (endpoint) => endpoint !== null)
    await sandbox.kube(`annotate pod ${second} ${SANDBOX}/ready=false`)
    await eventually(mine, (pod) => pod !== second)
    await sandbox.kube(`annotate pod ${second} ${SANDBOX}/ready-`)
  })
})

describe('traffic policies, with pods on two nodes', () => {
  let here: readonly string[] = []
  let all: readonly string[] = []
  let clusterIP = ''
  let nodePort = ''

  const curl = async (url: string): Promise<string> => (await exec('curl', ['-sS', '--max-time', '5', url]).catch(() => ({ stdout: 'refused' }))).stdout.split(' ')[0] ?? ''
  const behind = async (url: string): Promise<readonly string[]> => [...new Set(await Promise.all(Array.from({ length: 16 }, () => curl(url))))].sort()
  const are = (pods: readonly string[]) => (found: readonly string[]): boolean => found.join() === pods.join()
  const spread = (policies: string): string => served('spread', `type: NodePort, selector: {app: spread}, ports: [{port: 80, targetPort: 8080}], ${policies}`)

  beforeAll(async () => {
    // Narthex runs on the node `sandbox`. Pods go where the fewest are, so that the new node gets some more.
    await sandbox.apply('apiVersion: v1\nkind: Node\nmetadata: {name: other}\n')
    await sandbox.apply(deployment('spread', { replicas: 8 }) + spread('externalTrafficPolicy: Cluster'))
    await sandbox.rolledOut('spread')
    const rows = (await sandbox.kube('get pods -l app=spread --no-headers -o custom-columns=N:.metadata.name,NODE:.spec.nodeName')).trim().split('\n').map((row) => row.split(/\s+/))
    all = rows.map(([name = '']) => name).sort()
    here = rows.flatMap(([name = '', node]) => (node === 'sandbox' ? [name] : [])).sort()
    expect([here.length > 0, here.length < all.length]).toEqual([true, true])
    clusterIP = await sandbox.kube('get service spread -o jsonpath={.spec.clusterIP}')
    nodePort = await sandbox.kube('get service spread -o jsonpath={.spec.ports[0].nodePort}')
  })

  it('externalTrafficPolicy: Local keeps what comes to the NodePort on its node, and means nothing to an Ingress or the ClusterIP', async () => {
    await eventually(() => behind(`http://127.0.0.1:${nodePort}/`), are(all))
    await sandbox.apply(spread('externalTrafficPolicy: Local'))
    await eventually(() => behind(`http://127.0.0.1:${nodePort}/`), are(here))
    expect(await behind(`http://${clusterIP}/`)).toEqual(all)
    expect(await seen('spread', 16)).toEqual(all)
  })

  it('internalTrafficPolicy: Local keeps what an Ingress sends, and what comes to the ClusterIP, on the node', async () => {
    await sandbox.apply(spread('internalTrafficPolicy: Local, externalTrafficPolicy: Cluster'))
    await eventually(() => seen('spread', 16), are(here))
    await eventually(() => behind(`http://${clusterIP}/`), are(here))
    await eventually(() => behind(`http://127.0.0.1:${nodePort}/`), are(all))
  })

  it('trafficDistribution: PreferSameNode is a wish, and weights by node are an order', async () => {
    await sandbox.apply(spread('trafficDistribution: PreferSameNode'))
    await eventually(() => seen('spread', 16), are(here))
    await sandbox.apply(spread('internalTrafficPolicy: Cluster'))
    await eventually(() => seen('spread', 16), are(all))
    await sandbox.kube('annotate service spread narthex.ingress.kubernetes.io/weights=node:sandbox=0')
    await eventually(() => seen('spread', 16), are(all.filter((pod) => !here.includes(pod))))
    await sandbox.kube('annotate service spread narthex.ingress.kubernetes.io/weights-')
  })

  it('nothing local under Local: 503 and an Event, refused at the ClusterIP, and the NodePort serves on', async () => {
    await sandbox.apply(sliced('far', pods.map(({ address }) => `addresses: [${address}], nodeName: other`)) + served('far', 'type: NodePort, internalTrafficPolicy: Local, ports: [{port: 80}]'))
    await eventually(() => sandbox.ask('far.example'), ({ status }) => status === 503)
    await sandbox.event('far', /NoLocalEndpoints/)
    const [address, port] = (await sandbox.kube('get service far -o jsonpath={.spec.clusterIP}:{.spec.ports[0].nodePort}')).split(':')
    expect(await behind(`http://${address}/`)).toEqual(['refused'])
    await eventually(() => behind(`http://127.0.0.1:${port}/`), are(names(0, 1, 2)))
  })
})
