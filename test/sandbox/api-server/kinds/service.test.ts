// Service: what is given to it and kept, what may not change, what is refused beyond the recordings.
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../../src/sandbox/api-server/kind.ts'
import { admission, lines, NOW, setSpec, specOf } from './admission.ts'

const services = admission('services')
const spec = (given: object): object => ({ spec: { ports: [{ port: 80 }], ...given } })
const create = (given: object, stored: readonly KubeObject[] = [], name = 'x'): KubeObject => services.create({ metadata: { name }, ...spec(given) }, stored).object

describe('addresses', () => {
  test('come from the range, one after the other, never one that is taken', () => {
    const stored: KubeObject[] = []
    for (const name of ['a', 'b', 'c']) stored.push(create({}, stored, name))
    expect(stored.map(service => specOf(service)['clusterIP'])).toEqual(['127.96.0.1', '127.96.0.2', '127.96.0.3'])
  })

  test('a small range runs out with an error that says so', () => {
    const small = admission('services', { serviceRange: '127.0.9.0/30' })
    const first = small.create({ metadata: { name: 'a' }, ...spec({}) }).object
    const second = small.create({ metadata: { name: 'b' }, ...spec({}) }, [first]).object
    expect([first, second].map(service => specOf(service)['clusterIP'])).toEqual(['127.0.9.1', '127.0.9.2'])
    expect(lines(small.create({ metadata: { name: 'c' }, ...spec({}) }, [first, second]).causes)).toEqual(['spec.clusterIPs: Internal error: failed to allocate a serviceIP: range is full'])
    expect(() => admission('services', { serviceRange: '::1/64' })).toThrow('not an IPv4 range')
  })

  test('may be asked for when they are free and in range', () => {
    const taken = create({ clusterIP: '127.96.7.7' })
    expect(specOf(taken)).toMatchObject({ clusterIP: '127.96.7.7', clusterIPs: ['127.96.7.7'] })
    expect(lines(services.create({ metadata: { name: 'other' }, ...spec({ clusterIP: '127.96.7.7' }) }, [taken]).causes)).toEqual([
      'spec.clusterIPs: Invalid value: ["127.96.7.7"]: failed to allocate IP 127.96.7.7: provided IP is already allocated',
    ])
    expect(lines(services.create(spec({ clusterIP: '10.0.0.1' })).causes)).toEqual([
      'spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: the provided IP (10.0.0.1) is not in the valid range. The range of valid IPs is 127.96.0.0/16',
    ])
  })

  test('are kept by a write that leaves them out', () => {
    const old = create({})
    const { object, causes } = services.update(old, draft => {
      draft['spec'] = { ports: [{ port: 81 }] }
    })
    expect(causes).toEqual([])
    expect(specOf(object)).toMatchObject({ clusterIP: '127.96.0.1', clusterIPs: ['127.96.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
  })

  test('a headless Service has none, and can not become one that has', () => {
    const old = create({ clusterIP: 'None', selector: { a: 'b' } })
    expect(specOf(old)).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] })
    expect(lines(services.update(old, setSpec('clusterIP', '127.96.0.9')).causes)).toEqual(['spec.clusterIPs[0]: Invalid value: ["127.96.0.9"]: may not change once set'])
    expect(specOf(create({ clusterIP: 'None' }))).toMatchObject({ ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] })
  })
})

describe('node ports', () => {
  test('are given to NodePort and LoadBalancer Services, each once a protocol', () => {
    const first = create({ type: 'NodePort', ports: [{ port: 80 }, { port: 81, name: 'b' }, { port: 80, protocol: 'UDP', name: 'c' }] })
    expect((specOf(first)['ports'] as { nodePort: number }[]).map(port => port.nodePort)).toEqual([30000, 30001, 30000])
    const second = create({ type: 'LoadBalancer' }, [first], 'other')
    expect(specOf(second)).toMatchObject({ allocateLoadBalancerNodePorts: true, externalTrafficPolicy: 'Cluster', ports: [{ nodePort: 30002 }] })
    expect(specOf(create({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }))['ports']).toEqual([{ port: 80, protocol: 'TCP', targetPort: 80 }])
  })

  test('that are asked for must be free and in range', () => {
    const taken = create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] })
    const wanted = (nodePort: number): object => ({ metadata: { name: 'other' }, ...spec({ type: 'NodePort', ports: [{ port: 80, nodePort }] }) })
    expect(lines(services.create(wanted(30080), [taken]).causes)).toEqual(['spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated'])
    expect(lines(services.create(wanted(80), [taken]).causes)).toEqual([
      'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    ])
  })

  test('are kept by name, and go with the type', () => {
    const old = create({ type: 'NodePort', ports: [{ port: 80, name: 'a', nodePort: 30500 }] })
    const kept = services.update(old, setSpec('ports', [{ port: 8080, name: 'a' }]))
    expect(specOf(kept.object)['ports']).toEqual([{ name: 'a', port: 8080, protocol: 'TCP', targetPort: 8080, nodePort: 30500 }])
    const plain = services.update(old, setSpec('type', 'ClusterIP'))
    expect(plain.causes).toEqual([])
    expect(specOf(plain.object)).toMatchObject({ ports: [{ port: 80 }] })
    expect(JSON.stringify(plain.object)).not.toContain('nodePort')
    expect(specOf(plain.object)['externalTrafficPolicy']).toBeUndefined()
  })

  test('that a Service gives up are free for it again', () => {
    const single = admission('services', { nodePorts: { first: 30000, last: 30000 } })
    const { object } = single.create(spec({ type: 'NodePort', ports: [{ port: 80, name: 'a' }] }))
    const renamed = single.update(object, setSpec('ports', [{ port: 80, name: 'b' }]))
    expect(renamed.causes).toEqual([])
    expect(specOf(renamed.object)['ports']).toMatchObject([{ name: 'b', nodePort: 30000 }])
  })

  test('a health check port comes with Local traffic of a load balancer', () => {
    const old = create({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
    expect(specOf(old)).toMatchObject({ healthCheckNodePort: 30001, ports: [{ nodePort: 30000 }] })
    expect(lines(services.update(old, setSpec('healthCheckNodePort', 30009)).causes)).toEqual(['spec.healthCheckNodePort: Forbidden: field is immutable'])
    expect(specOf(services.update(old, setSpec('externalTrafficPolicy', 'Cluster')).object)['healthCheckNodePort']).toBeUndefined()
  })
})

describe('types', () => {
  test('to ExternalName and back gives the address up and a new one', () => {
    const old = create({})
    const external = services.update(old, draft => {
      draft['spec'] = { ...specOf(draft), type: 'ExternalName', externalName: 'db.example.com' }
    })
    expect(external.causes).toEqual([])
    expect(specOf(external.object)).toEqual({ type: 'ExternalName', externalName: 'db.example.com', sessionAffinity: 'None', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }] })
    const back = services.update(external.object, setSpec('type', 'ClusterIP'))
    expect(back.causes).toEqual([])
    expect(specOf(back.object)).toMatchObject({ clusterIP: '127.96.0.1', clusterIPs: ['127.96.0.1'], internalTrafficPolicy: 'Cluster' })
  })

  test.each([
    ['a headless load balancer', { type: 'LoadBalancer', clusterIP: 'None' }, `spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for LoadBalancer services`],
    ['an ExternalName with an address', { type: 'ExternalName', externalName: 'a.b', clusterIP: '127.96.0.1' }, 'spec.clusterIPs: Forbidden: may not be set for ExternalName services'],
    ['an ExternalName without a name', { type: 'ExternalName' }, 'spec.externalName: Required value'],
    ['an unknown type', { type: 'Magic' }, 'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
    ['a node port without the type', { ports: [{ port: 80, nodePort: 30000 }] }, "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ['two ports without names', { ports: [{ port: 80 }, { port: 81 }] }, 'spec.ports[0].name: Required value'],
    ['one port twice', { ports: [{ port: 80, name: 'a' }, { port: 80, name: 'b' }] }, 'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}'],
    ['port 0', { ports: [{ port: 0, targetPort: 1 }] }, 'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
    ['a target port that is no name', { ports: [{ port: 1, targetPort: 'a_b' }] }, 'spec.ports[0].targetPort: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'],
    ['an unknown protocol', { ports: [{ port: 1, protocol: 'QUIC' }] }, 'spec.ports[0].protocol: Unsupported value: "QUIC": supported values: "SCTP", "TCP", "UDP"'],
    ['two families', { ipFamilyPolicy: 'RequireDualStack' }, 'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'],
    ['source ranges without a load balancer', { loadBalancerSourceRanges: ['10.0.0.0/8'] }, "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ['an affinity of more than a day', { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } }, 'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400'],
    ['an external address that is none', { externalIPs: ['here'] }, 'spec.externalIPs[0]: Invalid value: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ])('%s is refused', (_, given, expected) => expect(lines(services.create(spec(given)).causes)).toContain(expected))

  test('a name must be a DNS-1035 label', () => {
    expect(lines(services.create({ metadata: { name: '1a' }, ...spec({}) }).causes)).toEqual([
      "metadata.name: Invalid value: \"1a\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ])
  })
})

test('a load balancer address is a virtual one unless it says otherwise; what a headless Service ignores is said', () => {
  const { object } = services.update(create({ type: 'LoadBalancer' }), draft => void (draft['status'] = { loadBalancer: { ingress: [{ ip: '127.20.0.2' }, { hostname: 'a.b' }] } }))
  expect(object['status']).toEqual({ loadBalancer: { ingress: [{ ip: '127.20.0.2', ipMode: 'VIP' }, { hostname: 'a.b' }] } })
  expect(services.create(spec({ clusterIP: 'None', sessionAffinity: 'ClientIP' })).warnings).toEqual(['spec.SessionAffinity is ignored for headless services'])
})

test('cells of a load balancer: pending, then its addresses', () => {
  const object = create({ type: 'LoadBalancer', selector: { b: '2', a: '1' } })
  expect(services.kind.row(object, NOW)).toEqual(['x', 'LoadBalancer', '127.96.0.1', '<pending>', '80:30000/TCP', '60m', 'a=1,b=2'])
  object['status'] = { loadBalancer: { ingress: [{ ip: '127.20.0.2' }, { hostname: 'lb.example.com' }] } }
  expect(services.kind.row(object, NOW)[3]).toBe('127.20.0.2,lb.example.com')
})
