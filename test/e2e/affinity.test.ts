// Sessions through the whole controller, on several threads: a Service's sessionAffinity, an Ingress' cookie, and its ClusterIP alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, podOf, type Answer } from '../support/fetch-host.ts'
import { deployment, ingress, service } from '../support/manifests.ts'
import { runNarthex } from '../support/narthex.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

let sandbox: Sandbox
const ask = (name: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => sandbox.ask(`${name}.example.com`, { headers })
/** A connection each, so that every thread gets some. */
const pods = (name: string, headers: Readonly<Record<string, string>>, count = 12): Promise<readonly string[]> => sandbox.seen(`${name}.example.com`, count, { headers })

const served = (name: string, annotations: string, spec: string): string => service(name, { service: spec }, 'web') + ingress(name, { host: `${name}.example.com`, annotations })

const admin = (): string => `http://127.0.0.1:${sandbox.ports['admin']}`

async function foreseen(name: string, from: string): Promise<{ readonly pod: string | undefined; readonly why: string | undefined }> {
  const { stdout } = await runNarthex(['explain', `http://${name}.example.com/`, '--from', from, '--admin', admin(), '-o', 'json'])
  const { endpoint, backend } = JSON.parse(stdout) as { endpoint: { id: string | null; why: string } | null; backend: { endpoints: { id: string; podName?: string }[] } }
  return { pod: backend.endpoints.find(({ id }) => id === endpoint?.id)?.podName, why: endpoint?.why }
}

beforeAll(async () => {
  sandbox = await startSandbox('--threads=3', '--use-forwarded-headers', '--proxy-real-ip-cidr=127.0.0.1')
  await sandbox.apply([
    deployment('web', { replicas: 3 }),
    served('client', '', 'sessionAffinity: ClientIP'),
    served('cookie', '"nginx.ingress.kubernetes.io/affinity": cookie, "nginx.ingress.kubernetes.io/affinity-mode": persistent, "nginx.ingress.kubernetes.io/session-cookie-max-age": "600"', ''),
    served('upstream', '"nginx.ingress.kubernetes.io/service-upstream": "true"', ''),
    served('hashed', '"narthex.ingress.kubernetes.io/scheduler": sh', ''),
    served('turns', '', ''),
    served('local', '', 'internalTrafficPolicy: Local'),
  ].join(''))
  await sandbox.rolledOut('web')
  for (const name of ['client', 'cookie', 'upstream', 'hashed', 'turns']) await eventually(() => ask(name), ({ status }) => status === 200)
  await eventually(() => pods('cookie', {}, 12), (seen) => seen.length === 3)
})
afterAll(() => sandbox.stop())

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

  it('can be foreseen: narthex explain --from names the pod that a client has or will get', async () => {
    for (let i = 10; i < 14; i++) {
      const address = `198.51.100.${i}`
      const hashed = await foreseen('hashed', address)
      expect(hashed).toMatchObject({ pod: podOf(await ask('hashed', { 'x-forwarded-for': address })), why: 'by the hash of sh' })
    }
    const client = '198.51.100.20'
    expect(await foreseen('client', client)).toEqual({ pod: undefined, why: `rr looks at no client; ${client} then stays with it (sessionAffinity ClientIP)` })
    const pod = podOf(await ask('client', { 'x-forwarded-for': client }))
    expect(await foreseen('client', client)).toEqual({ pod, why: `${client} had it last (sessionAffinity ClientIP)` })
    expect(await foreseen('turns', client)).toEqual({ pod: undefined, why: 'rr looks at no client' })
    expect(await foreseen('cookie', client)).toEqual({ pod: undefined, why: 'the cookie INGRESSCOOKIE decides, whoever sends it' })
    const text = await runNarthex(['explain', 'http://client.example.com/', '--from', client, '--admin', admin()])
    expect(text.stdout).toMatch(/^endpoint +127\.\S+:8080: 198\.51\.100\.20 had it last/m)
    const bad = await runNarthex(['explain', 'http://client.example.com/', '--from', 'me', '--admin', admin()])
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('"me" is no IP address')])
  })

  it('of a cookie are of one pod until it goes, then of another', async () => {
    const first = await ask('cookie')
    const [setCookie = ''] = first.headers['set-cookie'] ?? []
    expect(setCookie).toMatch(/^INGRESSCOOKIE=[\w-]{22}; Max-Age=600; Path=\/; HttpOnly$/)
    const cookie = setCookie.split(';')[0] ?? ''
    expect(await pods('cookie', { cookie })).toEqual([podOf(first)])
    await sandbox.kube(`delete pod ${podOf(first)} --now`)
    const moved = await eventually(() => ask('cookie', { cookie }), (answer) => answer.status === 200 && podOf(answer) !== podOf(first))
    expect(moved.headers['set-cookie']?.[0]).toMatch(/^INGRESSCOOKIE=/)
  })

  it('are of pods of this node where the Service wants no others: in the sandbox, of all', async () => {
    await eventually(() => pods('local', {}, 12), (seen) => seen.length === 3)
  })

  it('have no say where the ClusterIP alone is asked', async () => {
    const { backends } = JSON.parse(await sandbox.admin('/api/routes')) as { backends: { id: string; endpoints: { address: string; port: number }[] }[] }
    const clusterIP = (await sandbox.kube('get service upstream -o jsonpath={.spec.clusterIP}')).trim()
    expect(backends.find(({ id }) => id === 'default/upstream:80;service-upstream')?.endpoints).toMatchObject([{ address: clusterIP, port: 80 }])
    expect((await pods('upstream', {}, 4))[0]).toMatch(/^web-/)
  })
})
