// The whole sandbox, driven by real kubectl.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import type { EndpointSlice } from '../../src/sandbox/controllers/object-shapes.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { until } from './support/cluster.ts'

let home: string
let sandbox: Sandbox
let kubectl: Kubectl
const lines: string[] = []

const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.17.1", ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
`

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'narthex-sandbox-'))
  writeFileSync(join(home, 'hello.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hello}\ndata: {a: b}\n')
  sandbox = await startSandbox({ apiPort: 0, address: '127.0.0.1', kubeconfigPath: join(home, 'narthex', 'kubeconfig'), apply: [join(home, 'hello.yaml')], log: (line) => lines.push(line), drainMs: 200 })
  kubectl = kubectlFor(join(home, 'narthex', 'kubeconfig'), home)
  await ok(kubectl('apply -f -', WEB))
  await ok(kubectl('rollout status deploy/web --timeout=10s'))
})
afterAll(async () => {
  await sandbox.close()
  rmSync(home, { recursive: true })
})

const ready = (): readonly string[] => sandbox.registry.list('endpointslices', 'default').map((slice) => slice as EndpointSlice)
  .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === 'web')
  .flatMap((slice) => (slice.endpoints ?? []).filter(({ conditions }) => conditions.ready).map(({ addresses: [ip] }) => `${ip}:${slice.ports?.[0]?.port}`))

function fetchFrom(where: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`http://${where}/`, { agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0)).on('error', reject)
    }).on('error', reject)
  })
}

const columns = (text: string): string[][] => text.trim().split('\n').map((line) => line.split(/ {2,}/))

describe('kubectl against the sandbox', () => {
  it('sees what a cluster has', async () => {
    expect(columns(await ok(kubectl('get ns --no-headers'))).map(([name, status]) => `${name} ${status}`)).toEqual(['default Active', 'kube-node-lease Active', 'kube-public Active', 'kube-system Active'])
    expect(columns(await ok(kubectl('get nodes --no-headers')))[0]?.slice(0, 2)).toEqual(['sandbox', 'Ready'])
    expect(await ok(kubectl('get ingressclass narthex -o name'))).toBe('ingressclass.networking.k8s.io/narthex\n')
  })

  it('gets pods with their addresses, the Deployment with its counts, and the endpoints', async () => {
    const pods = columns(await ok(kubectl('get pods -o wide --no-headers')))
    expect(pods.map(([, readyCount, status]) => `${readyCount} ${status}`)).toEqual(['1/1 Running', '1/1 Running'])
    expect(pods.every((row) => /^127\.10\.\d+\.\d+$/.test(row[5] ?? '') && row[6] === 'sandbox')).toBe(true)
    expect(columns(await ok(kubectl('get deploy web --no-headers')))[0]?.slice(0, 4)).toEqual(['web', '2/2', '2', '2'])
    expect(await ok(kubectl('get endpoints web --no-headers'))).toMatch(/^web +127\.10\.\d+\.\d+:8080,127\.10\.\d+\.\d+:8080 /)
  })

  it('describes a pod and a Deployment with their story', async () => {
    const pod = await ok(kubectl('describe pods -l app=web'))
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(pod).toMatch(new RegExp(`Normal +${reason} `))
    expect(pod).toMatch(/Ready +True/)
    expect(await ok(kubectl('describe deploy web'))).toMatch(/ScalingReplicaSet .* Scaled up replica set web-\w+ from 0 to 2/)
  })

  it('restarts, shows the history and rolls back', async () => {
    await ok(kubectl('set image deploy/web web=nginx:1.29'))
    expect(await ok(kubectl('rollout status deploy/web --timeout=10s'))).toContain('successfully rolled out')
    expect(await ok(kubectl('rollout history deploy/web'))).toMatch(/\n1 +.*\n2 /)
    await ok(kubectl('rollout undo deploy/web'))
    await ok(kubectl('rollout status deploy/web --timeout=10s'))
    expect(await ok(kubectl('get deploy web -o jsonpath={.spec.template.spec.containers[0].image}'))).toBe('nginx:1.17.1')
    await ok(kubectl('rollout restart deploy/web'))
    expect(await ok(kubectl('rollout status deploy/web --timeout=10s'))).toContain('successfully rolled out')
    await ok(kubectl('wait --for=condition=Available deploy/web --timeout=5s'))
  })

  it('prints the access log of a pod', async () => {
    const name = (await ok(kubectl('get pods -l app=web -o jsonpath={.items[0].metadata.name}'))).trim()
    await ok(kubectl(`get --raw /api/v1/namespaces/default/pods/${name}/proxy/logged?x=1`))
    expect(await ok(kubectl(`logs ${name} --tail=1`))).toMatch(/"GET \/logged\?x=1 HTTP\/1\.1" 200 /)
    expect(await ok(kubectl('logs deploy/web --tail=1'))).not.toBe('')
    const refused = await kubectl(`exec ${name} -- sh`)
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('the sandbox runs no containers')])
  })

  it('loses no request while it scales 5, 1, 5', async () => {
    await ok(kubectl('scale deploy web --replicas=5'))
    await ok(kubectl('rollout status deploy/web --timeout=10s'))
    const agent = new Agent({ keepAlive: true })
    const failures: string[] = []
    const progress = { changing: true, sent: 0 }
    const client = async (): Promise<void> => {
      while (progress.changing || progress.sent < 1000) {
        const targets = ready()
        const code = await fetchFrom(targets[progress.sent++ % targets.length] ?? 'none', agent).catch((error: Error) => error.message)
        if (code !== 200) failures.push(String(code))
      }
    }
    const clients = Promise.all([client(), client()])
    for (const replicas of [1, 5]) {
      await ok(kubectl(`scale deploy web --replicas=${replicas}`))
      await until(() => ready().length === replicas && sandbox.registry.list('pods', 'default').length === replicas)
    }
    progress.changing = false
    await clients
    agent.destroy()
    expect(failures).toEqual([])
    expect(progress.sent).toBeGreaterThanOrEqual(1000)
  })

  it('runs pods and Deployments that name no port, and exposes them', async () => {
    await ok(kubectl('create deployment plain --image=httpd'))
    await ok(kubectl('expose deployment plain --port=80'))
    await ok(kubectl('run single --image=busybox'))
    await ok(kubectl('wait --for=condition=Ready pod/single --timeout=5s'))
    await until(() => sandbox.registry.get('endpoints', 'default', 'plain')?.['subsets'] !== undefined)
    const proxied = async (path: string): Promise<unknown> => JSON.parse(await ok(kubectl(`get --raw /api/v1/namespaces/default/${path}/proxy/`)))
    expect(await proxied('services/plain')).toMatchObject({ pod: expect.stringMatching(/^plain-/), port: 80, image: 'httpd' })
    expect(await proxied('pods/single')).toMatchObject({ pod: 'single', port: 8080, image: 'busybox' })
  })

  it('keeps pods off a node that is cordoned', async () => {
    await ok(kubectl('cordon sandbox'))
    await ok(kubectl('run waiting --image=busybox'))
    await until(() => sandbox.registry.list('events', 'default').some((event) => event['reason'] === 'FailedScheduling'))
    expect(columns(await ok(kubectl('get pod waiting --no-headers')))[0]?.slice(1, 3)).toEqual(['0/1', 'Pending'])
    await ok(kubectl('uncordon sandbox'))
    await ok(kubectl('wait --for=condition=Ready pod/waiting --timeout=5s'))
  })

  it('deletes a pod in its grace period and by force', async () => {
    const [first = '', second = ''] = (await ok(kubectl('get pods -l app=web -o jsonpath={.items[*].metadata.name}'))).split(' ')
    expect(await ok(kubectl(`delete pod ${first} --timeout=10s`))).toContain('deleted')
    await ok(kubectl(`delete pod ${second} --force --grace-period=0`))
    await ok(kubectl('rollout status deploy/web --timeout=10s'))
  })

  it('deletes a namespace with everything in it', async () => {
    await ok(kubectl('create ns dev'))
    await ok(kubectl('apply -n dev -f -', WEB))
    await ok(kubectl('rollout status -n dev deploy/web --timeout=10s'))
    await ok(kubectl('delete ns dev --timeout=10s'))
    expect((await kubectl('get ns dev')).code).toBe(1)
  })
})

describe('files given to the sandbox', () => {
  it('are applied as kubectl would have done it', async () => {
    expect(lines).toContain(`${join(home, 'hello.yaml')}: 1 created`)
    const again = await kubectl(`apply -f ${join(home, 'hello.yaml')}`)
    expect([again.stdout, again.stderr]).toEqual(['configmap/hello unchanged\n', ''])
    expect((await ok(kubectl(`apply --server-side -f ${join(home, 'hello.yaml')}`)))).toBe('configmap/hello serverside-applied\n')
  })

  it('are applied again when they change', async () => {
    writeFileSync(join(home, 'hello.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hello}\ndata: {a: changed}\n')
    await until(() => (sandbox.registry.get('configmaps', 'default', 'hello')?.['data'] as { a?: string })?.a === 'changed')
  })
})

describe('the sandbox', () => {
  it('writes a kubeconfig for its address', () => {
    expect(readFileSync(join(home, 'narthex', 'kubeconfig'), 'utf8')).toContain(sandbox.url)
  })

  it('has no controller that is in trouble', () => {
    expect(lines.filter((line) => !line.includes('hello.yaml'))).toEqual([])
  })

  it('says so when its port is taken, and leaves nothing behind', async () => {
    await expect(startSandbox({ apiPort: sandbox.port, address: '127.0.0.1', kubeconfigPath: join(home, 'other'), apply: [], log: () => undefined })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
