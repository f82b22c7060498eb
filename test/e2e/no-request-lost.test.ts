// What changes in the cluster must not cost a request: scaling, rolling update, a rotated Secret, many edits of one Ingress.
import { execFile } from 'node:child_process'
import { connect } from 'node:tls'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, podOf } from '../support/fetch-host.ts'
import { app, ingress } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { underLoad, type Load } from '../support/under-load.ts'

const exec = promisify(execFile)
const HOST = 'shop.example.com'

let sandbox: Sandbox
const https = () => sandbox.ports['https'] ?? 0

const OBJECTS = app('shop', { replicas: 5 }) + ingress('shop', { host: HOST, tls: 'shop-tls', annotations: 'nginx.ingress.kubernetes.io/ssl-redirect: "false"' })

/** Fails unless all were answered. */
async function during(what: string, change: () => Promise<unknown>): Promise<Load> {
  const load = await underLoad(sandbox, HOST, change)
  process.stdout.write(`${what}: ${load.samples.length} requests, ${load.failures.length} failed, ${load.pods.size} pods answered\n`)
  expect(load.failures).toEqual([])
  return load
}

const makeCertificate = async (name: string): Promise<{ key: string; cert: string }> => {
  const key = join(sandbox.home, `${name}.key`)
  const cert = join(sandbox.home, `${name}.crt`)
  await exec('openssl', ['req', '-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${HOST}`])
  return { key, cert }
}

const servedCommonName = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: https(), servername: HOST, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })

beforeAll(async () => {
  sandbox = await startSandbox('--threads=2')
  const { key, cert } = await makeCertificate('first')
  await sandbox.kube(`create secret tls shop-tls --key ${key} --cert ${cert}`)
  await sandbox.apply(OBJECTS)
  await sandbox.rolledOut('shop')
  await eventually(() => sandbox.ask(HOST), (answer) => answer.status === 200)
})
afterAll(() => sandbox.stop())

describe('no request is lost', () => {
  it('while a Deployment is scaled 5, 1, 5', async () => {
    const { samples } = await during('scale 5, 1, 5', async () => {
      await sandbox.kube('scale deploy shop --replicas=1')
      await sandbox.kube('wait --for=jsonpath={.status.replicas}=1 deploy/shop --timeout=20s')
      await sandbox.kube('scale deploy shop --replicas=5')
      await sandbox.rolledOut('shop')
    })
    expect(samples.length).toBeGreaterThanOrEqual(1000)
  })

  it('while all pods are replaced by a rolling update', async () => {
    const { pods } = await during('rolling update', async () => {
      await sandbox.kube('rollout restart deploy/shop')
      await sandbox.rolledOut('shop')
    })
    expect(pods.size).toBeGreaterThanOrEqual(6)
  })

  it('while the Secret is rotated; the next handshake has the new certificate and the open connection stays', async () => {
    const kept = connect({ host: '127.0.0.1', port: https(), servername: HOST, rejectUnauthorized: false })
    await new Promise((resolve, reject) => kept.once('secureConnect', resolve).once('error', reject))
    expect(await servedCommonName()).toBe('first')
    const { key, cert } = await makeCertificate('second')
    await during('Secret rotation', async () => {
      const yaml = await sandbox.kube(`create secret tls shop-tls --key ${key} --cert ${cert} --dry-run=client -o yaml`)
      await sandbox.apply(yaml)
      expect(await eventually(servedCommonName, (name) => name === 'second')).toBe('second')
    })
    const answer = new Promise<string>((resolve) => kept.once('data', (data) => resolve(data.toString('latin1'))))
    kept.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /)
    kept.destroy()
  })

  it('reaches every one of ten pods in a hundred sequential requests', async () => {
    await sandbox.kube('scale deploy shop --replicas=10')
    await sandbox.rolledOut('shop')
    const hundred = async () => {
      const pods = new Set<string>()
      for (let i = 0; i < 100; i++) pods.add(podOf(await sandbox.ask(HOST)))
      return pods.size
    }
    expect(await eventually(hundred, (size) => size === 10)).toBe(10)
  })
})
