// OCSP responses through the whole controller: from a Secret over the responder to what clients are shown, and what the owner is told.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startResponder, writeIndex, type Responder } from '../ocsp/responder.ts'
import { eventually } from '../support/fetch-host.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { Authority } from '../tls/authority.ts'

const HOST = 'shop.example.com'
const OBJECTS = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: narthex
  tls: [{hosts: [${HOST}], secretName: shop-tls}]
  rules: [{host: ${HOST}}]
`

let authority: Authority
let responder: Responder
let sandbox: Sandbox

beforeAll(async () => {
  authority = await Authority.create()
  responder = await startResponder(authority)
  const root = (await authority.read('root')).certificate
  for (const name of ['good', 'revoked']) {
    const { certificate, certificateFile } = await authority.issue(name, `/CN=${HOST}`, { altName: HOST, responder: responder.url, mustStaple: true })
    await writeFile(certificateFile.replace('.pem', '-chain.pem'), certificate + root)
  }
  await writeIndex(authority, { good: 'good', revoked: 'revoked' })
  sandbox = await startSandbox('--threads=2', '--allow-private-ocsp-responders')
  await use('good')
  await sandbox.apply(OBJECTS)
}, 60_000)

afterAll(async () => {
  await sandbox.stop()
  responder.stop()
  await authority.remove()
})

async function use(name: string): Promise<void> {
  const yaml = await sandbox.kube(`create secret tls shop-tls --key ${join(authority.folder, `${name}.key`)} --cert ${join(authority.folder, `${name}-chain.pem`)} --dry-run=client -o yaml`)
  await sandbox.apply(yaml)
}

async function status(): Promise<string> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${sandbox.ports['https']}`, '-servername', HOST, '-CAfile', join(authority.folder, 'root.pem'), '-status'])
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (/Verify return code: .*\n/.test(said)) child.stdin.end()
  })
  child.stdin.on('error', () => undefined)
  await once(child, 'close')
  return /Cert Status: (\w+)/.exec(said)?.[1] ?? 'none'
}

const events = async (): Promise<string> => (await sandbox.kubectl('get events -o jsonpath={.items[*].reason}')).stdout

test('a response is fetched, checked and shown on all threads; of a revoked certificate none is, and its owner hears of it', async () => {
  await eventually(status, (seen) => seen === 'good')
  expect(await Promise.all(Array.from({ length: 8 }, status))).toEqual(Array.from({ length: 8 }, () => 'good'))
  expect(responder.asked()).toBe(1)
  await use('revoked')
  await eventually(events, (seen) => seen.includes('CertificateRevoked'))
  expect(await status()).toBe('none')
  responder.answerWith((_request, response) => response.writeHead(503).end())
  await use('good')
  await eventually(events, (seen) => seen.includes('CertificateUnstapled'))
  expect(await status()).toBe('none')
}, 60_000)
