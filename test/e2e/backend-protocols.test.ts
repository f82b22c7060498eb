// Backends that speak TLS and gRPC, through the whole controller: what annotations, Secrets and appProtocol ask for is what the endpoints get.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { credentials, EchoClient, ServerCredentials, SERVING, startGrpcServer, status, type GrpcServer } from '../support/grpc.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { Authority, type Issued } from '../tls/authority.ts'

const exec = promisify(execFile)
const HOST = 'api.example'

let sandbox: Sandbox
let authority: Authority
let root: Issued
let https: Server
let grpc: readonly [GrpcServer, GrpcServer]

const service = (name: string, port: number, appProtocol?: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {type: ExternalName, externalName: 127.0.0.1, ports: [{port: ${port}${appProtocol === undefined ? '' : `, appProtocol: ${appProtocol}`}}]}
---`

const ingress = (name: string, path: string, to: string, port: number, annotations: Readonly<Record<string, string>> = {}): string => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: ${JSON.stringify({ name, annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value])) })}
spec:
  ingressClassName: narthex
  tls: [{hosts: [${HOST}], secretName: front}]
  rules: [{host: ${HOST}, http: {paths: [{path: ${path}, pathType: Prefix, backend: {service: {name: ${to}, port: {number: ${port}}}}}]}}]
---`

beforeAll(async () => {
  authority = await Authority.create()
  root = await authority.read('root')
  const backend = await authority.issue('backend', '/CN=backend', { altName: 'backend.internal' })
  const front = await authority.issue('front', `/CN=${HOST}`, { altName: HOST })
  const ours = await authority.issue('ours', '/CN=narthex')
  https = createServer({ cert: backend.certificate, key: backend.key, ca: root.certificate, requestCert: true, rejectUnauthorized: false }, ({ socket }, response) => {
    response.end(`client ${'getPeerCertificate' in socket ? String((socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody') : ''}`)
  }).listen(0, '127.0.0.1')
  await once(https, 'listening')
  grpc = [await startGrpcServer(), await startGrpcServer({}, ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(backend.certificate), private_key: Buffer.from(backend.key) }]))]
  const [web, plain, secure] = [(https.address() as AddressInfo).port, grpc[0].port, grpc[1].port]
  sandbox = await startSandbox('--threads=2')
  await sandbox.kube(`create secret tls front --key ${front.keyFile} --cert ${front.certificateFile}`)
  await sandbox.kube(`create secret generic backend --from-file=ca.crt=${root.certificateFile} --from-file=tls.crt=${ours.certificateFile} --from-file=tls.key=${ours.keyFile}`)
  const verified = { 'proxy-ssl-secret': 'default/backend', 'proxy-ssl-verify': 'on', 'proxy-ssl-name': 'backend.internal' }
  const objects = [
    service('web', web),
    service('grpc', plain, 'kubernetes.io/h2c'),
    service('secure', secure),
    ingress('verified', '/verified', 'web', web, { 'backend-protocol': 'HTTPS', ...verified }),
    ingress('unverified', '/unverified', 'web', web, { 'backend-protocol': 'https' }),
    ingress('misnamed', '/misnamed', 'web', web, { 'backend-protocol': 'HTTPS', ...verified, 'proxy-ssl-name': 'else.internal' }),
    ingress('denied', '/denied', 'web', web, { 'backend-protocol': 'HTTPS', ...verified, 'proxy-ssl-secret': 'default/none' }),
    ingress('grpc', '/test.Echo', 'grpc', plain),
    ingress('grpcs', '/grpc.health.v1.Health', 'secure', secure, { 'backend-protocol': 'GRPCS', ...verified }),
  ]
  await sandbox.apply(objects.join(''))
  await eventually(() => curl('/verified'), ([code]) => code === '200')
}, 60_000)

afterAll(async () => {
  expect(await sandbox.stop()).toBe(0)
  https.close()
  https.closeAllConnections()
  for (const { server } of grpc) server.forceShutdown()
  await authority.remove()
})

async function curl(path: string): Promise<readonly [status: string, body: string]> {
  const port = sandbox.ports['https'] ?? 0
  const { stdout } = await exec('curl', ['-s', '--max-time', '10', '--cacert', root.certificateFile, '--resolve', `${HOST}:${port}:127.0.0.1`, '-w', '\n%{http_code}', `https://${HOST}:${port}${path}`]).catch(() => ({ stdout: '\n000' }))
  const at = stdout.lastIndexOf('\n')
  return [stdout.slice(at + 1), stdout.slice(0, at)]
}

test('HTTPS backends get our certificate and are verified, where that is asked for', async () => {
  expect(await curl('/verified')).toEqual(['200', 'client narthex'])
  expect(await curl('/unverified')).toEqual(['200', 'client nobody'])
  expect((await curl('/misnamed'))[0]).toBe('502')
  await eventually(async () => sandbox.stdout(), (text) => text.includes('not for else.internal'))
  expect((await curl('/denied'))[0]).toBe('503')
  const events = await eventually(() => sandbox.kube('get events -o jsonpath={.items[*].message}'), (text) => text.includes('default/none'))
  expect(events).toContain('There is no Secret "default/none"; so that nothing is sent unprotected, the paths of this Ingress answer 503.')
})

test('a Secret that comes later opens the paths', async () => {
  await sandbox.kube(`create secret generic none --from-file=ca.crt=${root.certificateFile}`)
  expect(await eventually(() => curl('/denied'), ([code]) => code === '200')).toEqual(['200', 'client nobody'])
  await sandbox.kube('delete secret none')
  await eventually(() => curl('/denied'), ([code]) => code === '503')
})

test('gRPC goes through HTTPS to services that speak it plainly (appProtocol) and in TLS (GRPCS)', async () => {
  const client = new EchoClient(`127.0.0.1:${sandbox.ports['https']}`, credentials.createSsl(Buffer.from(root.certificate)), { 'grpc.default_authority': HOST, 'grpc.ssl_target_name_override': HOST })
  try {
    const { error, value } = await client.unary(Buffer.from('hello'))
    expect([error, String(value)]).toEqual([undefined, 'hello'])
    expect((await client.health()).value).toEqual(SERVING)
    const talk = client.talk()
    talk.write(Buffer.from('word'))
    expect(String((await once(talk, 'data'))[0])).toBe('word')
    talk.end()
    await once(talk, 'end')
    await sandbox.kube('delete ingress grpc')
    const gone = await eventually(() => client.unary(Buffer.from('x')), (outcome) => outcome.error !== undefined)
    expect(gone.error?.code).toBe(status.UNIMPLEMENTED)
  } finally {
    client.close()
  }
})
