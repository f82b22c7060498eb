// Timeouts and retries of single Ingresses, through the whole controller: requests and WebSockets last as long as theirs allow, and go to
// another endpoint where they say so.
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../support/fetch-host.ts'
import { app, ingress } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

let sandbox: Sandbox

const http = (): number => sandbox.ports['http'] ?? 0
const slow = async (host: string): Promise<number> => (await sandbox.ask(host, { path: '/delay/2500' })).status
const annotated = (host: string, seconds: string): string => ingress(host, { host, service: 'web', annotations: `nginx.ingress.kubernetes.io/proxy-read-timeout: "${seconds}"` })

const retried = ingress('retried.example', { host: 'retried.example', service: 'web', annotations: 'nginx.ingress.kubernetes.io/proxy-next-upstream: "error timeout http_503"' })

async function open(host: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${http()}/ws`, { headers: { host } })
  await once(socket, 'open')
  return socket
}

beforeAll(async () => {
  sandbox = await startSandbox('--threads=2', '--read-timeout=1s')
  await sandbox.apply(app('web', { replicas: 2 }) + retried + ingress('plain.example', { host: 'plain.example', service: 'web' }) + annotated('long.example', '3600') + annotated('odd.example', '1h'))
  await sandbox.rolledOut('web')
  for (const host of ['plain.example', 'long.example', 'odd.example', 'retried.example']) await eventually(() => sandbox.ask(host), ({ status }) => status === 200)
})
afterAll(async () => {
  expect(await sandbox.stop()).toBe(0)
})

it('a slow backend is waited for where the Ingress says so, and nowhere else', async () => {
  expect(await Promise.all(['plain.example', 'long.example', 'odd.example'].map(slow))).toEqual([504, 200, 504])
})

it('a request that was not answered in time goes to another endpoint where the Ingress says so, and nowhere else', async () => {
  const retries = async (): Promise<readonly string[]> => {
    const metrics = await (await fetch(`http://127.0.0.1:${sandbox.ports['admin']}/metrics`)).text()
    return [...metrics.matchAll(/^narthex_retries_total\{(.*)\} ([1-9]\d*)$/gm)].map(([, labels = '', count]) => `${/ingress="([^"]*)"/.exec(labels)?.[1]} ${count}`)
  }
  expect(await slow('retried.example')).toBe(504)
  expect(await eventually(retries, (lines) => lines.length > 0)).toEqual(['retried.example 1'])
})

it('a silent WebSocket stays open where the Ingress says so', async () => {
  const [plain, long] = [await open('plain.example'), await open('long.example')]
  await once(plain, 'close')
  const again = await open('plain.example')
  await once(again, 'close')
  const answered = once(long, 'message')
  long.send('still here')
  expect(String((await answered)[0])).toBe('still here')
  long.terminate()
})

it('an edit counts from the next request on, and a value that is none is said to be', async () => {
  await sandbox.apply(annotated('plain.example', '60') + annotated('long.example', '1'))
  await eventually(() => slow('plain.example'), (status) => status === 200)
  await eventually(() => slow('long.example'), (status) => status === 504)
  expect(await sandbox.kube('get events --field-selector involvedObject.name=odd.example')).toContain('"1h" is no number of seconds')
})

it('explain says what a route has', async () => {
  const answer = await fetch(`http://127.0.0.1:${sandbox.ports['admin']}/api/explain?url=${encodeURIComponent('http://plain.example/')}`)
  expect(((await answer.json()) as { filters: string[] }).filters).toEqual(['timeouts of its own: read 60 s'])
})
