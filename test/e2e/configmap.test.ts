// --configmap: kubectl apply and patch change a controller that runs, and nothing closes meanwhile.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, podOf, type Answer } from '../support/fetch-host.ts'
import { app, ingress } from '../support/manifests.ts'
import { startNarthex } from '../support/narthex.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { RawClient } from '../support/raw-client.ts'

const OBJECTS = app('web', { namespace: 'dev', replicas: 3, containerPort: 80 }) + ingress('web', { namespace: 'dev', host: 'web.example' })
const curl = promisify(execFile)

let sandbox: Sandbox
/** Open from before the first change to after the last. */
let old: RawClient

const http = (): number => sandbox.ports['http'] ?? 0
const ask = (path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Answer> => sandbox.ask('web.example', { path, headers })

async function status(args: readonly string[], path = '/'): Promise<string> {
  const { stdout } = await curl('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-H', 'Host: web.example', ...args, `http://127.0.0.1:${http()}${path}`]).catch(() => ({ stdout: 'closed' }))
  return stdout
}

async function set(data: Readonly<Record<string, string | null>>): Promise<void> {
  await sandbox.kube(`patch configmap narthex -n dev --type=merge -p ${JSON.stringify({ data }).replaceAll(' ', '\\u0020')}`)
}

async function diagnostics(): Promise<readonly { readonly reason: string; readonly field: string; readonly message: string }[]> {
  const answer = JSON.parse(await sandbox.admin('/api/diagnostics')) as { diagnostics: { reason: string; field: string; message: string }[] }
  return answer.diagnostics
}

const events = (): Promise<string> => sandbox.kube('get events -n dev --field-selector involvedObject.kind=ConfigMap,involvedObject.name=narthex')
const post = (): Promise<string> => status(['--data-binary', 'x'.repeat(3000)])

beforeAll(async () => {
  sandbox = await startSandbox('--threads=2', '--configmap=dev/narthex', '--max-head-fields=50')
  await sandbox.kube('create ns dev')
  await sandbox.apply(OBJECTS)
  await sandbox.rolledOut('web', 'dev')
  await eventually(() => ask(), (answer) => answer.status === 200)
  old = await RawClient.connect(http())
})
afterAll(async () => {
  old.close()
  expect(await sandbox.stop()).toBe(0)
})

it('serves with the defaults while there is none, and says so', async () => {
  expect((await diagnostics()).map(({ reason, field }) => `${reason} ${field}`)).toEqual(['ConfigMapNotFound --configmap'])
  expect(await post()).toBe('200')
})

it('takes what kubectl apply brings', async () => {
  await sandbox.apply(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'narthex', namespace: 'dev' }, data: { 'proxy-body-size': '2k', 'server-tokens': 'false' } }))
  await eventually(post, (code) => code === '413')
  expect(await diagnostics()).toEqual([])
})

it('a body size, larger again', async () => {
  await set({ 'proxy-body-size': '4k' })
  await eventually(post, (code) => code === '200')
})

it('a timeout', async () => {
  expect(await status([], '/delay/1500')).toBe('200')
  await set({ 'proxy-read-timeout': '500ms' })
  await eventually(() => status([], '/delay/1500'), (code) => code === '504')
  await set({ 'proxy-read-timeout': null })
  await eventually(() => status([], '/delay/1500'), (code) => code === '200')
})

it('HSTS', async () => {
  const hsts = async (): Promise<string> => {
    const { stdout } = await curl('curl', ['-sk', '-o', '/dev/null', '-w', '%header{strict-transport-security}', '-H', 'Host: web.example', `https://127.0.0.1:${sandbox.ports['https']}/`])
    return stdout
  }
  expect(await hsts()).toBe('max-age=31536000; includeSubDomains')
  await set({ 'hsts-max-age': '60', 'hsts-include-subdomains': 'false' })
  await eventually(hsts, (text) => text === 'max-age=60')
  await set({ hsts: 'false' })
  await eventually(hsts, (text) => text === '')
})

it('TLS versions and HTTP/2 of connections to come', async () => {
  const spoken = async (...args: string[]): Promise<string> => {
    const { stdout } = await curl('curl', ['-sk', ...args, '-o', '/dev/null', '-w', '%{http_version}', '-H', 'Host: web.example', `https://127.0.0.1:${sandbox.ports['https']}/`]).catch(() => ({ stdout: 'refused' }))
    return stdout
  }
  expect([await spoken(), await spoken('--tls-max', '1.2')]).toEqual(['2', '2'])
  await set({ 'ssl-protocols': 'TLSv1.3', 'use-http2': 'false' })
  await eventually(() => spoken(), (version) => version === '1.1')
  expect(await spoken('--tls-max', '1.2')).toBe('refused')
  await set({ 'ssl-protocols': null, 'use-http2': null })
  await eventually(() => spoken('--tls-max', '1.2'), (version) => version === '2')
})

it('load-balance: by the address of the client, then in turn', async () => {
  const pods = async (): Promise<number> => new Set(await Promise.all(Array.from({ length: 9 }, async () => podOf(await ask())))).size
  expect(await pods()).toBe(3)
  await set({ 'load-balance': 'sh' })
  await eventually(pods, (count) => count === 1)
  await set({ 'load-balance': 'round_robin' })
  await eventually(pods, (count) => count === 3)
})

it('redirects to https, with another status, and their exceptions', async () => {
  await set({ 'force-ssl-redirect': 'true', 'http-redirect-code': '302', 'no-tls-redirect-locations': '/plain' })
  const answer = await eventually(() => ask('/a'), ({ status }) => status === 302)
  expect(answer.headers.location).toMatch(/^https:\/\/web\.example(:\d+)?\/a$/)
  expect((await ask('/plain')).status).toBe(200)
  await sandbox.kube('annotate ing web -n dev nginx.ingress.kubernetes.io/force-ssl-redirect=false')
  await eventually(() => ask('/a'), ({ status }) => status === 200)
  await set({ 'force-ssl-redirect': null })
  await sandbox.kube('annotate ing web -n dev nginx.ingress.kubernetes.io/force-ssl-redirect-')
})

it('whose word counts for whom a request is from', async () => {
  const seen = async (): Promise<boolean> => (await ask('/echo', { 'X-Forwarded-For': '192.0.2.7' })).body.includes('192.0.2.7')
  const forged = (await ask('/', { 'X-Forwarded-For': '192.0.2.7' })).body
  await set({ 'use-forwarded-headers': 'true' })
  await eventually(diagnostics, (found) => found.some(({ field, message }) => field === 'data[use-forwarded-headers]' && message.includes('believes nobody')))
  await set({ 'proxy-real-ip-cidr': '127.0.0.0/8' })
  await eventually(seen, Boolean)
  expect(forged).not.toMatch(/x-real-ip: 192\.0\.2\.7/i)
  await set({ 'use-forwarded-headers': null })
})

it('the PROXY protocol, while connections from before stay as they are', async () => {
  await set({ 'use-proxy-protocol': 'true', 'proxy-real-ip-cidr': '127.0.0.0/8' })
  await eventually(() => status([]), (code) => code !== '200')
  expect(await status(['--haproxy-protocol'])).toBe('200')
  old.send('GET / HTTP/1.1\r\nHost: web.example\r\n\r\n')
  expect((await old.response()).status).toBe(200)
  await set({ 'use-proxy-protocol': null, 'proxy-real-ip-cidr': null })
  await eventually(() => status([]), (code) => code === '200')
})

it('a bad value keeps the good one and leaves an Event; so does a key that nobody knows', async () => {
  await set({ 'proxy-body-size': 'much', 'proxy-bodysize': '1m' })
  const found = await eventually(events, (text) => text.includes('SettingInvalid') && text.includes('SettingUnknown'))
  expect(found).toMatch(/Warning\s+SettingInvalid\s+configmap\/narthex\s+data\[proxy-body-size\]: .*"much"; the value before it stays/)
  expect(found).toMatch(/did you mean proxy-body-size\?/)
  expect(await post()).toBe('200')
  expect(await status(['--data-binary', 'x'.repeat(5000)])).toBe('413')
  const metrics = await sandbox.admin('/metrics')
  expect(metrics).toMatch(/^narthex_diagnostics\{.*reason="SettingInvalid".*\} 1$/m)
})

it('an option goes before it', async () => {
  expect((await runWith('--max-body=1m')).some(({ reason }) => reason === 'SettingOverruled')).toBe(true)
})

/** What another controller, with this option, finds. */
async function runWith(option: string): Promise<Awaited<ReturnType<typeof diagnostics>>> {
  const other = await startNarthex(['run', `--kubeconfig=${sandbox.kubeconfig}`, '--address=127.0.0.1', '--threads=1', '--configmap=dev/narthex', option])
  try {
    const answer = (await (await fetch(`http://127.0.0.1:${other.ports['admin']}/api/diagnostics`)).json()) as { diagnostics: { reason: string; field: string; message: string }[] }
    return answer.diagnostics
  } finally {
    await other.stop()
  }
}

it('snippets are refused with the reason; a protection that there is not closes everything until it is gone', async () => {
  await set({ 'http-snippet': 'more_set_headers "A: b";', 'block-cidrs': '192.0.2.0/24' })
  await eventually(() => ask(), ({ status }) => status === 503)
  const found = await eventually(events, (text) => text.includes('http-snippet') && text.includes('block-cidrs'))
  expect(found).toMatch(/SettingUnsupported\s+configmap\/narthex\s+data\[block-cidrs\]: .*all paths answer 503/)
  await set({ 'block-cidrs': null })
  await eventually(() => ask(), ({ status }) => status === 200)
})

it('the defaults hold once it is deleted, and what was open from the beginning still is', async () => {
  await sandbox.kube('delete configmap narthex -n dev')
  await eventually(() => status(['--data-binary', 'x'.repeat(5000)]), (code) => code === '200')
  expect((await diagnostics()).map(({ reason }) => reason)).toEqual(['ConfigMapNotFound'])
  old.send('GET / HTTP/1.1\r\nHost: web.example\r\n\r\n')
  expect((await old.response()).status).toBe(200)
})
