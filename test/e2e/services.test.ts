// The sandbox as a whole: the ingress behind a NodePort and a LoadBalancer Service, names by DNS, one address for each Service.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { app, ingress } from '../support/manifests.ts'
import { runNarthex, startNarthex, type Narthex } from '../support/narthex.ts'

const exec = promisify(execFile)
let narthex: Narthex
let kubectl: Kubectl

const OBJECTS = app('web', { replicas: 2, port: 8000 }) + ingress('web', { host: 'web.example.com', port: 8000 })

const run = async (command: string, ...args: string[]): Promise<string> => (await exec(command, args)).stdout.trim()
const curl = (url: string): Promise<string> => run('curl', '-sS', '--max-time', '10', '-H', 'Host: web.example.com', url)
const field = (service: string, path: string): Promise<string> => ok(kubectl(`get svc ${service} -n narthex -o jsonpath={${path}}`))

beforeAll(async () => {
  narthex = await startNarthex(['sandbox', '--threads=1'])
  kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
  await ok(kubectl('apply -f -', OBJECTS))
  await ok(kubectl('rollout status deploy/web --timeout=10s'))
})
afterAll(async () => {
  expect(await narthex.stop()).toBe(0)
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
    const outcome = await eventually(() => curl(`http://${address}/`).catch(() => narthex.stderr()), (text) => /^web-|below 1024/m.test(text))
    expect(outcome).toMatch(/^web-|below 1024/m)
    expect((await ok(kubectl('get svc -n narthex'))).split('\n')[1]).toMatch(new RegExp(`^narthex +LoadBalancer +127\\.96\\.\\d+\\.\\d+ +${address} +80:\\d+/TCP,443:\\d+/TCP`))
  })
})

describe('a Service', () => {
  it('is found by name as in a cluster, and answers at what the name says', async () => {
    const address = await run('dig', '+short', '@127.0.0.1', '-p', String(narthex.ports['dns']), 'web.default.svc.cluster.local')
    expect(address).toBe(await ok(kubectl('get svc web -o jsonpath={.spec.clusterIP}')))
    expect(await curl(`http://${address}:8000/`)).toMatch(/^web-/)
    expect(narthex.stdout()).toContain(`dig @127.0.0.1 -p ${narthex.ports['dns']} kubernetes.default.svc.cluster.local`)
  })

  it('is told to pods by their environment', async () => {
    await ok(kubectl('rollout restart deploy/web'))
    await ok(kubectl('rollout status deploy/web --timeout=15s'))
    const address = await ok(kubectl('get svc web -o jsonpath={.spec.clusterIP}'))
    const variables = await eventually(() => curl(`http://${address}:8000/env`).catch(() => ''), (text) => text.includes('WEB_SERVICE_HOST'))
    expect(variables).toContain(`WEB_SERVICE_HOST=${address}\nWEB_SERVICE_PORT=8000`)
    expect(variables).toMatch(/^KUBERNETES_SERVICE_HOST=127\.96\./m)
  })

  it('is listed with its real servers and their counts', async () => {
    const real = /^TCP {2}127\.96\.\d+\.\d+:8000 rr # ClusterIP default\/web\n( {2}-> 127\.10\.\d+\.\d+:8080 +Masq {4}1 +\d+ +\d+\n){2}/m
    const api = `http://127.0.0.1:${narthex.ports['api']}`
    expect(await run('curl', '-sS', `${api}/sandbox/services`)).toMatch(real)
    expect((await runNarthex(['sandbox', 'services', '--api', api])).stdout).toMatch(real)
    const json = await runNarthex(['sandbox', 'services', '-o', 'json'], { env: { NARTHEX_API: api } })
    expect(JSON.parse(json.stdout)).toContainEqual(expect.objectContaining({ service: 'default/web', kind: 'ClusterIP', scheduler: 'rr' }))
  })
})
