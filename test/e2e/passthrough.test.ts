// TLS passthrough through the whole controller: by annotation to an endpoint outside, with plain HTTP redirected or sent on over TLS.
import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { Authority } from '../tls/authority.ts'

const exec = promisify(execFile)
const HOST = 'vault.example.com'

const objects = (port: number): string => `
apiVersion: v1
kind: Service
metadata: {name: vault}
spec: {ports: [{port: 443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: vault-1, labels: {kubernetes.io/service-name: vault}}
addressType: IPv4
ports: [{port: ${port}}]
endpoints: [{addresses: [127.0.0.1]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: vault
  annotations: {nginx.ingress.kubernetes.io/ssl-passthrough: "true"}
spec:
  ingressClassName: narthex
  rules:
    - host: ${HOST}
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: vault, port: {number: 443}}}}]}
`

let authority: Authority
let sandbox: Sandbox
let stopServer: () => void

beforeAll(async () => {
  authority = await Authority.create()
  const { certificateFile, keyFile } = await authority.issue('vault', `/CN=${HOST}`, { altName: HOST })
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', certificateFile, '-key', keyFile, '-www'], { stdio: ['pipe', 'pipe', 'ignore'] })
  stopServer = () => void server.kill()
  const port = await new Promise<number>((resolve) => {
    let said = ''
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const found = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
  })
  sandbox = await startSandbox('--threads=2')
  await sandbox.apply(objects(port))
}, 60_000)

afterAll(async () => {
  await sandbox.stop()
  stopServer()
  await authority.remove()
})

/** Body and status of a GET. */
async function get(scheme: 'http' | 'https'): Promise<string> {
  const port = sandbox.ports[scheme] ?? 0
  const args = ['-s', '-m', '10', '--cacert', join(authority.folder, 'root.pem'), '--resolve', `${HOST}:${port}:127.0.0.1`, '-w', ' %{http_code} %{redirect_url}', `${scheme}://${HOST}:${port}/`]
  return exec('curl', args).then(
    ({ stdout }) => stdout,
    (error: unknown) => String(error),
  )
}

test('TLS ends at the backend; plain HTTP goes there over TLS, or is redirected where spec.tls has the host', async () => {
  await eventually(() => get('https'), (answer) => answer.includes('s_server') && answer.includes(' 200 '))
  await eventually(() => get('http'), (answer) => answer.includes('s_server') && answer.includes(' 200 '))
  await sandbox.kube(`patch ingress vault --type=merge -p {"spec":{"tls":[{"hosts":["${HOST}"]}]}}`)
  await eventually(() => get('http'), (answer) => answer.includes(' 308 https://'))
  expect(await get('https')).toContain(' 200 ')
  const metrics = await sandbox.admin('/metrics')
  expect(metrics).toMatch(new RegExp(`narthex_stream_connections_total\\{.*protocol="tls".*host="${HOST}".*\\} [1-9]|narthex_stream_connections_total\\{.*host="${HOST}".*protocol="tls".*\\} [1-9]`))
}, 60_000)
