// How a container finds Services by its environment: names, values, and which Services count.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod, Service } from '../../../src/sandbox/controllers/object-shapes.ts'
import { serviceVariables } from '../../../src/sandbox/pods/service-variables.ts'
import { startCluster, until, type Cluster } from '../support/cluster.ts'

let cluster: Cluster
beforeAll(() => {
  cluster = startCluster({ kubelet: { drainMs: 0 } })
})
afterAll(() => cluster.close())

const create = (resource: string, object: Record<string, unknown>): unknown => cluster.registry.create(resource, object)
const service = (name: string, spec: Record<string, unknown>): void => void create('services', { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec })

async function environmentOf(name: string, spec: Record<string, unknown> = {}): Promise<Record<string, string>> {
  create('pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'c', ports: [{ containerPort: 8080 }], env: [{ name: 'COLOUR', value: 'blue' }, { name: 'WEB_SERVICE_PORT', value: 'mine' }] }], ...spec } })
  const ip = await until(() => {
    const pod = cluster.registry.get('pods', 'default', name) as Pod | undefined
    return pod?.status?.phase === 'Running' && pod.status.podIP
  })
  const answer = await fetch(`http://${ip}:8080/env`, { headers: { accept: 'application/json' } })
  return (await answer.json()) as Record<string, string>
}

describe('variables', () => {
  it('name the Service, its first port, each named port, and the links of Docker', () => {
    const web = { metadata: { name: 'my-web' }, spec: { clusterIP: '127.96.0.9', ports: [{ name: 'http', port: 80, protocol: 'TCP' }, { name: 'dns-udp', port: 53, protocol: 'UDP' }] } } as Service
    expect(Object.fromEntries(serviceVariables(web))).toEqual({
      MY_WEB_SERVICE_HOST: '127.96.0.9',
      MY_WEB_SERVICE_PORT: '80',
      MY_WEB_SERVICE_PORT_HTTP: '80',
      MY_WEB_SERVICE_PORT_DNS_UDP: '53',
      MY_WEB_PORT: 'tcp://127.96.0.9:80',
      MY_WEB_PORT_80_TCP: 'tcp://127.96.0.9:80',
      MY_WEB_PORT_80_TCP_PROTO: 'tcp',
      MY_WEB_PORT_80_TCP_PORT: '80',
      MY_WEB_PORT_80_TCP_ADDR: '127.96.0.9',
      MY_WEB_PORT_53_UDP: 'udp://127.96.0.9:53',
      MY_WEB_PORT_53_UDP_PROTO: 'udp',
      MY_WEB_PORT_53_UDP_PORT: '53',
      MY_WEB_PORT_53_UDP_ADDR: '127.96.0.9',
    })
  })
})

describe('a pod', () => {
  it('sees the Services that were there when it started, the API, and what it sets itself', async () => {
    service('web', { clusterIP: '127.96.0.9', ports: [{ port: 80 }] })
    service('headless', { clusterIP: 'None', ports: [{ port: 80 }] })
    const seen = await environmentOf('first')
    expect(seen).toMatchObject({ HOSTNAME: 'first', WEB_SERVICE_HOST: '127.96.0.9', WEB_SERVICE_PORT: 'mine', COLOUR: 'blue' })
    expect(seen['KUBERNETES_SERVICE_HOST']).toMatch(/^127\.96\./)
    expect(Object.keys(seen).filter((name) => name.startsWith('HEADLESS'))).toEqual([])
    service('later', { clusterIP: '127.96.0.10', ports: [{ port: 80 }] })
    expect(await environmentOf('second')).toMatchObject({ LATER_SERVICE_HOST: '127.96.0.10' })
    const again = await fetch(`http://${(cluster.registry.get('pods', 'default', 'first') as Pod).status?.podIP}:8080/env`)
    expect(await again.text()).not.toContain('LATER_')
  })

  it('that wants no links sees the API alone', async () => {
    const seen = await environmentOf('alone', { enableServiceLinks: false })
    expect(seen).toHaveProperty('KUBERNETES_SERVICE_HOST')
    expect(seen).not.toHaveProperty('WEB_SERVICE_HOST')
  })
})
