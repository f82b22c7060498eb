// Pods that really answer: addresses, readiness, termination, all over sockets.
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect, createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deployment, eventsOf, podsOf, slicesOf, startCluster, until, type Cluster } from '../support/cluster.ts'
import type { Pod } from '../../../src/sandbox/controllers/object-shapes.ts'

const OWN = 'sandbox.narthex.ingress.kubernetes.io'
let cluster: Cluster
beforeEach(() => {
  cluster = startCluster({ kubelet: { drainMs: 100 } })
})
afterEach(() => cluster.close())

const pods = (): readonly Pod[] => podsOf(cluster.registry)
const isReady = (pod: Pod | undefined): boolean => pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
const service = (ports: readonly Record<string, unknown>[], name = 'web') => cluster.registry.create('services', { metadata: { name, namespace: 'default' }, spec: { selector: { app: 'web' }, ports } })
const readyAddresses = (): readonly string[] => slicesOf(cluster.registry, 'web').flatMap((slice) => (slice.endpoints ?? [])
  .filter(({ conditions }) => conditions.ready).map(({ addresses: [ip] }) => `${ip}:${slice.ports?.[0]?.port}`))
const allReady = (count: number) => until(() => pods().filter(isReady).length === count && pods(), () => pods().map((pod) => pod.status))

interface Answer { status: number; body: string; headers: IncomingMessage['headers'] }
function fetchFrom(where: string, agent?: Agent): Promise<Answer> {
  const { hostname: host, port } = new URL(`http://${where}`)
  return new Promise((resolve, reject) => {
    get({ host, port, path: where.slice(where.indexOf('/') < 0 ? where.length : where.indexOf('/')) || '/', agent: agent ?? false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text)).on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers })).on('error', reject)
    }).on('error', reject)
  })
}

describe('a pod', () => {
  it('answers on an address of its own, which its status tells', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 3 }))
    const running = await allReady(3)
    const addresses = running.map((pod) => pod.status?.podIP ?? '')
    expect(new Set(addresses).size).toBe(3)
    for (const pod of running) {
      expect(pod.status).toMatchObject({ phase: 'Running', hostIP: '127.0.0.1', podIPs: [{ ip: pod.status?.podIP }], qosClass: 'BestEffort', containerStatuses: [{ ready: true, started: true, restartCount: 0, image: 'nginx:1' }] })
      const { body } = await fetchFrom(`${pod.status?.podIP}:8080`)
      expect(body.split('\n')[0]).toBe(`${pod.metadata.name} (${pod.status?.podIP}:8080) in namespace default on node sandbox, image nginx:1`)
    }
    const story = eventsOf(cluster.registry).map((event) => event.split(':')[0])
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started', 'SuccessfulCreate', 'ScalingReplicaSet']) expect(story).toContain(reason)
  })

  it('is published only once it listens', async () => {
    service([{ port: 80, targetPort: 8080 }])
    cluster.registry.create('pods', { metadata: { name: 'slow', namespace: 'default', labels: { app: 'web' }, annotations: { [`${OWN}/start-delay`]: '150' } }, spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 8080 }] }] } })
    await until(() => pods()[0]?.status?.containerStatuses !== undefined)
    expect(pods()[0]?.status).toMatchObject({ phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] })
    expect(readyAddresses()).toEqual([])
    const [address = ''] = await until(() => readyAddresses().length > 0 && readyAddresses())
    expect((await fetchFrom(address)).status).toBe(200)
  })

  it('becomes ready after the initial delay of its readiness probe', async () => {
    cluster.registry.create('pods', { metadata: { name: 'probed', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i', readinessProbe: { initialDelaySeconds: 1 }, ports: [{ containerPort: 8080 }] }] } })
    await until(() => pods()[0]?.status?.phase === 'Running')
    expect(isReady(pods()[0])).toBe(false)
    const [pod] = await allReady(1)
    const since = Date.parse(pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '')
    expect(since).toBeGreaterThan(Date.parse(pod?.status?.startTime ?? ''))
  })

  it('is made not ready and ready again by its annotation', async () => {
    service([{ port: 80, targetPort: 'http' }])
    cluster.registry.create('deployments', deployment({ replicas: 2 }))
    await allReady(2)
    const name = pods()[0]?.metadata.name ?? ''
    cluster.registry.patch('pods', 'default', name, { metadata: { annotations: { [`${OWN}/ready`]: 'false' } } })
    await until(() => readyAddresses().length === 1)
    expect(pods().find((pod) => pod.metadata.name === name)?.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }))
    cluster.registry.patch('pods', 'default', name, { metadata: { annotations: { [`${OWN}/ready`]: null } } })
    await until(() => readyAddresses().length === 2)
  })

  it('listens on 8080 and on the target ports of its Services where it declares no port', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 1, port: 0 }))
    await allReady(1)
    const ip = pods()[0]?.status?.podIP ?? ''
    expect((await fetchFrom(`${ip}:8080`)).status).toBe(200)
    service([{ port: 80, targetPort: 9876 }])
    const [address = ''] = await until(() => readyAddresses().length > 0 && readyAddresses())
    expect(address).toBe(`${ip}:9876`)
    expect((await fetchFrom(address)).status).toBe(200)
  })

  it('runs no further with a refused port: another one is bound and published', async () => {
    service([{ port: 80, targetPort: 8080 }])
    const blocker = await blockEverywhere()
    cluster.registry.create('deployments', deployment({ replicas: 1, port: blocker.port }))
    cluster.registry.patch('services', 'default', 'web', { spec: { ports: [{ port: 80, targetPort: blocker.port }] } })
    const [address = ''] = await until(() => readyAddresses().length > 0 && readyAddresses())
    const port = Number(address.split(':')[1])
    expect(port).not.toBe(blocker.port)
    expect(pods()[0]?.metadata.annotations).toMatchObject({ [`${OWN}/port-${blocker.port}`]: String(port) })
    expect((await fetchFrom(address)).body).toContain(pods()[0]?.metadata.name)
    await blocker.close()
  })
})

describe('two sandboxes on one machine', () => {
  it('give their pods different addresses, with the ports that they ask for', async () => {
    const second = startCluster({ kubelet: { drainMs: 0 } })
    for (const each of [cluster, second]) each.registry.create('deployments', deployment({ replicas: 3 }))
    await allReady(3)
    await until(() => podsOf(second.registry).filter(isReady).length === 3)
    const all = [...pods(), ...podsOf(second.registry)]
    expect(new Set(all.map((pod) => pod.status?.podIP)).size).toBe(6)
    for (const pod of all) {
      expect(pod.metadata.annotations ?? {}).toEqual({})
      expect((await fetchFrom(`${pod.status?.podIP}:8080`)).body).toMatch(new RegExp(`^${pod.metadata.name} `))
    }
    await second.close()
  })
})

describe('a pod that is deleted', () => {
  it('leaves its slice first, answers a while longer, and says on every answer that it will close', async () => {
    // Longer than a busy machine takes from one line to the next.
    await cluster.close()
    cluster = startCluster({ kubelet: { drainMs: 1500 } })
    service([{ port: 80, targetPort: 8080 }])
    cluster.registry.create('deployments', deployment({ replicas: 1 }))
    const [pod] = await allReady(1)
    const address = `${pod?.status?.podIP}:8080`
    const agent = new Agent({ keepAlive: true })
    expect((await fetchFrom(address, agent)).headers.connection).toBe('keep-alive')
    const slow = fetchFrom(`${address}/delay/300`)
    await fetchFrom(address)
    cluster.registry.delete('pods', 'default', pod?.metadata.name ?? '')
    await until(() => !readyAddresses().includes(address))
    const last = await fetchFrom(address, agent)
    expect([last.status, last.headers.connection]).toEqual([200, 'close'])
    expect((await slow).status).toBe(200)
    await until(() => !pods().some((each) => each.metadata.uid === pod?.metadata.uid))
    await expect(fetchFrom(address)).rejects.toThrow('ECONNREFUSED')
    agent.destroy()
  })

  it('is cut when its grace period is over', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 1 }))
    const [pod] = await allReady(1)
    const slow = fetchFrom(`${pod?.status?.podIP}:8080/delay/60000`)
    slow.catch(() => undefined)
    await fetchFrom(`${pod?.status?.podIP}:8080`)
    cluster.registry.delete('pods', 'default', pod?.metadata.name ?? '', { gracePeriodSeconds: 1 })
    await expect(slow).rejects.toThrow('socket hang up')
    await until(() => !pods().some((each) => each.metadata.uid === pod?.metadata.uid))
  })

  it('stops at once by force', async () => {
    cluster.registry.create('deployments', deployment({ replicas: 1 }))
    const [pod] = await allReady(1)
    const address = `${pod?.status?.podIP}:8080`
    const open = connect({ host: pod?.status?.podIP ?? '', port: 8080 })
    await new Promise((resolve) => open.once('connect', resolve))
    const closed = new Promise((resolve) => open.once('close', resolve))
    open.on('error', () => undefined)
    cluster.registry.delete('pods', 'default', pod?.metadata.name ?? '', { gracePeriodSeconds: 0 })
    await closed
    await expect(fetchFrom(address)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('scaling under load', () => {
  it('loses no request of clients that follow the slice', async () => {
    service([{ port: 80, targetPort: 8080 }])
    cluster.registry.create('deployments', deployment({ replicas: 5 }))
    await allReady(5)
    const agent = new Agent({ keepAlive: true })
    const failures: string[] = []
    let sent = 0
    const progress = { changing: true }
    const client = async (): Promise<void> => {
      while (progress.changing || sent < 1000) {
        const ready = readyAddresses()
        await fetchFrom(ready[sent++ % ready.length] ?? 'none', agent).then(({ status }) => status === 200 || failures.push(String(status)), (error: Error) => failures.push(error.message))
      }
    }
    const clients = Promise.all([client(), client(), client(), client()])
    for (const replicas of [1, 5]) {
      cluster.registry.patch('deployments', 'default', 'web', { spec: { replicas } })
      await until(() => pods().length === replicas && readyAddresses().length === replicas)
    }
    progress.changing = false
    await clients
    agent.destroy()
    expect(failures).toEqual([])
    expect(sent).toBeGreaterThanOrEqual(1000)
  })
})

/** Holds a port on every address, as another program of the machine may. */
async function blockEverywhere(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host: '0.0.0.0', port: 0 }, resolve))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('no TCP server')
  return { port: bound.port, close: () => new Promise((resolve) => server.close(() => resolve())) }
}
