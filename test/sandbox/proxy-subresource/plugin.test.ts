// services/NAME/proxy, pods/NAME/proxy and pods/NAME/log over sockets, in front of pods that answer.
import { once } from 'node:events'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { proxySubresource } from '../../../src/sandbox/proxy-subresource/plugin.ts'
import { deployment, podsOf, slicesOf, startCluster, until, type Cluster } from '../support/cluster.ts'

let cluster: Cluster
let api: FastifyInstance
let base: string
let pod: string
beforeAll(async () => {
  cluster = startCluster({ kubelet: { drainMs: 50 } })
  cluster.registry.create('services', { metadata: { name: 'web', namespace: 'default' }, spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] } })
  cluster.registry.create('services', { metadata: { name: 'empty', namespace: 'default' }, spec: { selector: { app: 'none' }, ports: [{ port: 80 }] } })
  cluster.registry.create('services', { metadata: { name: 'dead', namespace: 'default' }, spec: { ports: [{ port: 1 }] } })
  cluster.registry.create('endpoints', { metadata: { name: 'dead', namespace: 'default' }, subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 1 }] }] })
  cluster.registry.create('deployments', deployment({ replicas: 2 }))
  await until(() => slicesOf(cluster.registry, 'web').flatMap((slice) => slice.endpoints ?? []).filter(({ conditions }) => conditions.ready).length === 2)
  pod = podsOf(cluster.registry)[0]?.metadata.name ?? ''
  api = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 2000 } })
  await api.register(proxySubresource({ registry: cluster.registry, podLog: (namespace, name) => cluster.kubelet?.podLog(namespace, name) }))
  api.all('/*', (_request, reply) => reply.code(418).send('api'))
  base = `${await api.listen({ host: '127.0.0.1', port: 0 })}/api/v1/namespaces/default`
})
afterAll(async () => {
  await api.close()
  await cluster.close()
})

describe('services/NAME/proxy', () => {
  it.each(['web', 'web:http', 'web:80', 'http:web:http'])('reaches every pod as %s', async (name) => {
    const pods = new Set<string>()
    for (let i = 0; i < 100 && pods.size < 2; i++) pods.add((await (await fetch(`${base}/services/${name}/proxy/a/b?c=d`, { headers: { Accept: 'application/json' } })).json() as { pod: string }).pod)
    expect(pods.size).toBe(2)
  })

  it('hands on path, query, method and body, and the answer with its status', async () => {
    const answer = await fetch(`${base}/services/web/proxy/a%20b/c?x=1&y=%2F`, { method: 'POST', body: '{"hello": 1}', headers: { 'Accept': 'application/json', 'Content-Type': 'application/json' } })
    expect(await answer.json()).toMatchObject({ method: 'POST', path: '/a%20b/c?x=1&y=%2F', body: { start: '{"hello": 1}', bytes: 12 } })
    const upload = await fetch(`${base}/services/web/proxy/upload`, { method: 'PUT', body: Buffer.alloc(5_000_000), headers: { 'Content-Type': 'application/octet-stream' } })
    expect(await upload.json()).toMatchObject({ bytes: 5_000_000 })
    expect((await fetch(`${base}/services/web/proxy/status/503`)).status).toBe(503)
  })

  it('sends a path without a slash to the one with it', async () => {
    const answer = await fetch(`${base}/services/web/proxy?x=1`, { redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([301, '/api/v1/namespaces/default/services/web/proxy/?x=1'])
  })

  it('passes WebSockets through', async () => {
    const socket = new WebSocket(`${base.replace('http', 'ws')}/services/web/proxy/ws`)
    await once(socket, 'open')
    socket.send('hello')
    const [data] = await once(socket, 'message')
    expect(String(data)).toBe('hello')
    socket.close()
    await once(socket, 'close')
  })

  it.each([
    ['missing', 404, 'services "missing" not found'],
    ['empty', 503, 'no endpoints available for service "empty"'],
    ['web:nine', 503, 'no service port "nine" found for service "web"; it has: http'],
    ['https:web:80', 400, 'the sandbox proxies plain HTTP only, not "https"'],
    ['a:b:c:d', 400, 'invalid name "a:b:c:d": use [http:]NAME[:PORT]'],
  ])('refuses %s in a Status', async (name, code, message) => {
    const answer = await fetch(`${base}/services/${name}/proxy/`)
    expect(answer.status).toBe(code)
    expect(await answer.json()).toMatchObject({ kind: 'Status', status: 'Failure', code, message })
  })
})

describe('pods/NAME/proxy', () => {
  it('reaches that pod, at its first port or the one named', async () => {
    for (const name of [pod, `${pod}:8080`, `${pod}:http`]) expect(await (await fetch(`${base}/pods/${name}/proxy/`)).text()).toMatch(new RegExp(`^${pod} `))
  })

  it('says when nothing listens', async () => {
    const answer = await fetch(`${base}/pods/${pod}:9/proxy/`)
    expect([answer.status, await answer.json()]).toMatchObject([503, { reason: 'ServiceUnavailable', message: expect.stringContaining('ECONNREFUSED') }])
  })
})

describe('pods/NAME/log', () => {
  const log = async (query: string): Promise<string> => (await fetch(`${base}/pods/${pod}/log${query}`)).text()

  it('prints the access log, its tail, with timestamps, within bytes', async () => {
    await fetch(`${base}/pods/${pod}/proxy/first`)
    await fetch(`${base}/pods/${pod}/proxy/second`)
    await until(() => cluster.kubelet?.podLog('default', pod)?.lines().at(-1)?.text.includes('/second'))
    expect(await log('?tailLines=2')).toMatch(/^\S+ - - \[.*\] "GET \/first HTTP\/1\.1" 200 .*\n\S+ - - \[.*\] "GET \/second HTTP\/1\.1" 200 .*\n$/)
    expect(await log('')).toMatch(/^nginx:1: listening on 127\.10\.\d+\.\d+:8080\n/)
    expect(await log('?tailLines=1&timestamps=true')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /)
    expect(await log('?limitBytes=5')).toHaveLength(5)
    expect(await log('?sinceTime=2999-01-01T00:00:00Z')).toBe('')
  })

  it('follows, until the pod ends', async () => {
    const name = podsOf(cluster.registry)[1]?.metadata.name ?? ''
    const answer = await fetch(`${base}/pods/${name}/log?follow=true&tailLines=0`)
    const text = answer.text()
    await fetch(`${base}/pods/${name}/proxy/followed`)
    cluster.registry.delete('pods', 'default', name, { gracePeriodSeconds: 0 })
    expect(await text).toContain('GET /followed ')
  })

  it.each([
    ['?container=other', `container other is not valid for pod`],
    ['?previous=true', 'previous terminated container "web" in pod'],
    ['?tailLines=many', 'tailLines must be a whole number, not "many"'],
  ])('refuses %s as a kubelet does', async (query, message) => {
    const answer = await fetch(`${base}/pods/${pod}/log${query}`)
    expect([answer.status, await answer.json()]).toMatchObject([400, { reason: 'BadRequest', message: expect.stringContaining(message) }])
  })

  it('knows no log of a pod that is not there', async () => {
    expect((await fetch(`${base}/pods/none/log`)).status).toBe(404)
  })
})

describe('what needs a container', () => {
  it.each(['exec', 'attach', 'portforward'])('is refused: %s', async (subresource) => {
    const answer = await fetch(`${base}/pods/${pod}/${subresource}?command=sh`, { method: 'POST', headers: { 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' } })
    expect([answer.status, await answer.json()]).toMatchObject([501, { kind: 'Status', message: expect.stringContaining('the sandbox runs no containers') }])
  })

  it('is refused to an upgrade as well', async () => {
    const socket = new WebSocket(`${base.replace('http', 'ws')}/pods/${pod}/exec?command=sh`)
    socket.on('error', () => undefined)
    const [, response] = await once(socket, 'unexpected-response')
    expect((response as { statusCode: number }).statusCode).toBe(501)
    socket.terminate()
  })

  it('leaves all other paths to the API', async () => {
    expect((await fetch(`${base}/pods/${pod}`)).status).toBe(418)
  })
})
