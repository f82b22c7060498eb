// The small kinds: Namespace, Secret, ConfigMap, Node, Event, Endpoints, EndpointSlice, Lease; and metadata, which all share.
import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../../src/sandbox/api-server/kind.ts'
import { humanDuration } from '../../../../src/sandbox/api-server/kinds/column.ts'
import { admission, lines, NOW, specOf } from './admission.ts'

const secrets = admission('secrets')
const configMaps = admission('configmaps')
const namespaces = admission('namespaces')
const events = admission('events')
const slices = admission('endpointslices')
const endpoints = admission('endpoints')
const nodes = admission('nodes')
const leases = admission('leases')

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('metadata', () => {
  const causesOf = (metadata: object): string[] => lines(configMaps.create({ metadata }).causes)
  const qualified = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

  test.each([
    [{ name: 'a', labels: { 'a b': 'x' } }, `metadata.labels: Invalid value: "a b": name part ${qualified}`],
    [{ name: 'a', labels: { '/b': 'x' } }, 'metadata.labels: Invalid value: "/b": prefix part must be non-empty'],
    [
      { name: 'a', labels: { a: '-' } },
      "metadata.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
    [{ name: 'a', labels: { a: 'x'.repeat(64) } }, `metadata.labels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 characters`],
    [{ name: 'a', annotations: { a: 'x'.repeat(256 * 1024) } }, 'metadata.annotations: Too long: may not be more than 262144 bytes'],
    [{ name: 'a', finalizers: ['a/b/c'] }, expect.stringContaining('metadata.finalizers: Invalid value: "a/b/c": a valid label key')],
    [{ name: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] }, 'metadata.ownerReferences.uid: Invalid value: "": must not be empty'],
    [{ name: 'a', namespace: 'Dev' }, expect.stringContaining('metadata.namespace: Invalid value: "Dev": a lowercase RFC 1123 label')],
  ])('%#: is refused', (metadata, expected) => {
    expect(causesOf(metadata)[0]).toEqual(expected)
  })

  test('upper case annotation keys are fine, two controllers are not', () => {
    expect(causesOf({ name: 'a', annotations: { 'Example.COM/Key': '' } })).toEqual([])
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true }
    expect(causesOf({ name: 'a', ownerReferences: [owner, { ...owner, name: 'q' }] })).toEqual([
      expect.stringContaining('Only one reference can have Controller set to true. Found "true" in references for Pod/p and Pod/q'),
    ])
  })

  test('a generated name may have a prefix with a dash', () => {
    expect(causesOf({ name: 'web-abcde', generateName: 'web-' })).toEqual([])
    expect(causesOf({ name: 'web-abcde', generateName: 'Web-' })).toEqual([expect.stringContaining('metadata.generateName: Invalid value: "Web-"')])
  })

  test('a finalizer can not be added to an object that is being deleted, nor a name changed', () => {
    const { object } = configMaps.create({ metadata: { name: 'a', finalizers: ['example.com/a'], deletionTimestamp: '2026-11-20T11:30:00Z' } })
    const { causes } = configMaps.update(object, draft => {
      draft.metadata.finalizers = ['example.com/a', 'example.com/b']
      draft.metadata.uid = 'other'
    })
    expect(lines(causes)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
      'metadata.uid: Invalid value: "other": field is immutable',
    ])
  })

  test('cluster-scoped kinds have no namespace', () => {
    expect(lines(namespaces.create({ metadata: { name: 'a', namespace: 'b' } }).causes)).toEqual(['metadata.namespace: Forbidden: not allowed on this type'])
  })
})

test.each([
  [0, '0s'], [119, '119s'], [120, '2m'], [125, '2m5s'], [599, '9m59s'], [601, '10m'], [10_799, '179m'], [10_800, '3h'], [12_000, '3h20m'], [28_800, '8h'], [172_799, '47h'],
  [172_800, '2d'], [190_800, '2d5h'], [691_200, '8d'], [694_800, '8d'], [63_072_000, '2y'], [70_000_000, '2y80d'], [315_360_000, '10y'], [-1, '0s'], [-5, '<invalid>'],
])('%d seconds are %s', (seconds, text) => expect(humanDuration(seconds)).toBe(text))

describe('Namespace', () => {
  test('has its name as a label, a finalizer, a phase; names are labels', () => {
    const { object } = namespaces.create({ metadata: { name: 'dev', labels: { a: 'b' } } })
    expect(object.metadata.labels).toEqual({ 'a': 'b', 'kubernetes.io/metadata.name': 'dev' })
    expect([object['spec'], object['status']]).toEqual([{ finalizers: ['kubernetes'] }, { phase: 'Active' }])
    expect(lines(namespaces.create({ metadata: { name: 'Bad_Name' } }).causes)).toEqual([
      "metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ])
  })

  test('keeps label and finalizers on update', () => {
    const { object } = namespaces.create({ metadata: { name: 'dev' } })
    const updated = namespaces.update(object, draft => {
      delete draft.metadata.labels
      draft['spec'] = {}
    }).object
    expect(updated.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'dev' })
    expect(updated['spec']).toEqual({ finalizers: ['kubernetes'] })
  })
})

describe('Secret', () => {
  const pair = (): { certificate: string; key: string } => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
    const certificate = forge.pki.createCertificate()
    certificate.publicKey = forge.pki.publicKeyFromPem(publicKey)
    certificate.serialNumber = '01'
    certificate.setSubject([{ name: 'commonName', value: 'a.example.com' }])
    certificate.setIssuer([{ name: 'commonName', value: 'a.example.com' }])
    certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create())
    return { certificate: forge.pki.certificateToPem(certificate), key: privateKey }
  }

  test('warns about TLS pairs that do not belong together, and takes them', () => {
    const [one, two] = [pair(), pair()]
    const tls = (certificate: string, key: string): readonly string[] => {
      const { causes, warnings } = secrets.create({ type: 'kubernetes.io/tls', data: { 'tls.crt': base64(certificate), 'tls.key': base64(key) } })
      expect(causes).toEqual([])
      return warnings
    }
    expect(tls(one.certificate, one.key)).toEqual([])
    expect(tls(one.certificate, two.key)).toEqual(['tls: private key does not match public key'])
    expect(tls(one.certificate, 'x')).toEqual(['tls: failed to find any PEM data in key input'])
    expect(tls('x', 'y')).toEqual(['tls: failed to find any PEM data in certificate input'])
  })

  test('stringData wins over data and is not kept', () => {
    const { object } = secrets.create({ data: { a: base64('old'), b: base64('kept') }, stringData: { a: 'new' } })
    expect([object['data'], object['type'], object['stringData']]).toEqual([{ a: base64('new'), b: base64('kept') }, 'Opaque', undefined])
  })

  test.each([
    [{ type: 'kubernetes.io/basic-auth' }, ['data[username]: Required value', 'data[password]: Required value']],
    [{ type: 'kubernetes.io/ssh-auth' }, ['data[ssh-privatekey]: Required value']],
    [{ type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{' } }, ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character']],
    [{ stringData: { '..': 'x' } }, ["data[..]: Invalid value: \"..\": must not be '..'"]],
    [{ stringData: { a: 'x'.repeat(1024 * 1024 + 1) } }, ['data: Too long: may not be more than 1048576 bytes']],
  ])('%#: is refused', (body, expected) => expect(lines(secrets.create(body).causes)).toEqual(expected))

  test('no value is ever in a cause', () => {
    const { causes } = secrets.create({ type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'hunter2', 'a b': 'hunter3' } })
    expect(JSON.stringify(causes)).not.toMatch(/hunter/)
  })

  test('type and immutable data stay', () => {
    const { object } = secrets.create({ stringData: { a: 'b' }, immutable: true })
    const { causes } = secrets.update(object, draft => {
      draft['type'] = 'other'
      draft['data'] = {}
      draft['immutable'] = false
    })
    expect(lines(causes)).toEqual([
      'type: Invalid value: "other": field is immutable',
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ])
  })
})

describe('Event', () => {
  const event = { involvedObject: { kind: 'Ingress', namespace: 'dev', name: 'web', uid: 'u' }, reason: 'Sync', message: ' done\n', type: 'Normal', source: { component: 'narthex' } }

  test('is one object in two groups', () => {
    const [version] = events.kind.legacy ?? []
    const { object } = events.create(event)
    const modern = version?.fromCurrent(object)
    expect(modern).toMatchObject({ apiVersion: 'events.k8s.io/v1', regarding: { name: 'web' }, note: ' done\n', deprecatedSource: { component: 'narthex' }, reportingController: 'narthex' })
    expect(version?.toCurrent(modern ?? object)).toEqual(object)
    expect(version?.fieldLabels?.['regarding.kind']).toBe('involvedObject.kind')
  })

  test('must be in the namespace of its object', () => {
    expect(lines(events.create({ ...event, involvedObject: { namespace: 'other' } }).causes)).toEqual(['involvedObject.namespace: Invalid value: "other": does not match event.namespace'])
    expect(events.create({ metadata: { name: 'a', namespace: 'default' }, involvedObject: { kind: 'Node', name: 'n' } }).causes).toEqual([])
  })

  test('is printed with its series', () => {
    const { object } = events.create({ ...event, series: { count: 7, lastObservedTime: '2026-11-20T11:59:30.000000Z' }, eventTime: '2026-11-20T11:50:00.000000Z' })
    expect(events.kind.row(object, NOW)).toEqual(['30s', 'Normal', 'Sync', 'ingress/web', '', 'narthex', 'done', '10m', 7, 'x'])
    expect(events.kind.row(events.create(event).object, NOW)[8]).toBe(1)
    expect(events.kind.fields['involvedObject.uid']?.(object)).toBe('u')
  })
})

describe('Endpoints and EndpointSlice', () => {
  test('loopback addresses are fine, names are not', () => {
    expect(endpoints.create({ subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: 80 }] }] }).causes).toEqual([])
    expect(lines(endpoints.create({ subsets: [{ addresses: [{ ip: 'localhost' }] }, { ports: [{ port: 1 }] }] }).causes)).toEqual([
      'subsets[0].addresses[0].ip: Invalid value: "localhost": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'subsets[1]: Required value: must specify `addresses` or `notReadyAddresses`',
    ])
  })

  test('more than three endpoints are counted', () => {
    const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '::1']
    const { object } = endpoints.create({ subsets: [{ addresses: addresses.map(ip => ({ ip })), ports: [{ port: 80 }] }] })
    expect(endpoints.kind.row(object, NOW)[1]).toBe('127.0.0.1:80,127.0.0.2:80,127.0.0.3:80 + 2 more...')
    const slice = slices.create({ addressType: 'IPv4', endpoints: [{ addresses: addresses.slice(0, 4) }], ports: [{ name: 'http' }] }).object
    expect(slices.kind.row(slice, NOW)).toEqual(['x', 'IPv4', 'http', '127.0.0.1,127.0.0.2,127.0.0.3 + 1 more...', '60m'])
  })

  test('a slice has one type of address for ever', () => {
    const { object } = slices.create({ addressType: 'IPv4', endpoints: [{ addresses: ['127.0.0.1'] }], ports: [{ port: 80 }] })
    expect(object).toMatchObject({ endpoints: [{ conditions: {} }], ports: [{ name: '', protocol: 'TCP', port: 80 }] })
    expect(lines(slices.update(object, draft => void (draft['addressType'] = 'IPv6')).causes)).toEqual([
      'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": must be an IPv6 address',
      'addressType: Invalid value: "IPv6": field is immutable',
    ])
    expect(lines(slices.create({ endpoints: [{}] }).causes)).toEqual(['addressType: Required value', 'endpoints[0].addresses: Required value: must contain at least 1 address'])
  })
})

test('a node is printed with its roles and addresses', () => {
  const object: KubeObject = nodes.create({
    metadata: { name: 'n1', labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/edge': '' } },
    spec: { unschedulable: true },
    status: { conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], nodeInfo: nodeInfo('v1.36.2') },
  }).object
  expect(nodes.kind.row(object, NOW)).toEqual(['n1', 'Ready,SchedulingDisabled', 'edge,worker', '60m', 'v1.36.2', '127.0.0.1', '<none>', 'Sandbox', '<unknown>', '<unknown>'])
  expect(specOf(object)).toEqual({ unschedulable: true })
})

function nodeInfo(kubeletVersion: string): object {
  return { kubeletVersion, osImage: 'Sandbox', machineID: '', systemUUID: '', bootID: '', kernelVersion: '', containerRuntimeVersion: '', kubeProxyVersion: '', operatingSystem: 'linux', architecture: 'amd64' }
}

test('a lease lasts at least a second', () => {
  expect(lines(leases.create({ spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } }).causes)).toEqual([
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
  ])
})
