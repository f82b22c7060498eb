// Endpoints that fail and come back: who finds it, what they get meanwhile and afterwards. Over three threads, with backends that the
// test stops and starts.
import { once } from 'node:events'
import { Agent, createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { freePort } from '../support/free-port.ts'
import { app, bareService, configMap, ingress, slice } from '../support/manifests.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'
import { dial } from '../support/stream-peers.ts'

const OWN = 'narthex.ingress.kubernetes.io'

let sandbox: Sandbox
const servers = new Map<string, Server>()

/** Answers with its address. */
async function start(address: string, port = 0): Promise<number> {
  const server = createServer((_, response) => response.end(`${address} `)).listen(port, address)
  await once(server, 'listening')
  servers.set(address, server)
  return (server.address() as AddressInfo).port
}

async function stop(address: string): Promise<void> {
  const server = servers.get(address)
  servers.delete(address)
  if (server === undefined) return
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

afterEach(async () => {
  for (const address of servers.keys()) await stop(address)
})

interface ShownEndpoint {
  readonly address: string
  readonly state?: string
}

/** By address; `well` where nothing is said. */
async function states(name: string): Promise<Readonly<Record<string, string>>> {
  const { backends } = JSON.parse(await sandbox.admin('/api/routes')) as { backends: { id: string; endpoints: ShownEndpoint[] }[] }
  return Object.fromEntries((backends.find(({ id }) => id === `default/${name}:80`)?.endpoints ?? []).map(({ address, state = 'well' }) => [address, state]))
}

/** How many of so many requests, one after the other over kept connections, each endpoint answers; all have to be answered. */
async function shares(name: string, requests: number): Promise<Readonly<Record<string, number>>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const counts: Record<string, number> = {}
  for (let i = 0; i < requests; i++) {
    const { status, body } = await sandbox.ask(`${name}.example`, { agent })
    const who = status === 200 ? body.trim() : String(status)
    counts[who] = (counts[who] ?? 0) + 1
  }
  agent.destroy()
  return counts
}

/** A Service with two endpoints on one port, all of them of this test. */
async function servedByTwo(name: string, addresses: readonly [string, string]): Promise<number> {
  const port = await start(addresses[0])
  await start(addresses[1], port)
  await sandbox.apply(bareService(name) + slice(name, port, addresses) + ingress(name, { host: `${name}.example` }))
  await eventually(() => sandbox.ask(`${name}.example`), ({ status }) => status === 200)
  return port
}

describe('endpoints that fail', () => {
  beforeAll(async () => {
    sandbox = await startSandbox('--threads=3', '--eject-on-5xx', '--eject-after-bad-answers=3', '--slow-start=1h')
    await sandbox.apply(app('web', { replicas: 3 }))
    await sandbox.rolledOut('web')
  })
  afterAll(() => sandbox.stop())

  it('by refusing connections are ejected by the first one, and no client sees it', async () => {
    const addresses = (await sandbox.kube('get pods -l app=web -o jsonpath={.items[*].status.podIP}')).split(' ')
    await sandbox.apply(bareService('dead') + slice('dead', 8080, [...addresses, '127.0.0.66']) + ingress('dead', { host: 'dead.example' }))
    await eventually(() => sandbox.ask('dead.example'), ({ status }) => status === 200)
    expect(new Set(await Promise.all(Array.from({ length: 40 }, async () => (await sandbox.ask('dead.example')).status)))).toEqual(new Set([200]))
    await eventually(() => states('dead'), (all) => all['127.0.0.66'] === 'ejected')
    expect(await sandbox.admin('/metrics')).toMatch(/^narthex_ejections_total\{[^}]*service="dead"[^}]*\} [1-9]/m)
  })

  it('by 5xx are ejected where the option says so, but never too many: then all are used', async () => {
    await sandbox.apply(bareService('ill', 'selector: {app: web}, ports: [{port: 80, targetPort: 8080}]') + ingress('ill', { host: 'ill.example' }))
    await eventually(() => sandbox.ask('ill.example'), ({ status }) => status === 200)
    for (let i = 0; i < 30; i++) expect((await sandbox.ask('ill.example', { path: '/status/503' })).status).toBe(503)
    await eventually(() => states('ill'), (all) => Object.values(all).includes('ejected'))
    expect((await sandbox.ask('ill.example')).status).toBe(200)
  })

  it('start slowly when they come back: with a tenth of their share, while one that is new has all of its', async () => {
    const port = await servedByTwo('slow', ['127.0.0.71', '127.0.0.72'])
    expect(await shares('slow', 40)).toEqual({ '127.0.0.71': 20, '127.0.0.72': 20 })
    await stop('127.0.0.72')
    expect(await shares('slow', 10)).toEqual({ '127.0.0.71': 10 })
    expect(await states('slow')).toEqual({ '127.0.0.71': 'well', '127.0.0.72': 'ejected' })
    await start('127.0.0.72', port)
    await eventually(() => states('slow'), (all) => all['127.0.0.72'] === 'slow-start')
    const back = await shares('slow', 600)
    process.stdout.write(`of 600 requests after it came back: ${back['127.0.0.72']} to the one of two that starts slowly\n`)
    // A tenth of what the other one gets: 55, by chance some more or less.
    expect(back['127.0.0.72']).toBeGreaterThan(15)
    expect(back['127.0.0.72']).toBeLessThan(110)
    await start('127.0.0.73', port)
    await sandbox.apply(slice('slow', port, ['127.0.0.71', '127.0.0.72', '127.0.0.73']))
    await eventually(() => states('slow'), (all) => all['127.0.0.73'] === 'well')
    expect((await shares('slow', 60))['127.0.0.73']).toBeGreaterThanOrEqual(20)
  })
})

describe('health checks', () => {
  let tcpPort = 0
  beforeAll(async () => {
    tcpPort = await freePort()
    // Failed connections eject nobody: what is out is out by a check.
    sandbox = await startSandbox('--threads=3', '--eject-after-connect-failures=0', '--slow-start=1s', '--tcp-services-configmap=default/tcp')
    await sandbox.apply(configMap('tcp', { [tcpPort]: 'default/taken:80' }))
  })
  afterAll(() => sandbox.stop())

  const check = (service: string, kind: string): Promise<string> => sandbox.kube(`annotate --overwrite service ${service} ${OWN}/health-check=${kind} ${OWN}/health-check-interval=100ms`)
  const outOfUse = async (service: string): Promise<number> => (await sandbox.admin('/metrics')).match(new RegExp(`^narthex_endpoint_out_of_use\\{namespace="default",service="${service}".*state="ill"\\} 1$`, 'gm'))?.length ?? 0

  it('over TCP take an endpoint out that takes no connections, for HTTP and TCP services, and bring it back, slowly at first', async () => {
    const port = await servedByTwo('taken', ['127.0.0.81', '127.0.0.82'])
    await check('taken', 'tcp')
    await stop('127.0.0.82')
    await eventually(() => states('taken'), (all) => all['127.0.0.82'] === 'ill')
    expect(await outOfUse('taken')).toBe(1)
    const retries = await retried()
    expect(await shares('taken', 40)).toEqual({ '127.0.0.81': 40 })
    for (let i = 0; i < 6; i++) expect(await overTcp()).toBe('127.0.0.81')
    expect(await retried()).toBe(retries)
    await start('127.0.0.82', port)
    await eventually(() => states('taken'), (all) => all['127.0.0.82'] === 'slow-start')
    await eventually(() => states('taken'), (all) => all['127.0.0.82'] === 'well')
    expect(await outOfUse('taken')).toBe(0)
    // Each thread finds that by itself, in a moment.
    await eventually(() => shares('taken', 40), (counts) => counts['127.0.0.81'] === 20 && counts['127.0.0.82'] === 20)
    await eventually(overTcp, (who) => who === '127.0.0.82')
  })

  it('over HTTP are made, shown in the routes and metrics, and where they find all of them ill all are used', async () => {
    await sandbox.apply(app('checked', { replicas: 3 }) + ingress('checked', { host: 'checked.example' }))
    await sandbox.rolledOut('checked')
    await check('checked', 'http:/status/503')
    const all = async (): Promise<readonly string[]> => Object.values(await states('checked'))
    await eventually(all, (each) => each.length === 3 && each.every((state) => state === 'ill'))
    await eventually(() => outOfUse('checked'), (count) => count === 3)
    expect((await sandbox.ask('checked.example')).status).toBe(200)
    await check('checked', 'tcp')
    await eventually(all, (each) => each.length === 3 && each.every((state) => state !== 'ill'))
  })

  /** Tries beyond the first. */
  async function retried(): Promise<number> {
    const lines = (await sandbox.admin('/metrics')).split('\n').filter((line) => line.startsWith('narthex_retries_total{'))
    expect(lines.length).toBeGreaterThan(0)
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  async function overTcp(): Promise<string> {
    const client = await dial(tcpPort)
    client.socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    return (await client.ended).split('\r\n\r\n')[1]?.split(/\s+/).find((word) => word.startsWith('127.')) ?? ''
  }
})
