// Schedulers from the annotation to the pods: kubectl, four threads, real requests.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, podOf, type Answer } from '../support/fetch-host.ts'
import { app, ingress } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

const OWN = 'narthex.ingress.kubernetes.io'
const APP = { namespace: 'dev', replicas: 3, containerPort: 80 }
const OBJECTS = app('web', APP) + ingress('web', { namespace: 'dev', host: 'web.example', annotations: `${OWN}/scheduler: lc` })

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox('--threads=4')
  await sandbox.kube('create ns dev')
  await sandbox.apply(OBJECTS)
  await sandbox.rolledOut('web', 'dev')
  await eventually(() => ask(), (answer) => answer.status === 200)
})
afterAll(async () => {
  expect(await sandbox.stop()).toBe(0)
})

const ask = (path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Answer> => sandbox.ask('web.example', { path, headers })
const pods = async (count: number, headers?: (i: number) => Readonly<Record<string, string>>): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: count }, async (_, i) => podOf(await ask('/', headers?.(i)))))

/** By the routes that all threads serve. */
async function scheduled(text: string): Promise<void> {
  await eventually(() => sandbox.admin('/api/routes'), (routes) => routes.includes(text))
}

async function inFlight(): Promise<readonly number[]> {
  return [...(await sandbox.admin('/metrics')).matchAll(/^narthex_endpoint_requests_in_flight\{.*service="web".*\} (\d+)$/gm)].map((match) => Number(match[1]))
}

it('lc over four threads: requests at once are spread evenly, and the metrics show them', async () => {
  await scheduled('"scheduler":"lc"')
  const answers = Array.from({ length: 12 }, () => ask('/delay/4000'))
  await eventually(inFlight, (counts) => counts.length === 3 && counts.every((count) => count === 4))
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200))
  await eventually(inFlight, (counts) => counts.every((count) => count === 0))
})

it('lc, one by one: all pods in turn', async () => {
  const seen = new Map<string, number>()
  for (let i = 0; i < 30; i++) {
    const pod = podOf(await ask())
    seen.set(pod, (seen.get(pod) ?? 0) + 1)
  }
  expect([...seen.values()]).toEqual([10, 10, 10])
})

it('a hash key without a scheduler: each user stays with a pod', async () => {
  await sandbox.kube(`annotate ing web -n dev ${OWN}/scheduler- ${OWN}/hash-key=header:X-User`)
  await scheduled('"scheduler":"mh"')
  const first = await pods(30, (i) => ({ 'X-User': `user-${i}` }))
  expect(await pods(30, (i) => ({ 'X-User': `user-${i}` }))).toEqual(first)
  expect(new Set(first).size).toBe(3)
})

it('what the Service says goes before its Ingress; a pod that weighs 0 is drained', async () => {
  const [drained = '', other = ''] = (await sandbox.kube('get pods -n dev -o jsonpath={.items[*].metadata.name}')).split(' ')
  await sandbox.kube(`annotate svc web -n dev ${OWN}/scheduler=wrr ${OWN}/weights=pod:${drained}=0,pod:${other}=3`)
  await scheduled('"scheduler":"wrr"')
  const seen = await pods(40)
  const count = (pod: string): number => seen.filter((each) => each === pod).length
  expect([count(drained), count(other)]).toEqual([0, 30])
})

it('an unknown scheduler leaves an Event, and the default one serves', async () => {
  await sandbox.kube(`annotate svc web -n dev ${OWN}/scheduler- ${OWN}/weights-`)
  await sandbox.kube(`annotate ing web -n dev ${OWN}/hash-key- ${OWN}/scheduler=fastest`)
  await eventually(() => sandbox.kube('get events -n dev'), (text) => text.includes('AnnotationInvalid') && text.includes('"fastest" is no scheduler'))
  await scheduled('"scheduler":"rr"')
  expect(new Set(await pods(6)).size).toBe(3)
})
