// Sessions through the whole controller, on several threads: a Service's sessionAffinity, an Ingress' cookie, and its ClusterIP alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, fetchHost, podOf, type Answer } from '../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'

let narthex: Narthex
let kubectl: Kubectl
const ask = (name: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => fetchHost({ port: narthex.ports['http'] ?? 0, host: `${name}.example.com`, headers })
/** A connection each, so that every thread gets some. */
const pods = async (name: string, headers: Readonly<Record<string, string>>, count = 12): Promise<string[]> =>
  [...new Set(await Promise.all(Array.from({ length: count }, async () => podOf(await ask(name, headers)))))].sort()

const served = (name: string, annotations: string, spec: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]${spec}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, annotations: {${annotations}}}
spec:
  ingressClassName: narthex
  rules: [{host: ${name}.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${name}, port: {number: 80}}}}]}}]
---`

beforeAll(async () => {
  narthex = await startNarthex(['sandbox', '--threads=3', '--use-forwarded-headers', '--proxy-real-ip-cidr=127.0.0.1'])
  kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
  await ok(kubectl('apply -f -', `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1", ports: [{containerPort: 8080}]}]}}
---${served('client', '', ', sessionAffinity: ClientIP')}${served('cookie', '"nginx.ingress.kubernetes.io/affinity": cookie, "nginx.ingress.kubernetes.io/affinity-mode": persistent, "nginx.ingress.kubernetes.io/session-cookie-max-age": "600"', '')}${served('upstream', '"nginx.ingress.kubernetes.io/service-upstream": "true"', '')}${served('local', '', ', internalTrafficPolicy: Local')}`))
  await ok(kubectl('rollout status deploy/web --timeout=10s'))
  for (const name of ['client', 'cookie', 'upstream']) await eventually(() => ask(name), ({ status }) => status === 200)
  await eventually(() => pods('cookie', {}, 12), (seen) => seen.length === 3)
})
afterAll(() => narthex.stop())

describe('sessions', () => {
  it('of a client are of one pod, on every thread, and other clients have others', async () => {
    const seen = new Set<string>()
    for (let i = 0; i < 8; i++) {
      const own = await pods('client', { 'x-forwarded-for': `198.51.100.${i}` })
      expect(own).toHaveLength(1)
      seen.add(own[0] ?? '')
    }
    expect(seen.size).toBeGreaterThan(1)
  })

  it('of a cookie are of one pod until it goes, then of another', async () => {
    const first = await ask('cookie')
    const [setCookie = ''] = first.headers['set-cookie'] ?? []
    expect(setCookie).toMatch(/^INGRESSCOOKIE=[\w-]{22}; Max-Age=600; Path=\/; HttpOnly$/)
    const cookie = setCookie.split(';')[0] ?? ''
    expect(await pods('cookie', { cookie })).toEqual([podOf(first)])
    await ok(kubectl(`delete pod ${podOf(first)} --now`))
    const moved = await eventually(() => ask('cookie', { cookie }), (answer) => answer.status === 200 && podOf(answer) !== podOf(first))
    expect(moved.headers['set-cookie']?.[0]).toMatch(/^INGRESSCOOKIE=/)
  })

  it('are of pods of this node where the Service wants no others: in the sandbox, of all', async () => {
    await eventually(() => pods('local', {}, 12), (seen) => seen.length === 3)
  })

  it('have no say where the ClusterIP alone is asked', async () => {
    const { backends } = (await (await fetch(`http://127.0.0.1:${narthex.ports['admin']}/api/routes`)).json()) as { backends: { id: string; endpoints: { address: string; port: number }[] }[] }
    const clusterIP = (await ok(kubectl('get service upstream -o jsonpath={.spec.clusterIP}'))).trim()
    expect(backends.find(({ id }) => id === 'default/upstream:80;service-upstream')?.endpoints).toMatchObject([{ address: clusterIP, port: 80 }])
    expect((await pods('upstream', {}, 4))[0]).toMatch(/^web-/)
  })
})
