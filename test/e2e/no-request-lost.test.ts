// What changes in the cluster must not cost a request: scaling, rolling update, a rotated Secret, many edits of one Ingress.
import { Agent } from 'node:http'
import { execFile } from 'node:child_process'
import { connect } from 'node:tls'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, fetchHost, podOf } from '../support/fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from '../support/kubectl.ts'
import { app, ingress } from '../support/manifests.ts'
import { startNarthex, type Narthex } from '../support/narthex.ts'

const exec = promisify(execFile)
const HOST = 'shop.example.com'

let narthex: Narthex
let kubectl: Kubectl
const http = () => narthex.ports['http'] ?? 0
const https = () => narthex.ports['https'] ?? 0

const OBJECTS = app('shop', { replicas: 5 }) + ingress('shop', { host: HOST, tls: 'shop-tls', annotations: 'nginx.ingress.kubernetes.io/ssl-redirect: "false"' })

/** Sends requests one after the other on `lanes` kept connections while `change` runs, at least `least` of them; answers the failures. */
async function during(change: () => Promise<unknown>, least = 1000, lanes = 4): Promise<{ sent: number; failures: string[]; pods: Set<string> }> {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes })
  const failures: string[] = []
  const pods = new Set<string>()
  let sent = 0
  const progress = { changing: true }
  const lane = async (): Promise<void> => {
    while (progress.changing || sent < least) {
      sent++
      const answer = await fetchHost({ port: http(), host: HOST, agent }).catch((error: Error) => ({ status: 0, headers: {}, body: error.message }))
      if (answer.status === 200) pods.add(podOf(answer))
      else failures.push(`${answer.status} ${answer.body.slice(0, 80)}`)
    }
  }
  const lanesDone = Promise.all(Array.from({ length: lanes }, lane))
  await change().finally(() => (progress.changing = false))
  await lanesDone
  agent.destroy()
  return { sent, failures, pods }
}

const makeCertificate = async (name: string): Promise<{ key: string; cert: string }> => {
  const key = join(narthex.home, `${name}.key`)
  const cert = join(narthex.home, `${name}.crt`)
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
  narthex = await startNarthex(['sandbox', '--threads=2'])
  kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
  const { key, cert } = await makeCertificate('first')
  await ok(kubectl(`create secret tls shop-tls --key ${key} --cert ${cert}`))
  await ok(kubectl('apply -f -', OBJECTS))
  await ok(kubectl('rollout status deploy/shop --timeout=20s'))
  await eventually(() => fetchHost({ port: http(), host: HOST }), (answer) => answer.status === 200)
})
afterAll(() => narthex.stop())

describe('no request is lost', () => {
  it('while a Deployment is scaled 5, 1, 5', async () => {
    const { sent, failures } = await during(async () => {
      await ok(kubectl('scale deploy shop --replicas=1'))
      await ok(kubectl('wait --for=jsonpath={.status.replicas}=1 deploy/shop --timeout=20s'))
      await ok(kubectl('scale deploy shop --replicas=5'))
      await ok(kubectl('rollout status deploy/shop --timeout=20s'))
    })
    expect(failures).toEqual([])
    expect(sent).toBeGreaterThanOrEqual(1000)
    process.stdout.write(`scale 5, 1, 5: ${sent} requests, ${failures.length} failed\n`)
  })

  it('while all pods are replaced by a rolling update', async () => {
    const { sent, failures, pods } = await during(async () => {
      await ok(kubectl('rollout restart deploy/shop'))
      await ok(kubectl('rollout status deploy/shop --timeout=30s'))
    })
    expect(failures).toEqual([])
    expect(pods.size).toBeGreaterThanOrEqual(6)
    process.stdout.write(`rolling update: ${sent} requests, ${failures.length} failed, ${pods.size} pods answered\n`)
  })

  it('while the Secret is rotated; the next handshake has the new certificate and the open connection stays', async () => {
    const kept = connect({ host: '127.0.0.1', port: https(), servername: HOST, rejectUnauthorized: false })
    await new Promise((resolve, reject) => kept.once('secureConnect', resolve).once('error', reject))
    expect(await servedCommonName()).toBe('first')
    const { key, cert } = await makeCertificate('second')
    const { sent, failures } = await during(async () => {
      const yaml = await ok(kubectl(`create secret tls shop-tls --key ${key} --cert ${cert} --dry-run=client -o yaml`))
      await ok(kubectl('apply -f -', yaml))
      expect(await eventually(servedCommonName, (name) => name === 'second')).toBe('second')
    })
    expect(failures).toEqual([])
    const answer = new Promise<string>((resolve) => kept.once('data', (data) => resolve(data.toString('latin1'))))
    kept.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /)
    kept.destroy()
    process.stdout.write(`Secret rotation: ${sent} requests, ${failures.length} failed\n`)
  })

  it('reaches every one of ten pods in a hundred sequential requests', async () => {
    await ok(kubectl('scale deploy shop --replicas=10'))
    await ok(kubectl('rollout status deploy/shop --timeout=20s'))
    const hundred = async () => {
      const pods = new Set<string>()
      for (let i = 0; i < 100; i++) pods.add(podOf(await fetchHost({ port: http(), host: HOST })))
      return pods.size
    }
    expect(await eventually(hundred, (size) => size === 10)).toBe(10)
  })
})
