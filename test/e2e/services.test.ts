// The sandbox as a whole: the ingress behind a NodePort and a LoadBalancer Service, names by DNS, one address for each Service.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { app, ingress } from '../support/manifests.ts'
import { runNarthex } from '../support/narthex.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

const exec = promisify(execFile)
let sandbox: Sandbox

const OBJECTS = app('web', { replicas: 2, port: 8000 }) + ingress('web', { host: 'web.example.com', port: 8000 })

const run = async (command: string, ...args: string[]): Promise<string> => (await exec(command, args)).stdout.trim()
const curl = (url: string): Promise<string> => run('curl', '-sS', '--max-time', '10', '-H', 'Host: web.example.com', url)
const field = (service: string, path: string): Promise<string> => sandbox.kube(`get svc ${service} -n narthex -o jsonpath={${path}}`)

beforeAll(async () => {
  sandbox = await startSandbox('--threads=1')
  await sandbox.apply(OBJECTS)
  await sandbox.rolledOut('web')
})
afterAll(async () => {
  expect(await sandbox.stop()).toBe(0)
})

describe('the ingress', () => {
  it('answers at the NodePort of its Service, for HTTP and HTTPS', async () => {
    const port = await field('narthex-nodeport', '.spec.ports[0].nodePort')
    expect(await eventually(() => curl(`http://127.0.0.1:${port}/`).catch(() => ''), (text) => text.startsWith('web-'))).toMatch(/^web-/)
    const secure = await field('narthex-nodeport', '.spec.ports[1].nodePort')
    expect(await run('curl', '-sSk', '--max-time', '10', '-H', 'Host: web.example.com', `https://127.0.0.1:${secure}/`)).toMatch(/^web-/)
  })

  it('answers at the address of its load balancer, or says why it does not', async () => {
    const address = await eventually(() => field('narthex', '.status.loadBalancer.ingress[0].ip'), (text) => text !== '')
    const outcome = await eventually(() => curl(`http://${address}/`).catch(() => sandbox.stderr()), (text) => /^web-|below 1024/m.test(text))
    expect(outcome).toMatch(/^web-|below 1024/m)
    expect((await sandbox.kube('get svc -n narthex')).split('\n')[1]).toMatch(new RegExp(`^narthex +LoadBalancer +127\\.96\\.\\d+\\.\\d+ +${address} +80:\\d+/TCP,443:\\d+/TCP`))
  })
})

describe('a Service', () => {
  it('is found by name as in a cluster, and answers at what the name says', async () => {
    const address = await run('dig', '+short', '@127.0.0.1', '-p', String(sandbox.ports['dns']), 'web.default.svc.cluster.local')
    expect(address).toBe(await sandbox.kube('get svc web -o jsonpath={.spec.clusterIP}'))
    expect(await curl(`http://${address}:8000/`)).toMatch(/^web-/)
    expect(sandbox.stdout()).toContain(`dig @127.0.0.1 -p ${sandbox.ports['dns']} kubernetes.default.svc.cluster.local`)
  })

  it('is told to pods by their environment', async () => {
    await sandbox.kube('rollout restart deploy/web')
    await sandbox.rolledOut('web')
    const address = await sandbox.kube('get svc web -o jsonpath={.spec.clusterIP}')
    const variables = await eventually(() => curl(`http://${address}:8000/env`).catch(() => ''), (text) => text.includes('WEB_SERVICE_HOST'))
    expect(variables).toContain(`WEB_SERVICE_HOST=${address}\nWEB_SERVICE_PORT=8000`)
    expect(variables).toMatch(/^KUBERNETES_SERVICE_HOST=127\.96\./m)
  })

  it('is listed with its real servers and their counts', async () => {
    const real = /^TCP {2}127\.96\.\d+\.\d+:8000 rr # ClusterIP default\/web\n( {2}-> 127\.10\.\d+\.\d+:8080 +Masq {4}1 +\d+ +\d+\n){2}/m
    const api = `http://127.0.0.1:${sandbox.ports['api']}`
    expect(await run('curl', '-sS', `${api}/sandbox/services`)).toMatch(real)
    expect((await runNarthex(['sandbox', 'services', '--api', api])).stdout).toMatch(real)
    const json = await runNarthex(['sandbox', 'services', '-o', 'json'], { env: { NARTHEX_API: api } })
    expect(JSON.parse(json.stdout)).toContainEqual(expect.objectContaining({ service: 'default/web', kind: 'ClusterIP', scheduler: 'rr' }))
  })

  it('is balanced by the scheduler and the weights that it asks for, and the listing shows them', async () => {
    const listing = (): Promise<string> => run('curl', '-sS', `http://127.0.0.1:${sandbox.ports['api']}/sandbox/services`)
    const behind = (text: string): readonly string[] => /:8000 wrr # ClusterIP default\/web\n((?: {2}-> .*\n)*)/.exec(text)?.[1]?.match(/127\S+ +Masq +\d+/g)?.map((line) => line.replace(/ +Masq +/, ' ')) ?? []
    await sandbox.kube('annotate service web narthex.ingress.kubernetes.io/scheduler=wrr')
    const [first = '', second = ''] = (await eventually(async () => behind(await listing()), (servers) => servers.length === 2)).map((each) => each.split(':')[0] ?? '')
    await sandbox.kube(`annotate service web narthex.ingress.kubernetes.io/weights=${first}=3`)
    await eventually(async () => behind(await listing()), (servers) => servers.join() === `${first}:8080 3,${second}:8080 1`)
    const address = await sandbox.kube('get svc web -o jsonpath={.spec.clusterIP}')
    const answers: string[] = []
    for (let i = 0; i < 8; i++) answers.push(/\((\S+):8080\)/.exec(await curl(`http://${address}:8000/`))?.[1] ?? '')
    expect([first, second].map((pod) => answers.filter((each) => each === pod).length)).toEqual([6, 2])
  })
})
