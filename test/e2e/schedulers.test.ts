// Every scheduler by its ipvsadm name, from the annotation on a Service to three pods of weights 1, 2 and 3, over four threads; flags, keys
// and what becomes of mistakes.
import { Agent } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SCHEDULERS, type Scheduler } from '../../src/model/scheduler.ts'
import { eventually, podOf, type Answer } from '../support/fetch-host.ts'
import { app, ingress } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

const OWN = 'narthex.ingress.kubernetes.io'
const NGINX = 'nginx.ingress.kubernetes.io'

let sandbox: Sandbox
/** In the order of their addresses, which is that of their endpoints: weights 1, 2 and 3. */
let pods: readonly string[] = []

const ask = (path = '/', headers: Readonly<Record<string, string>> = {}, agent?: Agent): Promise<Answer> =>
  sandbox.ask('web.example', { path, headers, ...(agent !== undefined && { agent }) })
const routes = (): Promise<string> => sandbox.admin('/api/routes')

/** One after the other: how many each pod got. Without an agent each over a connection of its own, so that every thread gets some. */
async function counts(requests: number, agent?: Agent): Promise<readonly number[]> {
  const seen = new Map(pods.map((pod) => [pod, 0]))
  for (let i = 0; i < requests; i++) {
    const pod = podOf(await ask('/', {}, agent))
    seen.set(pod, (seen.get(pod) ?? 0) + 1)
  }
  return [...seen.values()]
}

async function annotate(kind: 'svc' | 'ing', values: Readonly<Record<string, string | undefined>>): Promise<void> {
  const words = Object.entries(values).map(([name, value]) => (value === undefined ? `${name}-` : `${name}=${value}`))
  await sandbox.kube(`annotate ${kind} web -n dev --overwrite ${words.join(' ')}`)
}

beforeAll(async () => {
  sandbox = await startSandbox('--threads=4')
  await sandbox.kube('create ns dev')
  await sandbox.apply(app('web', { namespace: 'dev', replicas: 3 }) + ingress('web', { namespace: 'dev', host: 'web.example' }))
  await sandbox.rolledOut('web', 'dev')
  await eventually(async () => new Set(await Promise.all(Array.from({ length: 6 }, async () => podOf(await ask())))).size, (count) => count === 3)
  const { backends } = JSON.parse(await routes()) as { backends: { id: string; endpoints: { address: string; podName: string }[] }[] }
  const endpoints = backends.find(({ id }) => id === 'dev/web:80')?.endpoints ?? []
  pods = endpoints.map(({ podName }) => podName)
  await annotate('svc', { [`${OWN}/weights`]: endpoints.map(({ address }, i) => `${address}=${i + 1}`).join(',') })
})
afterAll(() => sandbox.stop())

const EVEN = [20, 20, 20]
const BY_WEIGHT = [10, 20, 30]
const HEAVIEST = [0, 0, 60]

/** Of 60 requests one after the other; a function where chance or a hash has its say. */
const EXPECTED: Readonly<Record<Scheduler, readonly number[] | ((seen: readonly number[]) => void)>> = {
  rr: EVEN,
  wrr: BY_WEIGHT,
  lc: nearly(EVEN),
  wlc: nearly(BY_WEIGHT),
  sed: HEAVIEST,
  nq: nearly(BY_WEIGHT),
  fo: HEAVIEST,
  ovf: HEAVIEST,
  lblc: one,
  lblcr: one,
  dh: one,
  sh: one,
  mh: one,
  twos: all,
  ewma: all,
  random: all,
}

/** One host and one client: one endpoint. */
function one(seen: readonly number[]): void {
  expect([...seen].sort((a, b) => a - b)).toEqual([0, 0, 60])
}

/** A request may not be counted as over when the next one begins. */
function nearly(expected: readonly number[]): (seen: readonly number[]) => void {
  return (seen) => {
    for (const [i, count] of seen.entries()) expect(Math.abs(count - (expected[i] ?? 0)), `${seen} instead of ${expected}`).toBeLessThanOrEqual(3)
  }
}

function all(seen: readonly number[]): void {
  expect(Math.min(...seen)).toBeGreaterThan(0)
}

it.each(SCHEDULERS)('%s', async (scheduler) => {
  await annotate('svc', { [`${OWN}/scheduler`]: scheduler })
  await eventually(routes, (text) => text.includes(`"scheduler":"${scheduler}"`))
  // What lblc and lblcr remember is each thread's own: one connection has one thread.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const seen = await counts(60, scheduler.startsWith('lblc') ? agent : undefined)
  agent.destroy()
  const expected = EXPECTED[scheduler]
  if (typeof expected === 'function') expected(seen)
  else expect(seen).toEqual(expected)
})

it('a weight of 0 drains, while the others keep their shares', async () => {
  await annotate('svc', { [`${OWN}/scheduler`]: 'wrr', [`${OWN}/weights`]: `pod:${pods[0]}=0,pod:${pods[1]}=1,pod:${pods[2]}=2` })
  await eventually(routes, (text) => text.includes('"weight":0'))
  expect(await counts(30)).toEqual([0, 10, 20])
})

it('a drained endpoint of sh takes none of its clients, which others have with sh-fallback', async () => {
  await annotate('svc', { [`${OWN}/scheduler`]: 'sh', [`${OWN}/weights`]: undefined })
  await eventually(() => counts(6), (seen) => seen.filter((count) => count > 0).length === 1)
  const own = podOf(await ask())
  await annotate('svc', { [`${OWN}/weights`]: `pod:${own}=0` })
  await eventually(() => ask(), ({ status }) => status === 503)
  await annotate('svc', { [`${OWN}/scheduler-flags`]: 'sh-fallback' })
  const answer = await eventually(() => ask(), ({ status }) => status === 200)
  expect(podOf(answer)).not.toBe(own)
  await annotate('svc', { [`${OWN}/weights`]: undefined, [`${OWN}/scheduler`]: undefined, [`${OWN}/scheduler-flags`]: undefined })
})

it.each(['uri', 'path', 'header:X-User', 'cookie:user'])('hash-key %s: one endpoint each, several for many', async (key) => {
  await annotate('ing', { [`${OWN}/hash-key`]: key })
  await eventually(routes, (text) => text.includes(`hash-key={${key.toLowerCase()}}`))
  const of = async (i: number): Promise<string> => podOf(await ask(`/${i}`, { 'X-User': `user-${i}`, Cookie: `user=user-${i}` }))
  const first = await Promise.all(Array.from({ length: 20 }, (_, i) => of(i)))
  expect(await Promise.all(Array.from({ length: 20 }, (_, i) => of(i)))).toEqual(first)
  expect(new Set(first).size).toBe(3)
})

it('a request without the field of the hash key goes by its client', async () => {
  await annotate('ing', { [`${OWN}/hash-key`]: 'header:X-Nobody' })
  await eventually(async () => (await counts(12)).filter((count) => count > 0).length, (endpoints) => endpoints === 1)
  await annotate('ing', { [`${OWN}/hash-key`]: undefined })
})

it("ingress-nginx's upstream-hash-by, and with a subset", async () => {
  await annotate('ing', { [`${NGINX}/upstream-hash-by`]: '$request_uri' })
  const spread = async (path: string): Promise<number> => new Set(await Promise.all(Array.from({ length: 24 }, async () => podOf(await ask(path))))).size
  await eventually(() => spread('/a'), (count) => count === 1)
  await annotate('ing', { [`${NGINX}/upstream-hash-by-subset`]: 'true', [`${NGINX}/upstream-hash-by-subset-size`]: '2' })
  await eventually(() => spread('/a'), (count) => count === 2)
  await annotate('ing', { [`${NGINX}/upstream-hash-by`]: undefined, [`${NGINX}/upstream-hash-by-subset`]: undefined, [`${NGINX}/upstream-hash-by-subset-size`]: undefined })
})

it('weights that are none leave an Event, and the rest of the list holds', async () => {
  await annotate('svc', { [`${OWN}/scheduler`]: 'wrr', [`${OWN}/weights`]: `pod:${pods[0]}=many,pod:${pods[1]}=0` })
  await sandbox.event('web', /Warning\s+AnnotationInvalid\s+Service\s.*many/, 'dev')
  await eventually(routes, (text) => text.includes('"weight":0'))
  expect(await counts(10)).toEqual([5, 0, 5])
})

it('all drained: 503 and an Event, and the end of it', async () => {
  await annotate('svc', { [`${OWN}/weights`]: '*=0' })
  await eventually(() => ask(), ({ status }) => status === 503)
  await sandbox.event('web', /NoReadyEndpoints/, 'dev')
  await annotate('svc', { [`${OWN}/weights`]: undefined })
  await eventually(() => ask(), ({ status }) => status === 200)
})
