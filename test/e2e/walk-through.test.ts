// The walk-through of examples/walk-through/README.md, command by command, with real kubectl, curl and openssl.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, podOf } from '../support/fetch-host.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

const exec = promisify(execFile)
const FILES = 'examples/walk-through'

let sandbox: Sandbox
const http = () => sandbox.ports['http'] ?? 0
const https = () => sandbox.ports['https'] ?? 0
const curl = async (...args: string[]): Promise<string> => (await exec('curl', ['-sS', '--max-time', '10', ...args])).stdout
const lines = (text: string): string[][] => text.trim().split('\n').map((line) => line.split(/ {2,}/))

beforeAll(async () => {
  sandbox = await startSandbox()
})
afterAll(async () => {
  expect(await sandbox.stop()).toBe(0)
})

describe('the walk-through', () => {
  it('creates the namespace and two Deployments of three pods', async () => {
    expect(await sandbox.kube('create ns dev')).toBe('namespace/dev created\n')
    expect(await sandbox.kube(`apply -f ${FILES}/tomcat-nginx.yaml`)).toBe(
      'deployment.apps/nginx-deployment created\ndeployment.apps/tomcat-deployment created\nservice/nginx-service created\nservice/tomcat-service created\n',
    )
    await sandbox.rolledOut('nginx-deployment', 'dev')
    await sandbox.rolledOut('tomcat-deployment', 'dev')
  })

  it('serves an Ingress as soon as kubectl apply returns', async () => {
    expect(await sandbox.kube(`apply -f ${FILES}/ingress-http.yaml`)).toBe('ingress.networking.k8s.io/ingress-http created\n')
    await eventually(() => sandbox.ask('nginx.example.com'), (answer) => answer.status === 200, { every: 1 })
  })

  it("serves a change within 100 ms of the API's answer (printed)", async () => {
    const api = `http://127.0.0.1:${sandbox.ports['api']}/apis/networking.k8s.io/v1/namespaces/dev/ingresses`
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const host = `late-${i}.example.com`
      const backend = { service: { name: 'nginx-service', port: { number: 80 } } }
      const spec = { ingressClassName: 'narthex', rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] }
      const created = await fetch(api, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: `late-${i}` }, spec }) })
      expect(created.status).toBe(201)
      const answered = performance.now()
      await eventually(() => sandbox.ask(host), (answer) => answer.status === 200, { every: 1 })
      times.push(performance.now() - answered)
    }
    process.stdout.write(`served ${times.map((ms) => ms.toFixed(0)).join(', ')} ms after the API's answer\n`)
    await sandbox.kube('delete ingress -n dev late-0 late-1 late-2 late-3 late-4')
  })

  it('is answered by the three nginx pods in turn', async () => {
    const pods: string[] = []
    for (let i = 0; i < 6; i++) pods.push((await curl('-H', 'Host: nginx.example.com', `http://127.0.0.1:${http()}/`)).split(' ')[0] ?? '')
    expect(pods.every((pod) => pod.startsWith('nginx-deployment-'))).toBe(true)
    expect(new Set(pods.slice(0, 3)).size).toBe(3)
    expect(pods.slice(3)).toEqual(pods.slice(0, 3))
  })

  it('answers the other host from the other Deployment, and 404 for a host that nobody asked for', async () => {
    expect(await curl('-H', 'Host: tomcat.example.com', `http://127.0.0.1:${http()}/`)).toMatch(/^tomcat-deployment-/)
    expect(await curl('-H', 'Host: other.example.com', '-o', '/dev/null', '-w', '%{http_code}', `http://127.0.0.1:${http()}/`)).toBe('404')
  })

  it('prints the columns of a real cluster', async () => {
    const get = async (what: string) => lines(await sandbox.kube(`get ${what} -n dev -o wide`))
    expect((await get('pods'))[0]).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES'])
    expect((await get('svc'))[0]).toEqual(['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE', 'SELECTOR'])
    expect((await get('ep'))[0]).toEqual(['NAME', 'ENDPOINTS', 'AGE'])
    expect((await get('endpointslices'))[0]).toEqual(['NAME', 'ADDRESSTYPE', 'PORTS', 'ENDPOINTS', 'AGE'])
    expect((await get('ing'))[0]).toEqual(['NAME', 'CLASS', 'HOSTS', 'ADDRESS', 'PORTS', 'AGE'])
    const ingress = await eventually(() => get('ing'), (rows) => rows[1]?.[3] === '127.0.0.1')
    expect(ingress[1]?.slice(0, 5)).toEqual(['ingress-http', 'narthex', 'nginx.example.com,tomcat.example.com', '127.0.0.1', '80'])
    const pods = await get('pods')
    expect(pods.slice(1).map((row) => `${row[1]} ${row[2]}`)).toEqual(Array.from({ length: 6 }, () => '1/1 Running'))
  })

  it('describes the Ingress with its three endpoints a host and the events of the controller', async () => {
    const text = await eventually(() => sandbox.kube('describe ing ingress-http -n dev'), (each) => each.includes('Sync'))
    const backends = /nginx-service:80 \(([^)]*)\)/.exec(text)?.[1]?.split(',') ?? []
    expect(backends).toHaveLength(3)
    expect(backends.every((endpoint) => /^127\.\d+\.\d+\.\d+:80$/.test(endpoint))).toBe(true)
    expect(text).toMatch(/Normal\s+Sync\s+.*narthex/)
  })

  it('reaches five pods after a scale to five', async () => {
    await sandbox.kube('scale deploy nginx-deployment --replicas=5 -n dev')
    await sandbox.rolledOut('nginx-deployment', 'dev')
    const round = async () => {
      const pods = new Set<string>()
      for (let i = 0; i < 5; i++) pods.add(podOf(await sandbox.ask('nginx.example.com')))
      return pods.size
    }
    await eventually(round, (size) => size === 5)
  })

  it('serves HTTPS with the Secret that kubectl made', async () => {
    const key = join(sandbox.home, 'tls.key')
    const cert = join(sandbox.home, 'tls.crt')
    await exec('openssl', ['req', '-x509', '-nodes', '-days', '2', '-newkey', 'rsa:2048', '-keyout', key, '-out', cert, '-subj', '/CN=nginx.example.com', '-addext', 'subjectAltName=DNS:nginx.example.com,DNS:tomcat.example.com'])
    expect(await sandbox.kube(`create secret tls tls-secret --key ${key} --cert ${cert} -n dev`)).toBe('secret/tls-secret created\n')
    await sandbox.kube(`apply -f ${FILES}/ingress-https.yaml`)
    const get = (host: string) => curl('--cacert', cert, '--resolve', `${host}:${https()}:127.0.0.1`, `https://${host}:${https()}/`).catch((error: Error) => error.message)
    expect(await eventually(() => get('nginx.example.com'), (body) => body.startsWith('nginx-deployment-'))).toMatch(/^nginx-deployment-/)
    expect(await get('tomcat.example.com')).toMatch(/^tomcat-deployment-/)
  })

  it('redirects plain HTTP to the HTTPS port once the host has TLS', async () => {
    const { status, headers } = await eventually(() => sandbox.ask('nginx.example.com', { path: '/a?b=c' }), (answer) => answer.status === 308)
    expect([status, headers.location]).toEqual([308, `https://nginx.example.com:${https()}/a?b=c`])
    const challenge = await sandbox.ask('nginx.example.com', { path: '/.well-known/acme-challenge/token' })
    expect(challenge.status).toBe(200)
  })

  it('shows ports 80, 443 for an Ingress with TLS', async () => {
    const rows = lines(await sandbox.kube('get ing ingress-https -n dev'))
    expect(rows[1]?.[4]).toBe('80, 443')
  })

  it('answers 404 at once after the Ingresses are deleted', async () => {
    await sandbox.kube('delete ing ingress-https ingress-http -n dev')
    const answer = await eventually(() => sandbox.ask('nginx.example.com'), (each) => each.status === 404)
    expect(answer.body).toContain('404 Not Found')
  })

  it('takes the old forms that tutorials print', async () => {
    await sandbox.kube(`apply -f ${FILES}/old-form/ingress-http.yaml`)
    await eventually(() => sandbox.ask('nginx.example.com'), (answer) => answer.status === 200)
    await sandbox.kube(`apply -f ${FILES}/old-form/ingress-https.yaml`)
    const spec = JSON.parse(await sandbox.kube('get ingresses.v1.networking.k8s.io ingress-https -n dev -o json')) as { spec: { rules: { http: { paths: unknown[] } }[] } }
    expect(spec.spec.rules[0]?.http.paths[0]).toEqual({ path: '/', pathType: 'ImplementationSpecific', backend: { service: { name: 'nginx-service', port: { number: 80 } } } })
    await eventually(() => sandbox.ask('nginx.example.com'), (answer) => answer.status === 308)
  })

  it('deletes the namespace with everything in it', async () => {
    await sandbox.kube('delete ns dev --timeout=20s')
    expect(await sandbox.kube('get ns -o name')).not.toContain('namespace/dev\n')
    await eventually(() => sandbox.ask('nginx.example.com'), (answer) => answer.status === 404)
  })
})
