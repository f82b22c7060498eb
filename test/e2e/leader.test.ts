// Two controllers against one API: one writes status and Events, the other takes its place when it dies or leaves. Both serve.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, fetchHost } from '../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'

let cluster: Narthex
let kubectl: Kubectl
const running = new Map<string, Narthex>()

async function start(address: string): Promise<void> {
  const args = ['run', `--kubeconfig=${cluster.kubeconfig}`, '--address=127.0.0.1', '--threads=1', '--allow-loopback-endpoints', '--election-ttl=2s', '--election-id=turns', `--publish-status-address=${address}`]
  running.set(address, await startNarthex(args, { POD_NAMESPACE: 'kube-system' }))
}

const addressOf = async (name: string): Promise<string> => (await ok(kubectl(`get ing ${name} -o jsonpath={.status.loadBalancer.ingress[*].ip}`))).trim()
const holder = (): Promise<string> => ok(kubectl('get lease turns -n kube-system -o jsonpath={.spec.holderIdentity}'))

async function isLeader(address: string): Promise<boolean> {
  const port = running.get(address)?.ports['admin']
  return /^narthex_leader 1$/m.test(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
}

const ingress = (name: string): string => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}}
spec:
  ingressClassName: narthex
  rules: [{host: ${name}.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: nobody, port: {number: 80}}}}]}}]
`

beforeAll(async () => {
  cluster = await startNarthex(['sandbox', '--api-only'])
  kubectl = kubectlFor(cluster.kubeconfig, cluster.home)
  await ok(kubectl('apply -f manifests/20-ingressclass.yaml'))
  await start('192.0.2.1')
  await eventually(() => isLeader('192.0.2.1'), Boolean)
  await start('192.0.2.2')
})
afterAll(async () => {
  for (const each of running.values()) await each.stop()
  await cluster.stop()
})

it('one writes the status and the Events, both serve', async () => {
  await ok(kubectl('apply -f -', ingress('first')))
  await eventually(() => addressOf('first'), (address) => address === '192.0.2.1')
  for (const each of running.values()) await eventually(() => fetchHost({ port: each.ports['http'] ?? 0, host: 'first.example' }), ({ status }) => status === 503)
  await eventually(() => ok(kubectl('get events --field-selector involvedObject.name=first,reason=ServiceNotFound')), (text) => text.includes('nobody'))
  expect([await isLeader('192.0.2.1'), await isLeader('192.0.2.2')]).toEqual([true, false])
  expect(await addressOf('first')).toBe('192.0.2.1')
  const events = await ok(kubectl('get events --field-selector involvedObject.name=first,reason=ServiceNotFound -o jsonpath={.items[*].count}'))
  expect(events.trim()).toBe('1')
})

it('when it dies without a word, the other takes its place after the time of the lease', async () => {
  const before = await holder()
  await running.get('192.0.2.1')?.stop('SIGKILL')
  running.delete('192.0.2.1')
  await eventually(() => addressOf('first'), (address) => address === '192.0.2.2', { within: 15_000, every: 50 })
  expect(await holder()).not.toBe(before)
  expect(await ok(kubectl('get lease turns -n kube-system -o jsonpath={.spec.leaseTransitions}'))).toBe('1')
})

it('one that comes back follows, until the leader leaves', async () => {
  await start('192.0.2.1')
  await ok(kubectl('apply -f -', ingress('second')))
  await eventually(() => addressOf('second'), (address) => address === '192.0.2.2')
  expect(await isLeader('192.0.2.1')).toBe(false)
  expect(await running.get('192.0.2.2')?.stop()).toBe(0)
  running.delete('192.0.2.2')
  await eventually(() => addressOf('second'), (address) => address === '192.0.2.1')
})

it('while the API server does not answer nobody leads; then one does again', async () => {
  process.kill(cluster.pid, 'SIGSTOP')
  try {
    await eventually(() => isLeader('192.0.2.1'), (leads) => !leads)
  } finally {
    process.kill(cluster.pid, 'SIGCONT')
  }
  await eventually(() => isLeader('192.0.2.1'), Boolean)
})
