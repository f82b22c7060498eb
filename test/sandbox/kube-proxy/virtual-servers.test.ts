// Which addresses a Service has and what is behind each, by the rules of kube-proxy.
import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Service, SliceEndpoint } from '../../../src/sandbox/controllers/object-shapes.ts'
import { virtualServers } from '../../../src/sandbox/kube-proxy/virtual-servers.ts'

const meta = (name: string): Service['metadata'] => ({ name, namespace: 'dev', uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' })

function service(spec: Partial<Service['spec']>, more: Partial<Service> = {}): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: meta('web'), spec: { clusterIP: '127.96.0.10', ports: [{ port: 80 }], ...spec }, ...more }
}

function slice(endpoints: readonly SliceEndpoint[], ports: EndpointSlice['ports'] = [{ name: '', port: 8080, protocol: 'TCP' }]): EndpointSlice {
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: meta('web-1'), addressType: 'IPv4', ports, endpoints: [...endpoints] }
}

const at = (address: string, conditions: SliceEndpoint['conditions'] = {}, more: Partial<SliceEndpoint> = {}): SliceEndpoint => ({ addresses: [address], conditions, ...more })
const shown = (given: Service, slices: readonly EndpointSlice[] = [slice([at('127.10.0.1')])]): readonly string[] =>
  virtualServers(given, slices).map(({ id, kind, endpoints }) => `${kind} ${id} -> ${endpoints.map((each) => each.id).join(' ')}`)

describe('addresses', () => {
  it('a ClusterIP, a NodePort, a load balancer and external addresses, each with every port', () => {
    const ports = [{ name: 'http', port: 80, nodePort: 30_080 }, { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30_053 }]
    const given = service({ type: 'LoadBalancer', ports, externalIPs: ['127.0.0.9', '192.0.2.1'] }, { status: { loadBalancer: { ingress: [{ ip: '127.20.0.1' }] } } })
    const slices = [slice([at('127.10.0.1')], [{ name: 'http', port: 8080, protocol: 'TCP' }, { name: 'dns', port: 1053, protocol: 'UDP' }])]
    expect(shown(given, slices)).toEqual([
      'ClusterIP TCP 127.96.0.10:80 -> 127.10.0.1:8080',
      'NodePort TCP 127.0.0.1:30080 -> 127.10.0.1:8080',
      'LoadBalancer TCP 127.20.0.1:80 -> 127.10.0.1:8080',
      'ExternalIP TCP 127.0.0.9:80 -> 127.10.0.1:8080',
      'ClusterIP UDP 127.96.0.10:53 -> 127.10.0.1:1053',
      'NodePort UDP 127.0.0.1:30053 -> 127.10.0.1:1053',
      'LoadBalancer UDP 127.20.0.1:53 -> 127.10.0.1:1053',
      'ExternalIP UDP 127.0.0.9:53 -> 127.10.0.1:1053',
    ])
  })

  it('none for headless Services, external names, SCTP, and what is being deleted', () => {
    expect(shown(service({ clusterIP: 'None' }))).toEqual([])
    expect(shown(service({ type: 'ExternalName', externalName: 'example.com' }))).toEqual([])
    expect(shown(service({ ports: [{ port: 80, protocol: 'SCTP' }] }))).toEqual([])
    expect(shown({ ...service({}), metadata: { ...meta('web'), deletionTimestamp: '2026-01-01T00:00:00Z' } })).toEqual([])
  })
})

describe('endpoints', () => {
  const behind = (endpoints: readonly SliceEndpoint[], spec: Partial<Service['spec']> = {}): readonly string[] => shown(service(spec), [slice(endpoints)]).map((line) => line.split(' -> ')[1] ?? '')

  it('are the ready ones, each once', () => {
    expect(behind([at('127.10.0.2'), at('127.10.0.1', { ready: true }), at('127.10.0.1'), at('127.10.0.3', { ready: false })])).toEqual(['127.10.0.1:8080 127.10.0.2:8080'])
  })

  it('that terminate but serve are used where none is ready', () => {
    const leaving = at('127.10.0.1', { ready: false, serving: true, terminating: true })
    expect(behind([leaving, at('127.10.0.2', { ready: false, serving: false, terminating: true })])).toEqual(['127.10.0.1:8080'])
    expect(behind([leaving, at('127.10.0.2')])).toEqual(['127.10.0.2:8080'])
  })

  it('of another node are left out where the policy says Local, and only there', () => {
    const endpoints = [at('127.10.0.1', {}, { nodeName: 'sandbox' }), at('127.10.0.2', {}, { nodeName: 'elsewhere' }), at('127.10.0.3')]
    expect(behind(endpoints, { internalTrafficPolicy: 'Local' })).toEqual(['127.10.0.1:8080 127.10.0.3:8080'])
    expect(behind(endpoints, { type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30_080 }] })).toEqual(['127.10.0.1:8080 127.10.0.2:8080 127.10.0.3:8080', '127.10.0.1:8080 127.10.0.3:8080'])
  })
})

describe('what else a virtual server has', () => {
  it('persistence from sessionAffinity, one memory for all addresses of a port', () => {
    const given = service({ type: 'NodePort', sessionAffinity: 'ClientIP', ports: [{ port: 80, nodePort: 30_080 }] })
    expect(virtualServers(given, []).map(({ affinity }) => affinity)).toEqual([{ key: 'dev/web TCP 80', timeoutMs: 10_800_000 }, { key: 'dev/web TCP 80', timeoutMs: 10_800_000 }])
    expect(virtualServers(service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }), [])[0]?.affinity?.timeoutMs).toBe(5000)
  })

  describe('annotations', () => {
    const OWN = 'narthex.ingress.kubernetes.io'
    const annotated = (annotations: Readonly<Record<string, string>>, endpoints: readonly SliceEndpoint[] = []) => virtualServers({ ...service({}), metadata: { ...meta('web'), annotations } }, [slice(endpoints)])[0]

    it('the scheduler that one names, in any case, else rr', () => {
      const named = (name: string) => annotated({ [`${OWN}/scheduler`]: name })?.scheduler
      expect([named('lc'), named('SH'), named('nonsense'), virtualServers(service({}), [])[0]?.scheduler]).toEqual(['lc', 'sh', 'rr', 'rr'])
    })

    it('weights by address, pod and node; alone they ask for wrr, and what can not be read weighs 1', () => {
      const endpoints = [at('127.10.0.1'), at('127.10.0.2', {}, { targetRef: { kind: 'Pod', name: 'web-canary-x' } }), at('127.10.0.3', {}, { nodeName: 'big' }), at('127.10.0.4')]
      const weighed = annotated({ [`${OWN}/weights`]: '127.10.0.1=2, pod:web-canary-=0, node:big=5, zone=x' }, endpoints)
      expect([weighed?.scheduler, weighed?.endpoints.map(({ weight }) => weight)]).toEqual(['wrr', [2, 0, 5, 1]])
      expect(annotated({ [`${OWN}/weights`]: '*=7', [`${OWN}/scheduler`]: 'wlc' }, endpoints)?.scheduler).toBe('wlc')
      expect(annotated({ [`${OWN}/weights`]: 'many' }, endpoints)?.scheduler).toBe('rr')
    })
  })
})
