// Services with selectors → EndpointSlices and Endpoints, as the recorded cluster shows them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EndpointSlice, ServicePort } from '../../../src/sandbox/controllers/object-shapes.ts'
import { makeReady, settled, slicesOf, startCluster, type Cluster } from '../support/cluster.ts'

let cluster: Cluster
beforeEach(() => {
  cluster = startCluster()
})
afterEach(() => cluster.close())

interface PodOptions {
  readonly app?: string
  readonly ports?: readonly { name?: string; containerPort: number; protocol?: string }[]
  readonly annotations?: Record<string, string>
  readonly spec?: Record<string, unknown>
}

function pod(name: string, { app = 'web', ports = [{ name: 'http', containerPort: 8080 }], annotations = {}, spec = {} }: PodOptions = {}): void {
  cluster.registry.create('pods', {
    metadata: { name, namespace: 'default', labels: { app }, annotations },
    spec: { nodeName: 'sandbox', containers: [{ name: 'c', image: 'i', ports: [...ports] }], ...spec },
  })
}

function ready(name: string, ip: string, is = true): void {
  makeReady(cluster.registry, { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' } }, ip, is)
}

function service(ports: readonly ServicePort[], spec: Record<string, unknown> = {}, name = 'web'): void {
  cluster.registry.create('services', { metadata: { name, namespace: 'default' }, spec: { selector: { app: 'web' }, ports: [...ports], ...spec } })
}

const addresses = (slice: EndpointSlice | undefined): readonly string[] =>
  (slice?.endpoints ?? []).map(({ addresses: [ip], conditions: { ready: r, serving: s, terminating: t } }) => `${ip} ${r ? 'ready' : '-'} ${s ? 'serving' : '-'} ${t ? 'terminating' : '-'}`)
const endpoints = (name = 'web') => cluster.registry.get('endpoints', 'default', name)
const slices = (name = 'web') => slicesOf(cluster.registry, name)

describe('a Service with a selector', () => {
  it('has one empty slice and Endpoints without subsets while no pod has an address', async () => {
    service([{ name: 'http', port: 80, targetPort: 'http' }])
    pod('a')
    await settled()
    expect(slices()).toHaveLength(1)
    expect([slices()[0]?.endpoints, slices()[0]?.ports]).toEqual([[], []])
    expect(endpoints()).toBeDefined()
    expect(endpoints()).not.toHaveProperty('subsets')
  })

  it('writes the slice that a real cluster writes', async () => {
    service([{ name: 'http', port: 80, targetPort: 'http' }])
    pod('a')
    ready('a', '127.10.0.1')
    await settled()
    const [slice] = slices()
    const uid = cluster.registry.get('pods', 'default', 'a')?.metadata.uid
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      metadata: {
        generateName: 'web-',
        labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io', 'kubernetes.io/service-name': 'web' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', controller: true, blockOwnerDeletion: true }],
      },
      endpoints: [{
        addresses: ['127.10.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'sandbox',
        targetRef: { kind: 'Pod', name: 'a', namespace: 'default', uid },
        zone: 'local-a',
      }],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    })
    expect(slice?.metadata.name).toMatch(/^web-[a-z0-9]{5}$/)
    expect(endpoints()?.['subsets']).toEqual([{
      addresses: [{ ip: '127.10.0.1', nodeName: 'sandbox', targetRef: { kind: 'Pod', name: 'a', namespace: 'default', uid } }],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    }])
  })

  it('follows readiness, and termination in the very tick of the delete', async () => {
    service([{ port: 80, targetPort: 8080 }])
    pod('a')
    pod('b')
    ready('a', '127.10.0.1')
    ready('b', '127.10.0.2', false)
    await settled()
    expect(addresses(slices()[0])).toEqual(['127.10.0.1 ready serving -', '127.10.0.2 - - -'])
    expect(endpoints()?.['subsets']).toMatchObject([{ addresses: [{ ip: '127.10.0.1' }], notReadyAddresses: [{ ip: '127.10.0.2' }] }])
    cluster.registry.delete('pods', 'default', 'a')
    await Promise.resolve().then(() => undefined)
    await settled()
    expect(addresses(slices()[0])).toEqual(['127.10.0.1 - serving terminating', '127.10.0.2 - - -'])
    expect(endpoints()?.['subsets']).toMatchObject([{ notReadyAddresses: [{ ip: '127.10.0.2' }] }])
    cluster.registry.delete('pods', 'default', 'a', { gracePeriodSeconds: 0 })
    await settled()
    expect(addresses(slices()[0])).toEqual(['127.10.0.2 - - -'])
  })

  it('drops a pod whose labels no longer match', async () => {
    service([{ port: 80, targetPort: 8080 }])
    pod('a')
    ready('a', '127.10.0.1')
    await settled()
    cluster.registry.patch('pods', 'default', 'a', { metadata: { labels: { app: 'other' } } })
    await settled()
    expect(addresses(slices()[0])).toEqual([])
  })

  it('resolves a named target port pod by pod: other numbers, other slices', async () => {
    service([{ name: 'http', port: 80, targetPort: 'http' }])
    pod('a')
    pod('b', { ports: [{ name: 'http', containerPort: 9090 }] })
    pod('c', { ports: [{ name: 'other', containerPort: 1 }] })
    for (const [name, ip] of [['a', '127.10.0.1'], ['b', '127.10.0.2'], ['c', '127.10.0.3']] as const) ready(name, ip)
    await settled()
    const found = slices().map((slice) => [slice.ports?.[0]?.port, ...(slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses)])
    expect(found.toSorted()).toEqual([[8080, '127.10.0.1'], [9090, '127.10.0.2']])
    expect(endpoints()?.['subsets']).toHaveLength(2)
  })

  it('publishes the port where a pod can really be reached', async () => {
    service([{ port: 80, targetPort: 80 }])
    pod('a', { ports: [{ containerPort: 80 }], annotations: { 'sandbox.narthex.ingress.kubernetes.io/port-80': '20080' } })
    ready('a', '127.10.0.1')
    await settled()
    expect(slices()[0]?.ports).toEqual([{ name: '', port: 20_080, protocol: 'TCP' }])
    expect(endpoints()?.['subsets']).toMatchObject([{ ports: [{ port: 20_080 }] }])
  })

  it('publishes pods that are not ready where it is told to', async () => {
    service([{ port: 80, targetPort: 8080 }], { publishNotReadyAddresses: true })
    pod('a')
    ready('a', '127.10.0.1', false)
    await settled()
    expect(addresses(slices()[0])).toEqual(['127.10.0.1 ready - -'])
    expect(endpoints()?.['subsets']).toMatchObject([{ addresses: [{ ip: '127.10.0.1' }] }])
  })

  it('marks headless Services, and needs no ports there', async () => {
    service([], { clusterIP: 'None' })
    pod('a')
    ready('a', '127.10.0.1')
    await settled()
    expect(slices()[0]?.metadata.labels).toMatchObject({ 'service.kubernetes.io/headless': '' })
    expect(slices()[0]).toMatchObject({ endpoints: [{ addresses: ['127.10.0.1'] }], ports: [] })
  })

  it('says that each endpoint serves its own zone under trafficDistribution', async () => {
    service([{ port: 80, targetPort: 8080 }], { trafficDistribution: 'PreferClose' })
    pod('a')
    ready('a', '127.10.0.1')
    await settled()
    expect(slices()[0]?.endpoints?.[0]?.hints).toEqual({ forZones: [{ name: 'local-a' }] })
  })

  it('puts at most 100 endpoints into a slice and leaves full slices alone', async () => {
    service([{ port: 80, targetPort: 8080 }])
    for (let i = 0; i < 250; i++) {
      pod(`p${i}`)
      ready(`p${i}`, `127.10.1.${i + 1}`)
    }
    await settled()
    await settled()
    expect(slices().map((slice) => slice.endpoints?.length ?? 0).toSorted()).toEqual([100, 100, 50])
    expect(new Set(slices().flatMap((slice) => slice.endpoints ?? []).map((endpoint) => endpoint.addresses[0])).size).toBe(250)
    const before = new Map(slices().map((slice) => [slice.metadata.name, slice.metadata.resourceVersion]))
    pod('late')
    ready('late', '127.10.2.1')
    await settled()
    expect(slices().filter((slice) => before.get(slice.metadata.name) !== slice.metadata.resourceVersion)).toHaveLength(1)
  })

  it('loses its slices and Endpoints with the selector or itself', async () => {
    service([{ port: 80, targetPort: 8080 }])
    pod('a')
    ready('a', '127.10.0.1')
    await settled()
    cluster.registry.delete('services', 'default', 'web')
    await settled()
    expect([slices(), endpoints()]).toEqual([[], undefined])
    expect(cluster.lines).toEqual([])
  })

  it('puts a slice right that somebody else changed', async () => {
    service([{ port: 80, targetPort: 8080 }])
    pod('a')
    ready('a', '127.10.0.1')
    await settled()
    cluster.registry.patch('endpointslices', 'default', slices()[0]?.metadata.name ?? '', { endpoints: [] })
    await settled()
    expect(addresses(slices()[0])).toEqual(['127.10.0.1 ready serving -'])
  })
})

describe('a Service without a selector', () => {
  const handMade = (subsets: readonly Record<string, unknown>[], metadata: Record<string, unknown> = {}): void => {
    cluster.registry.create('services', { metadata: { name: 'db', namespace: 'default' }, spec: { ports: [{ port: 3366, targetPort: 3306 }] } })
    cluster.registry.create('endpoints', { metadata: { name: 'db', namespace: 'default', ...metadata }, subsets })
  }

  it('has its hand-made Endpoints mirrored as a real cluster does it', async () => {
    handMade([{ addresses: [{ ip: '10.0.0.206' }], notReadyAddresses: [{ ip: '10.0.0.207' }], ports: [{ port: 3306 }] }], { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' } })
    await settled()
    expect(slices('db')).toHaveLength(1)
    expect(slices('db')[0]).toMatchObject({
      addressType: 'IPv4',
      metadata: {
        annotations: { kept: 'yes' },
        labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io', 'kubernetes.io/service-name': 'db' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Endpoints', name: 'db', controller: true, blockOwnerDeletion: true }],
      },
      endpoints: [{ addresses: ['10.0.0.206'], conditions: { ready: true } }, { addresses: ['10.0.0.207'], conditions: { ready: false } }],
      ports: [{ name: '', port: 3306, protocol: 'TCP' }],
    })
    expect(slices('db')[0]?.metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration')
    cluster.registry.patch('endpoints', 'default', 'db', { subsets: [{ addresses: [{ ip: '10.0.0.9' }], ports: [{ port: 3306 }] }] })
    await settled()
    expect(slices('db').flatMap((slice) => slice.endpoints ?? []).map((endpoint) => endpoint.addresses[0])).toEqual(['10.0.0.9'])
    cluster.registry.delete('endpoints', 'default', 'db')
    await settled()
    expect(slices('db')).toEqual([])
  })

  it('gets slices of both families for addresses of both', async () => {
    handMade([{ addresses: [{ ip: '10.0.0.1' }, { ip: '::1' }], ports: [{ port: 1 }] }])
    await settled()
    expect(slices('db').map((slice) => slice.addressType).toSorted()).toEqual(['IPv4', 'IPv6'])
  })

  it('is not mirrored where its Endpoints say so', async () => {
    handMade([{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 1 }] }], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } })
    await settled()
    expect(slices('db')).toEqual([])
  })
})
