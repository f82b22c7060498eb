// What a cluster has by itself, and what it does with namespaces, load balancers, events and unplaced pods.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deployment, eventsOf, makeReady, podsOf, settled, startCluster, type Cluster } from '../support/cluster.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'

let cluster: Cluster
let clock: FakeClock
beforeEach(() => {
  clock = fakeClock(Date.parse('2026-11-20T12:00:00Z'))
  cluster = startCluster({ clock })
})
afterEach(() => cluster.close())

describe('a fresh cluster', () => {
  it('has the namespaces, the node, the default class and the API as a Service', async () => {
    await settled()
    expect(cluster.registry.list('namespaces').map((each) => each.metadata.name)).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    expect(cluster.registry.get('nodes', '', 'sandbox')).toMatchObject({ metadata: { labels: { 'topology.kubernetes.io/zone': 'local-a' } }, status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }, { type: 'Hostname', address: 'sandbox' }] } })
    expect(cluster.registry.get('ingressclasses', '', 'narthex')).toMatchObject({ metadata: { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }, spec: { controller: 'narthex.ingress.kubernetes.io/controller' } })
    expect(cluster.registry.get('endpoints', 'default', 'kubernetes')?.['subsets']).toMatchObject([{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: 6443 }] }])
    expect(cluster.registry.get('endpointslices', 'default', 'kubernetes')).toMatchObject({ endpoints: [{ addresses: ['127.0.0.1'] }], ports: [{ port: 6443 }] })
  })

  it('gives every namespace its ServiceAccount, again and again', async () => {
    cluster.registry.create('namespaces', { metadata: { name: 'dev' } })
    await settled()
    expect(cluster.registry.list('serviceaccounts').map((each) => each.metadata.namespace).toSorted()).toEqual(['default', 'dev', 'kube-node-lease', 'kube-public', 'kube-system'])
    cluster.registry.delete('serviceaccounts', 'dev', 'default')
    await settled()
    expect(cluster.registry.get('serviceaccounts', 'dev', 'default')).toBeDefined()
    expect(cluster.registry.get('configmaps', 'dev', 'kube-root-ca.crt')).toBeDefined()
  })
})

describe('a namespace that is deleted', () => {
  it('goes when its contents are gone, pods with their grace period', async () => {
    cluster.registry.create('namespaces', { metadata: { name: 'dev' } })
    const made = deployment({ replicas: 2 })
    cluster.registry.create('deployments', { ...made, metadata: { name: 'web', namespace: 'dev' } })
    await settled()
    for (const pod of podsOf(cluster.registry, 'dev')) makeReady(cluster.registry, pod, '127.10.0.1')
    cluster.registry.delete('namespaces', '', 'dev')
    await settled()
    expect(cluster.registry.get('namespaces', '', 'dev')).toMatchObject({ status: { phase: 'Terminating' } })
    expect(cluster.registry.list('deployments', 'dev')).toEqual([])
    expect(podsOf(cluster.registry, 'dev').every((pod) => pod.metadata.deletionTimestamp !== undefined)).toBe(true)
    for (const pod of podsOf(cluster.registry, 'dev')) cluster.registry.delete('pods', 'dev', pod.metadata.name, { gracePeriodSeconds: 0 })
    await settled()
    expect(cluster.registry.get('namespaces', '', 'dev')).toBeUndefined()
    expect(cluster.registry.list('events', 'dev')).toEqual([])
    expect(cluster.lines).toEqual([])
  })

  it('waits for finalizers of others', async () => {
    cluster.registry.create('namespaces', { metadata: { name: 'dev' } })
    cluster.registry.create('configmaps', { metadata: { name: 'held', namespace: 'dev', finalizers: ['example.com/hold'] } })
    cluster.registry.delete('namespaces', '', 'dev')
    await settled()
    expect(cluster.registry.get('namespaces', '', 'dev')).toBeDefined()
    cluster.registry.patch('configmaps', 'dev', 'held', { metadata: { finalizers: null } })
    await settled()
    expect(cluster.registry.get('namespaces', '', 'dev')).toBeUndefined()
  })
})

describe('a Service of type LoadBalancer', () => {
  const address = (name: string) => (cluster.registry.get('services', 'default', name)?.['status'] as { loadBalancer?: { ingress?: { ip: string }[] } } | undefined)?.loadBalancer?.ingress?.[0]?.ip
  const create = (name: string, spec: Record<string, unknown> = {}) => cluster.registry.create('services', { metadata: { name, namespace: 'default' }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec } })

  it('gets a loopback address of its own and keeps it', async () => {
    create('a')
    create('b')
    await settled()
    expect(address('a')).toMatch(/^127\.20\.\d+\.\d+$/)
    expect(address('b')).toMatch(/^127\.20\.\d+\.\d+$/)
    expect(address('a')).not.toBe(address('b'))
    const before = address('a')
    cluster.registry.patch('services', 'default', 'a', { metadata: { labels: { x: 'y' } } })
    await settled()
    expect(address('a')).toBe(before)
    cluster.registry.patch('services', 'default', 'a', { spec: { type: 'ClusterIP' } })
    await settled()
    expect(address('a')).toBeUndefined()
  })

  it('gets the loopback address that it asks for; another one, with an event, where that is not to be had', async () => {
    create('a', { loadBalancerIP: '127.20.7.7' })
    create('b', { loadBalancerIP: '127.20.7.7' })
    create('c', { loadBalancerIP: '8.8.8.8' })
    await settled()
    expect(address('a')).toBe('127.20.7.7')
    expect([address('b'), address('c')].every((ip) => ip !== undefined && ip !== '127.20.7.7' && ip.startsWith('127.20.'))).toBe(true)
    expect(eventsOf(cluster.registry).filter((event) => event.startsWith('LoadBalancerIPNotUsed'))).toHaveLength(2)
  })

  it('is left to the class that it names', async () => {
    create('a', { loadBalancerClass: 'example.com/other' })
    await settled()
    expect(address('a')).toBeUndefined()
  })
})

describe('the scheduler', () => {
  it('binds a pod and gives it the topology labels of its node', async () => {
    cluster.registry.create('pods', { metadata: { name: 'a', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await settled()
    expect(podsOf(cluster.registry)[0]).toMatchObject({ metadata: { labels: { 'topology.kubernetes.io/zone': 'local-a' } }, spec: { nodeName: 'sandbox' }, status: { conditions: [{ type: 'PodScheduled', status: 'True' }] } })
    expect(eventsOf(cluster.registry)).toEqual(['Scheduled: Successfully assigned default/a to sandbox'])
  })

  it('leaves a pod pending that no node suits, and takes it once one does', async () => {
    cluster.registry.create('pods', { metadata: { name: 'a', namespace: 'default' }, spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'i' }] } })
    await settled()
    expect(podsOf(cluster.registry)[0]?.status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }])
    expect(eventsOf(cluster.registry)[0]).toContain("FailedScheduling: 0/1 nodes are available: 1 node(s) didn't match")
    cluster.registry.create('nodes', { metadata: { name: 'second', labels: { disk: 'ssd' } } })
    await settled()
    expect(podsOf(cluster.registry)[0]?.spec.nodeName).toBe('second')
  })

  it('fills a node no further than it says, and goes on when there is room again', async () => {
    const node = cluster.registry.get('nodes', '', 'sandbox')
    if (!node) throw new Error('no node')
    cluster.registry.update('nodes', { ...node, status: { allocatable: { pods: '1' } } }, { subresource: 'status' })
    for (const name of ['a', 'b']) cluster.registry.create('pods', { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await settled()
    expect(podsOf(cluster.registry).map((pod) => pod.spec.nodeName ?? '')).toEqual(['sandbox', ''])
    expect(eventsOf(cluster.registry)).toContain('FailedScheduling: 0/1 nodes are available: 1 Too many pods.')
    cluster.registry.delete('pods', 'default', 'a', { gracePeriodSeconds: 0 })
    await settled()
    expect(podsOf(cluster.registry).map((pod) => pod.spec.nodeName)).toEqual(['sandbox'])
  })

  it('spreads pods over the nodes that there are', async () => {
    cluster.registry.create('nodes', { metadata: { name: 'second' } })
    cluster.registry.create('deployments', deployment({ replicas: 4 }))
    await settled()
    expect(podsOf(cluster.registry).map((pod) => pod.spec.nodeName).toSorted()).toEqual(['sandbox', 'sandbox', 'second', 'second'])
  })
})

describe('events', () => {
  it('are counted where they repeat', async () => {
    cluster.registry.create('pods', { metadata: { name: 'a', namespace: 'default' }, spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'i' }] } })
    await settled()
    cluster.registry.patch('pods', 'default', 'a', { metadata: { labels: { x: 'y' } } })
    await settled()
    const [event] = cluster.registry.list('events', 'default')
    expect(event).toMatchObject({ count: expect.any(Number), involvedObject: { kind: 'Pod', name: 'a' }, source: { component: 'default-scheduler' } })
    expect(Number(event?.['count'])).toBeGreaterThanOrEqual(2)
    expect(cluster.registry.list('events', 'default')).toHaveLength(1)
  })

  it('go after an hour, and the oldest go when there are too many', async () => {
    cluster.registry.create('pods', { metadata: { name: 'a', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await settled()
    expect(cluster.registry.list('events')).toHaveLength(1)
    await clock.advance(3_700_000)
    expect(cluster.registry.list('events')).toHaveLength(0)
    const now = new Date(clock.now()).toISOString()
    for (let i = 0; i < 2010; i++) {
      cluster.registry.create('events', { metadata: { name: `e${i}`, namespace: 'default' }, involvedObject: {}, lastTimestamp: now })
      if (i % 100 === 0) await settled()
    }
    await settled()
    expect(cluster.registry.list('events')).toHaveLength(2000)
    expect(cluster.registry.get('events', 'default', 'e0')).toBeUndefined()
  })
})
