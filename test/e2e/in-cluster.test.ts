// `narthex run` as a second process against an API server, with the permissions of manifests/ and nothing more.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, fetchHost } from '../support/fetch-host.ts'
import { freePort } from '../support/free-port.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { ingress } from '../support/manifests.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'

const folder = mkdtempSync(join(tmpdir(), 'narthex-audit-'))
const audit = join(folder, 'audit.log')

interface Access {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly user: string
}

let cluster: Narthex
let controller: Narthex
let kubectl: Kubectl
const http = () => controller.ports['http'] ?? 0

const OBJECTS = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web:1, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: narthex
  rules:
    - host: web.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
    - host: missing.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: nobody, port: {number: 80}}}}]}
`

const ingressOf = (service: string): string => ingress(service, { host: `${service}.example.com` })

const tcpServices = (data: Readonly<Record<string, string>>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'tcp-services', namespace: 'narthex' }, data })

/** The sandbox's kubeconfig with the token of a service account. */
function kubeconfigAs(account: string): string {
  const path = join(cluster.home, `kubeconfig-${account.replace(':', '-')}`)
  writeFileSync(
    path,
    `apiVersion: v1
kind: Config
current-context: it
clusters: [{name: it, cluster: {server: "http://127.0.0.1:${cluster.ports['api']}"}}]
users: [{name: it, user: {token: "serviceaccount:${account}"}}]
contexts: [{name: it, context: {cluster: it, user: it}}]
`,
  )
  return path
}

/** `group/resource verb` of everything that the controller's account asked for. */
const usedVerbs = (): string[] => {
  const lines = readFileSync(audit, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Access)
  const own = lines.filter((each) => each.user === 'system:serviceaccount:narthex:narthex')
  return [...new Set(own.map((each) => `${each.group}/${each.resource}${each.subresource === '' ? '' : `/${each.subresource}`} ${each.verb}`))].sort()
}

let sqlPort = 0

beforeAll(async () => {
  sqlPort = await freePort()
  cluster = await startNarthex(['sandbox', '--api-only', '--rbac', `--audit-log-path=${audit}`])
  kubectl = kubectlFor(cluster.kubeconfig, cluster.home)
  await ok(kubectl('apply -f manifests/'))
  await ok(kubectl('apply -f manifests/expose/nodeport.yaml'))
  await ok(kubectl('apply -f -', OBJECTS))
  await ok(kubectl('rollout status deploy/web --timeout=10s'))
  await ok(kubectl('apply -f -', tcpServices({ [sqlPort]: 'default/web:http', 1: 'default/nobody:1' })))
  controller = await startNarthex(['run', '--configmap=narthex/narthex', '--election-ttl=2s', '--tcp-services-configmap=narthex/tcp-services', `--kubeconfig=${kubeconfigAs('narthex:narthex')}`, '--publish-status-address=192.0.2.7', '--address=127.0.0.1', '--threads=1', '--allow-loopback-endpoints'], { NODE_NAME: 'sandbox', POD_NAMESPACE: 'narthex' })
})
afterAll(async () => {
  await controller?.stop()
  await cluster.stop()
  rmSync(folder, { recursive: true })
})

describe('narthex run', () => {
  it('serves an Ingress of the cluster', async () => {
    const answer = await eventually(() => fetchHost({ port: http(), host: 'web.example.com' }), (each) => each.status === 200)
    expect(answer.body).toMatch(/^web-/)
  })

  it('publishes its address and its events with the permissions of manifests/', async () => {
    await eventually(() => ok(kubectl('get ing web -o wide')), (text) => text.includes('192.0.2.7'))
    const events = await eventually(() => ok(kubectl('get events --field-selector involvedObject.name=web,involvedObject.kind=Ingress')), (text) => text.includes('ServiceNotFound') && text.includes('Sync'))
    expect(events).toMatch(/Warning\s+ServiceNotFound\s+ingress\/web\s+.*nobody/)
  })

  it('serves the TCP services of its ConfigMap, and says there what is wrong with an entry', async () => {
    const answer = await eventually(() => fetchHost({ port: sqlPort, host: 'anything' }), (each) => each.status === 200)
    expect(answer.body).toMatch(/^web-/)
    const events = await eventually(() => ok(kubectl('get events -n narthex')), (text) => text.includes('ServiceNotFound'))
    expect(events).toMatch(/Warning\s+ServiceNotFound\s+configmap\/tcp-services\s+.*data\[1\].*default\/nobody/)
  })

  it('listens and stops listening as the ConfigMap says, while connections stay', async () => {
    const held = connect(sqlPort, '127.0.0.1')
    await once(held, 'connect')
    const other = await freePort()
    await ok(kubectl('apply -f -', tcpServices({ [other]: 'default/web:80' })))
    await eventually(() => fetchHost({ port: other, host: 'anything' }).then(({ status }) => status, () => 0), (status) => status === 200)
    const refused = await new Promise((resolve) => connect(sqlPort, '127.0.0.1').once('error', (error: NodeJS.ErrnoException) => resolve(error.code)).once('connect', () => resolve('connected')))
    expect(refused).toBe('ECONNREFUSED')
    held.write('GET / HTTP/1.1\r\nHost: held\r\nConnection: close\r\n\r\n')
    const [answer] = (await once(held, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200/)
    held.destroy()
    const metrics = await (await fetch(`http://127.0.0.1:${controller.ports['admin']}/metrics`)).text()
    expect(metrics).toMatch(new RegExp(`narthex_stream_connections_total\\{protocol="tcp",port="${other}",namespace="default",service="web"\\} [1-9]`))
  })

  it('keeps to its own node and zone where a Service asks for that', async () => {
    const policies = (fields: string): string => `apiVersion: v1\nkind: Service\nmetadata: {name: near}\nspec: {ports: [{port: 80}], ${fields}}`
    const slice = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: near-1, labels: {kubernetes.io/service-name: near}}
addressType: IPv4
ports: [{name: "", port: 80}]
endpoints:
  - {addresses: [127.0.0.2], nodeName: elsewhere, zone: local-a}
  - {addresses: [127.0.0.3], nodeName: farther, zone: local-b}
---
${ingressOf('near')}`
    const endpoints = async (): Promise<string> => {
      const { backends } = (await (await fetch(`http://127.0.0.1:${controller.ports['admin']}/api/routes`)).json()) as { backends: { id: string; endpoints: { id: string }[] }[] }
      return backends.filter(({ id }) => id === 'default/near:80').map((each) => each.endpoints.map(({ id }) => id).join(' ')).join() || '(none)'
    }
    await ok(kubectl('apply -f -', `${policies('trafficDistribution: PreferSameNode')}\n---${slice}`))
    await eventually(endpoints, (each) => each === '127.0.0.2:80')
    await ok(kubectl('apply -f -', policies('internalTrafficPolicy: Cluster')))
    await eventually(endpoints, (each) => each === '127.0.0.2:80 127.0.0.3:80')
    await ok(kubectl('apply -f -', policies('internalTrafficPolicy: Local')))
    await eventually(endpoints, (each) => each === '(none)')
    expect((await fetchHost({ port: http(), host: 'near.example.com' })).status).toBe(503)
    const events = await eventually(() => ok(kubectl('get events --field-selector involvedObject.name=near,involvedObject.kind=Ingress')), (text) => text.includes('NoLocalEndpoints'))
    expect(events).toMatch(/Warning\s+NoLocalEndpoints\s+ingress\/near\s+.*default\/near .*node "sandbox"/)
    await ok(kubectl('delete ingress near'))
  })

  it('takes its settings from the ConfigMap of manifests/', async () => {
    const post = async (): Promise<number> => (await fetch(`http://127.0.0.1:${http()}/`, { method: 'POST', body: 'x'.repeat(3000) })).status
    expect(await post()).toBe(404)
    await ok(kubectl('patch configmap narthex -n narthex --type=merge -p {"data":{"proxy-body-size":"2k","hstss":"x"}}'))
    await eventually(post, (status) => status === 413)
    const events = await eventually(() => ok(kubectl('get events -n narthex')), (text) => text.includes('SettingUnknown'))
    expect(events).toMatch(/Warning\s+SettingUnknown\s+configmap\/narthex\s+.*did you mean hsts\?/)
    await ok(kubectl('patch configmap narthex -n narthex --type=json -p [{"op":"remove","path":"/data/proxy-body-size"},{"op":"remove","path":"/data/hstss"}]'))
  })

  it('uses exactly the verbs that manifests/10-rbac.yaml grants', async () => {
    // Something for each verb to do: a new object, and a mistake that goes away and comes back.
    await ok(kubectl('delete ingress web'))
    await ok(kubectl('apply -f -', OBJECTS))
    const warned = () => ok(kubectl('get events --field-selector involvedObject.name=web,reason=ServiceNotFound -o jsonpath={.items[*].count}'))
    await eventually(warned, (counts) => counts.trim().split(' ').length >= 2)
    await ok(kubectl('create service clusterip nobody --tcp=80:80'))
    await eventually(async () => (await (await fetch(`http://127.0.0.1:${controller.ports['admin']}/api/diagnostics`)).text()).includes('ServiceNotFound'), (still) => !still)
    await ok(kubectl('delete service nobody'))
    await eventually(async () => usedVerbs(), (used) => used.includes('/events patch') && used.includes('coordination.k8s.io/leases patch'))
    const roles = JSON.parse(await ok(kubectl('get clusterrole/narthex role/narthex -n narthex -o json'))) as { items: { rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] }[] }
    const granted = new Set(roles.items.flatMap(({ rules }) => rules).flatMap((rule) => rule.apiGroups.flatMap((group) => rule.resources.flatMap((resource) => rule.verbs.map((verb) => `${group}/${resource} ${verb}`)))))
    expect(usedVerbs()).toEqual([...granted].sort())
  })

  it('asks for no Node when it is told its zone, or not told its node', async () => {
    const lines = (): Access[] => readFileSync(audit, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Access)
    const before = lines().length
    for (const args of [['--node-name=sandbox', '--zone=local-a'], []]) {
      const other = await startNarthex(['run', `--kubeconfig=${cluster.kubeconfig}`, '--address=127.0.0.1', '--threads=1', ...args], { NODE_NAME: '' })
      await other.stop()
    }
    const asked = new Set(lines().slice(before).map(({ verb, resource }) => `${resource} ${verb}`))
    expect(asked).toContain('ingresses list')
    expect(asked).not.toContain('nodes get')
  })

  it('keeps serving while the API server is gone, and catches up when it is back', async () => {
    const port = cluster.ports['api'] ?? 0
    process.kill(cluster.pid, 'SIGSTOP')
    try {
      const answer = await fetchHost({ port: http(), host: 'missing.example.com' })
      expect(answer.status).toBe(503)
    } finally {
      process.kill(cluster.pid, 'SIGCONT')
    }
    await ok(kubectl('delete ingress web'))
    await eventually(() => fetchHost({ port: http(), host: 'web.example.com' }), (answer) => answer.status === 404)
    expect(port).toBeGreaterThan(0)
  })

  it('stops with exit status 0', async () => {
    expect(await controller.stop()).toBe(0)
  })
})

describe('an API server that can not be reached', () => {
  it('is named with the fix, and tried again', async () => {
    const path = join(cluster.home, 'kubeconfig-nowhere')
    writeFileSync(path, 'apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]\nusers: [{name: a, user: {}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n')
    const { spawn } = await import('node:child_process')
    const child = spawn(process.execPath, ['src/main.ts', 'run', `--kubeconfig=${path}`, '--http-port=0', '--https-port=0', '--admin-port=0', '--address=127.0.0.1'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    try {
      await eventually(async () => output, (text) => text.includes('http://127.0.0.1:1') && /--kubeconfig/.test(text))
      expect(output).not.toMatch(/ready$/m)
      expect(child.exitCode).toBe(null)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
